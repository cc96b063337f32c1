//! The whole driver, on a virtual clock, over the scripted API server. The rules are made up; what matters is when they are asked and what
//! is sent.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use jiff::ToSpan;
use rollout::{EventNote, EventType, Evidence, Kind, Plan, Wake, World};
use serde_json::{Value, json};

use super::running::{DEPLOYMENTS, PATCH_ECHO, PATCH_WEB, Running, SERVICES, mark, mark_both, plan, target};
use crate::driver::Ended;
use crate::lease::Standing;

fn nothing(_: &World) -> Plan {
    plan("nothing", [])
}

#[test]
fn with_nothing_to_do_an_hour_passes_without_a_request() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, nothing);
        running.writes_within(Duration::from_secs(1)).await;
        running.env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(running.server.requests(), Vec::<String>::new());
        let looks = 4 * (3600 / 30 + 1);
        assert!(
            running.server.asked() <= looks,
            "kinds that are not there are looked for calmly"
        );
        assert_eq!(running.end().await, Ended::Stopped);
    });
}

#[test]
fn a_plan_is_written_once_and_in_order() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            [PATCH_ECHO, PATCH_WEB]
        );
        running.end().await;
    });
}

#[test]
fn after_a_write_the_key_waits_for_its_caches() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.server.hold_watches(true);
        let first = running.writes_within(Duration::from_secs(5)).await;
        assert_eq!(first, [PATCH_ECHO, PATCH_WEB], "not repeated on the old world");
        running.server.hold_watches(false);
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            Vec::<String>::new()
        );
        running.end().await;
    });
}

#[test]
fn a_watch_that_is_stuck_is_replaced_by_a_list() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.server.hold_watches(true);
        running.writes_within(Duration::from_secs(5)).await;
        running.env.sleep(Duration::from_secs(10)).await;
        let lists: Vec<String> = running.server.requests();
        assert_eq!(lists, ["GET /apis/apps/v1/deployments", "GET /api/v1/services"]);
        running.end().await;
    });
}

#[test]
fn the_first_write_that_fails_stops_the_plan_and_it_is_decided_again() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.server.answer_writes([Some(409), Some(500), None, None]);
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            [PATCH_ECHO, PATCH_ECHO, PATCH_ECHO, PATCH_WEB]
        );
        running.end().await;
    });
}

#[test]
fn a_write_decided_on_an_old_version_changes_nothing() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, |world| {
            // Two writes to the Service: the second is guarded by a version that the first has used up.
            let Some(write) = mark(world, Kind::Service, "web", "1") else {
                return plan("done", []);
            };
            plan(
                "twice",
                [
                    write.clone(),
                    write,
                    mark(world, Kind::Deployment, "echo", "1").expect("unmarked"),
                ],
            )
        });
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            [PATCH_WEB, PATCH_WEB],
            "the second is refused, and what follows it is not sent"
        );
        running.end().await;
    });
}

#[test]
fn what_rests_on_evidence_is_sent_only_if_the_server_still_shows_it() {
    fn decide(world: &World) -> Plan {
        let mut write = mark(world, Kind::Deployment, "echo", "1");
        if let Some(write) = &mut write {
            write.recheck = Some(Evidence::Absent(target(Kind::Service, "blocker")));
        }
        plan("checked", write)
    }
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, decide);
        running.server.put(
            SERVICES,
            json!({ "metadata": { "namespace": "ns", "name": "blocker" } }),
        );
        assert_eq!(
            running.writes_within(Duration::from_secs(5)).await,
            Vec::<String>::new()
        );
        running.end().await;
        let running = Running::start(&world.env, decide);
        assert_eq!(running.writes_within(Duration::from_secs(5)).await, [PATCH_ECHO]);
        running.end().await;
    });
}

#[test]
fn a_plan_is_looked_at_again_when_it_asked_to_be() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, |world| {
            let at = env::sim::EPOCH.checked_add(90.seconds()).expect("in range");
            if world.now < at {
                Plan {
                    wake: Wake::At(at),
                    ..plan("wait", [])
                }
            } else {
                plan("go", mark(world, Kind::Deployment, "echo", "1"))
            }
        });
        assert_eq!(
            running.writes_within(Duration::from_millis(89_999)).await,
            Vec::<String>::new()
        );
        assert_eq!(running.writes_within(Duration::from_millis(10)).await, [PATCH_ECHO]);
        running.end().await;
    });
}

#[test]
fn a_note_becomes_an_event_after_its_writes() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, |world| {
            let mut plan = mark_both(world);
            if !plan.writes.is_empty() {
                plan.events.push(EventNote {
                    regarding: target(Kind::Rollout, "demo"),
                    event_type: EventType::Normal,
                    reason: "Progressing",
                    message: "marked".to_owned(),
                });
            }
            plan
        });
        running.server.answer_writes([None, Some(500)]);
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            [PATCH_ECHO, PATCH_WEB, PATCH_WEB, "EVENT \"marked\""]
        );
        running.end().await;
    });
}

#[test]
fn without_the_lease_nothing_is_written() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.standing.send_replace(Standing::Waiting);
        assert_eq!(
            running.writes_within(Duration::from_secs(60)).await,
            Vec::<String>::new()
        );
        let until = running.env.clock().elapsed().after(Duration::from_secs(10));
        running.standing.send_replace(Standing::Leading { until });
        assert_eq!(
            running.writes_within(Duration::from_secs(5)).await,
            [PATCH_ECHO, PATCH_WEB]
        );
        running.env.sleep(Duration::from_secs(10)).await;
        running.server.put(
            DEPLOYMENTS,
            json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": {} } }),
        );
        assert_eq!(
            running.writes_within(Duration::from_secs(5)).await,
            Vec::<String>::new(),
            "the term is over"
        );
        running.standing.send_replace(Standing::Lost);
        assert_eq!(running.task.await.expect("no panic"), Ended::LeaseLost);
    });
}

#[test]
fn one_seed_gives_one_trace() {
    let trace = |seed| {
        let trace = Trace::in_memory();
        let requests = run(seed, trace.clone(), |world| async move {
            let running = Running::start(&world.env, mark_both);
            running.server.answer_writes([Some(500), Some(409), None, Some(503)]);
            let writes = running.writes_within(Duration::from_secs(60)).await;
            running.end().await;
            writes
        });
        let lines: Vec<String> = trace.take().iter().map(env::TraceRecord::to_line).collect();
        (requests, lines)
    };
    let (first, second) = (trace(7), trace(7));
    assert_eq!(first, second);
    assert_ne!(first.1, trace(8).1, "the delays come from the seed");
    let decided: Value = serde_json::from_str(&first.1[0]).expect("JSON");
    assert_eq!(decided["key"], "Deployment/ns/echo");
    assert_eq!(decided["rule"], "mark");
}

#[test]
#[tracing_test::traced_test]
fn a_decision_is_logged_once_with_its_reason() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.server.answer_writes([Some(409), Some(500), Some(500)]);
        running.env.sleep(Duration::from_secs(1)).await;
        for replicas in 2..9 {
            let echo = json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": { "mark": "1" } }, "spec": { "replicas": replicas } });
            running.server.put(DEPLOYMENTS, echo);
            running.env.sleep(Duration::from_secs(1)).await;
        }
        running.end().await;
    });
    logs_assert(|lines: &[&str]| {
        let info: Vec<&&str> = lines
            .iter()
            .filter(|line| line.contains(" INFO ") && line.contains("by mark"))
            .collect();
        let writing = info
            .iter()
            .filter(|line| line.contains("patch Deployment ns/echo, patch Service ns/web"));
        match (info.len(), writing.count()) {
            (1, 1) => Ok(()),
            _ => Err(format!("{info:#?}")),
        }
    });
    logs_assert(
        |lines: &[&str]| match lines.iter().filter(|line| line.contains(" WARN ")).count() {
            1 => Ok(()),
            count => Err(format!("{count} warnings about one server error")),
        },
    );
}

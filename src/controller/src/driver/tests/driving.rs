//! The whole driver, on a virtual clock, over the scripted API server. The rules are made up; what matters is when they are asked and what
//! is sent.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use env::watch;
use jiff::ToSpan;
use rollout::{Action, EventNote, EventType, Evidence, Guard, Kind, Object, Op, Plan, Target, Wake, World, Write};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api_server::ApiServer;
use crate::Options;
use crate::driver::{Decide, Ended, drive};
use crate::lease::Standing;

pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
pub(super) const ROLLOUTS: &str = "/apis/rollouts.kruise.io/v1beta1/rollouts";
const SERVICES: &str = "/api/v1/services";

/// A running driver.
pub(super) struct Running {
    pub(super) server: ApiServer,
    pub(super) env: env::Env,
    stop: oneshot::Sender<()>,
    standing: watch::Sender<Standing>,
    task: JoinHandle<Ended>,
}

impl Running {
    /// Drives a cluster with one Rollout, its Deployment `echo` and its Service `web` by `decide`.
    pub(super) fn start(env: &env::Env, decide: Decide) -> Self {
        let server = ApiServer::new();
        server.put(
            DEPLOYMENTS,
            json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": {} }, "spec": { "replicas": 1 } }),
        );
        server.put(
            SERVICES,
            json!({ "metadata": { "namespace": "ns", "name": "web", "annotations": {} } }),
        );
        server.put(
            ROLLOUTS,
            json!({
                "metadata": { "namespace": "ns", "name": "demo" },
                "spec": {
                    "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "echo" },
                    "strategy": { "canary": { "trafficRoutings": [{ "service": "web" }] } },
                },
            }),
        );
        Self::on(server, env, decide)
    }

    /// Drives what `server` holds by `decide`.
    pub(super) fn on(server: ApiServer, env: &env::Env, decide: Decide) -> Self {
        let client = kube::Client::new(server.service(), "default");
        let (stop, stopped) = oneshot::channel();
        let (standing, standings) = watch::channel(Standing::ALONE);
        let driving = drive(
            env.clone(),
            client,
            Options::new("test"),
            decide,
            standings,
            async move {
                // An error means that the test is over.
                let _ = stopped.await;
            },
        );
        Self {
            server,
            env: env.clone(),
            stop,
            standing,
            task: tokio::spawn(driving),
        }
    }

    /// Lets everything happen that happens within `duration`, and says what was written.
    pub(super) async fn writes_within(&self, duration: Duration) -> Vec<String> {
        self.env.sleep(duration).await;
        self.server
            .requests()
            .into_iter()
            .filter(|request| !request.starts_with("GET"))
            .collect()
    }

    pub(super) async fn end(self) -> Ended {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("no panic")
    }
}

fn find(world: &World, kind: Kind, name: &str) -> Option<Object> {
    world
        .of_kind(kind)
        .iter()
        .find(|object| object.metadata.name.as_deref() == Some(name))
        .cloned()
}

fn target(kind: Kind, name: &str) -> Target {
    Target {
        kind,
        namespace: "ns".to_owned(),
        name: name.to_owned(),
    }
}

fn guard(object: &Object) -> Guard {
    Guard {
        uid: object.metadata.uid.clone().expect("a uid"),
        resource_version: object.metadata.resource_version.clone().expect("a version"),
    }
}

pub(super) fn mark(world: &World, kind: Kind, name: &str, value: &str) -> Option<Write> {
    let object = find(world, kind, name)?;
    let annotations = object.metadata.annotations.clone().unwrap_or_default();
    (annotations.get("mark").map(String::as_str) != Some(value)).then(|| Write {
        target: target(kind, name),
        action: Action::Patch {
            guard: guard(&object),
            ops: vec![Op::Add {
                path: "/metadata/annotations/mark".to_owned(),
                value: json!(value),
            }],
        },
        recheck: None,
    })
}

pub(super) fn plan(rule: &'static str, writes: impl IntoIterator<Item = Write>) -> Plan {
    Plan {
        writes: writes.into_iter().collect(),
        rule,
        message: format!("by {rule}"),
        ..Plan::default()
    }
}

fn nothing(_: &World) -> Plan {
    plan("nothing", [])
}

/// Marks the Deployment, then the Service.
pub(super) fn mark_both(world: &World) -> Plan {
    plan(
        "mark",
        [
            mark(world, Kind::Deployment, "echo", "1"),
            mark(world, Kind::Service, "web", "1"),
        ]
        .into_iter()
        .flatten(),
    )
}

pub(super) const PATCH_ECHO: &str = "PATCH /apis/apps/v1/namespaces/ns/deployments/echo";
pub(super) const PATCH_WEB: &str = "PATCH /api/v1/namespaces/ns/services/web";

#[test]
fn with_nothing_to_do_an_hour_passes_without_a_request() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, nothing);
        running.writes_within(Duration::from_secs(1)).await;
        running.env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(running.server.requests(), Vec::<String>::new());
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

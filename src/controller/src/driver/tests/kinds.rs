//! Kinds that a cluster may do without: that they are missed quietly, found when they come, in the version that is served, and that what may
//! not be read is not taken for absent.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use rollout::{Evidence, Kind, Plan, World};
use rstest::rstest;
use serde_json::{Value, json};

use super::running::{DEPLOYMENTS, PATCH_ECHO, ROLLOUTS, Running, mark, plan, target};

const V1: &str = "/apis/gateway.networking.k8s.io/v1/httproutes";
const V1BETA1: &str = "/apis/gateway.networking.k8s.io/v1beta1/httproutes";
const PATCH_V1: &str = "PATCH /apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/door";
const PATCH_V1BETA1: &str = "PATCH /apis/gateway.networking.k8s.io/v1beta1/namespaces/ns/httproutes/door";
const STATUS: &str = "PATCH /apis/rollouts.kruise.io/v1beta1/namespaces/ns/rollouts/demo/status";
const NOTHING: [&str; 0] = [];
const SECOND: Duration = Duration::from_secs(1);
const HALF_A_MINUTE: Duration = Duration::from_secs(31);

/// A driver whose Rollout names the HTTPRoute `door`, on a server that serves what `prepare` says.
fn start(env: &env::Env, decide: fn(&World) -> Plan, prepare: impl FnOnce(&super::api_server::ApiServer)) -> Running {
    let server = super::api_server::ApiServer::new();
    server.put(
        DEPLOYMENTS,
        json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": {} }, "spec": { "replicas": 1 } }),
    );
    server.put(
        ROLLOUTS,
        json!({
            "metadata": { "namespace": "ns", "name": "demo" },
            "spec": {
                "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "echo" },
                "strategy": { "canary": { "trafficRoutings": [{ "service": "web", "gateway": { "httpRouteName": "door" } }] } },
            },
        }),
    );
    prepare(&server);
    Running::on(server, env, decide)
}

fn door() -> Value {
    json!({ "metadata": { "namespace": "ns", "name": "door", "annotations": {} } })
}

/// Marks the route, wherever there is one.
fn mark_door(world: &World) -> Plan {
    plan("mark", mark(world, Kind::HttpRoute, "door", "1"))
}

/// Marks the Deployment when the route is not there, resting on that.
fn mark_without_door(world: &World) -> Plan {
    let mut write = mark(world, Kind::Deployment, "echo", "1").filter(|_| world.of_kind(Kind::HttpRoute).is_empty());
    if let Some(write) = &mut write {
        write.recheck = Some(Evidence::Absent(target(Kind::HttpRoute, "door")));
    }
    plan("without", write)
}

#[test]
#[tracing_test::traced_test]
fn a_kind_that_is_not_there_holds_nothing_up_and_is_looked_for_quietly() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_without_door, |_| {});
        assert_eq!(running.writes_within(SECOND).await, [PATCH_ECHO]);
        running.env.sleep(3600 * SECOND).await;
        assert_eq!(running.server.requests(), NOTHING);
        let metrics = running.telemetry.text();
        assert!(
            metrics.contains("tidegate_kind_served{kind=\"httproutes\"} 0"),
            "{metrics}"
        );
        assert!(
            metrics.contains("tidegate_kind_served{kind=\"ingresses\"} 1"),
            "{metrics}"
        );
        running.end().await;
    });
    logs_assert(|lines: &[&str]| {
        let said = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
        match (said(" WARN "), said("does not serve this kind")) {
            (0, 4) => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    });
}

#[test]
fn a_kind_that_comes_and_goes_is_followed() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_door, |_| {});
        assert_eq!(running.writes_within(100 * SECOND).await, NOTHING);
        running.server.serve(V1, true);
        running.server.put(V1, door());
        assert_eq!(running.writes_within(HALF_A_MINUTE).await, [PATCH_V1]);
        running.server.serve(V1, false);
        assert_eq!(running.writes_within(100 * SECOND).await, NOTHING);
        assert!(
            running
                .telemetry
                .text()
                .contains("tidegate_kind_served{kind=\"httproutes\"} 0")
        );
        running.server.serve(V1, true);
        running.server.put(V1, door());
        assert_eq!(running.writes_within(HALF_A_MINUTE).await, [PATCH_V1]);
        running.end().await;
    });
}

#[test]
fn what_has_gone_with_its_kind_is_seen_as_gone() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_without_door, |server| {
            server.serve(V1, true);
            server.put(V1, door());
        });
        assert_eq!(running.writes_within(100 * SECOND).await, NOTHING);
        running.server.serve(V1, false);
        assert_eq!(running.writes_within(SECOND).await, [PATCH_ECHO]);
        running.end().await;
    });
}

#[rstest]
#[case::only_the_older(&[V1BETA1], PATCH_V1BETA1)]
#[case::both(&[V1, V1BETA1], PATCH_V1)]
fn the_version_that_is_served_is_written(#[case] served: &'static [&'static str], #[case] patch: &'static str) {
    run(1, Trace::off(), move |world| async move {
        let running = start(&world.env, mark_door, |server| {
            for resource in served {
                server.serve(resource, true);
                server.put(resource, door());
            }
        });
        assert_eq!(running.writes_within(SECOND).await, [patch]);
        running.end().await;
    });
}

#[test]
fn a_version_that_is_given_up_is_left_for_the_one_that_follows() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_door, |server| {
            server.serve(V1BETA1, true);
            server.put(V1BETA1, door());
        });
        assert_eq!(running.writes_within(SECOND).await, [PATCH_V1BETA1]);
        running.server.serve(V1, true);
        running.server.put(V1, door());
        running.server.serve(V1BETA1, false);
        assert_eq!(running.writes_within(SECOND).await, [PATCH_V1]);
        running.end().await;
    });
}

/// Marks the Deployment on the evidence that the route is not there, although the caches show it.
fn mark_despite_door(world: &World) -> Plan {
    let mut write = mark(world, Kind::Deployment, "echo", "1").filter(|_| !world.of_kind(Kind::HttpRoute).is_empty());
    if let Some(write) = &mut write {
        write.recheck = Some(Evidence::Absent(target(Kind::HttpRoute, "door")));
    }
    plan("despite", write)
}

#[test]
fn evidence_is_looked_for_in_the_version_that_is_served_now() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_despite_door, |server| {
            server.serve(V1BETA1, true);
            server.put(V1BETA1, door());
        });
        assert_eq!(running.writes_within(SECOND).await, NOTHING);
        // The watch does not notice yet that its version is no longer served, and a get in it answers 404.
        running.server.hold_watches(true);
        running.server.serve(V1, true);
        running.server.put(V1, door());
        running.server.serve(V1BETA1, false);
        assert_eq!(running.writes_within(60 * SECOND).await, NOTHING);
        running.end().await;
    });
}

#[test]
#[tracing_test::traced_test]
fn what_may_not_be_read_is_not_taken_for_absent() {
    run(1, Trace::off(), |world| async move {
        let running = start(&world.env, mark_without_door, |server| {
            server.serve(V1, true);
            server.allow(V1, false);
        });
        let message = "read httproutes: list: 403 Forbidden: user \"test\" cannot list resource; give the controller's account this right, \
                       `tidegate manifests` lists what it needs; it is tried again by itself";
        assert_eq!(
            running.writes_within(SECOND).await,
            [STATUS.to_owned(), format!("EVENT {message:?}")]
        );
        let condition = &running.server.object(ROLLOUTS, "ns/demo")["status"]["conditions"][0];
        assert_eq!(condition["type"], "Stalled");
        assert_eq!(condition["reason"], "ReadRefused");
        assert_eq!(condition["message"], message);
        assert_eq!(running.writes_within(600 * SECOND).await, NOTHING);
        running.server.allow(V1, true);
        // Only the Deployment is marked: the list is as empty as before, but now it proves something.
        assert_eq!(running.writes_within(HALF_A_MINUTE).await, [PATCH_ECHO, STATUS]);
        // What a status must have stays; the condition is gone.
        let left = json!({ "currentStepIndex": 0, "currentStepState": "" });
        assert_eq!(running.server.object(ROLLOUTS, "ns/demo")["status"], left);
        running.end().await;
    });
    logs_assert(|lines: &[&str]| {
        match lines
            .iter()
            .filter(|line| line.contains("not allowed to read this kind"))
            .count()
        {
            1 => Ok(()),
            count => Err(format!("said {count} times")),
        }
    });
}

#[test]
fn a_kind_that_nobody_names_may_be_forbidden() {
    run(1, Trace::off(), |world| async move {
        let istio = "/apis/networking.istio.io/v1/virtualservices";
        let running = start(&world.env, mark_without_door, |server| {
            server.serve(istio, true);
            server.allow(istio, false);
        });
        assert_eq!(running.writes_within(SECOND).await, [PATCH_ECHO]);
        running.end().await;
    });
}

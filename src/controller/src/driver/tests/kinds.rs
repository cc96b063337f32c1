//! Kinds that a cluster may do without: that they are missed quietly, found when they come, in the version that is served, and that what may
//! not be read is not taken for absent.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use rollout::{Evidence, Kind, Plan, World};
use serde_json::json;

use super::running::{DEPLOYMENTS, PATCH_ECHO, ROLLOUTS, Running, mark, plan, target};

const NOTHING: [&str; 0] = [];
const SECOND: Duration = Duration::from_secs(1);

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

//! What a user of pods notices: they start, answer, fail as their image says, drain and go.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{Trace, empty, read_all};
use http::{Request, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use super::image;
use crate::Embedded;
use crate::cluster::{Cluster, DeleteOptions};
use crate::object;
use crate::resource::{NODES, PODS};

/// Runs `body` on a cluster that has nodes and a scheduler.
fn with_nodes<F: Future<Output = ()>>(seed: u64, body: impl FnOnce(SimEnv, Arc<dyn Cluster>) -> F) {
    run(seed, Trace::off(), |world| async move {
        let embedded = Embedded::start(&world.env, &world.network, crate::Options::default()).await;
        body(world, embedded.cluster()).await;
        embedded.stop().await;
    });
}

async fn create(cluster: &Arc<dyn Cluster>, name: &str, image: &str, spec: Value) {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "default", "name": name },
        "spec": { "containers": [{ "name": "main", "image": image, "ports": [{ "containerPort": 9000 }] }] },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][key] = value.clone();
    }
    cluster.create(&PODS, pod).await.expect("the pod is valid");
}

fn pod(cluster: &Arc<dyn Cluster>, name: &str) -> Option<Value> {
    cluster.get(&PODS, "default", name).map(|pod| pod.value.clone())
}

fn is_ready(pod: &Value) -> bool {
    object::items(pod, &["status", "conditions"])
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

async fn ask(world: &SimEnv, ip: &str) -> Option<(StatusCode, Value)> {
    let service = world.env.dial(&format!("{ip}:9000")).await.ok()?;
    let response = service.send(Request::new(empty())).await.ok()?;
    let code = response.status();
    let body = read_all(response.into_body(), 10_000).await.ok()?;
    Some((code, serde_json::from_slice(&body).ok()?))
}

#[test]
fn a_pod_is_bound_starts_and_answers() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo:v2", json!({})).await;
        world.env.sleep(Duration::from_secs(1)).await;
        let pod = pod(&cluster, "a").expect("it stays");
        assert!(is_ready(&pod), "{pod}");
        assert_eq!(object::text(&pod, &["status", "phase"]), "Running");
        let (code, answer) = ask(&world, object::text(&pod, &["status", "podIP"]))
            .await
            .expect("it serves");
        assert_eq!(code, StatusCode::OK);
        assert_eq!(
            [&answer["pod"], &answer["version"], &answer["namespace"]],
            ["a", "v2", "default"]
        );
    });
}

#[test]
fn pods_are_spread_over_three_ready_nodes() {
    with_nodes(1, |world, cluster| async move {
        for name in ["a", "b", "c", "d", "e", "f"] {
            create(&cluster, name, "echo", json!({})).await;
        }
        world.env.sleep(Duration::from_secs(1)).await;
        let mut nodes: Vec<String> = cluster
            .list(&PODS, None)
            .iter()
            .map(|pod| object::text(&pod.value, &["spec", "nodeName"]).to_owned())
            .collect();
        nodes.sort();
        assert_eq!(nodes, ["node-1", "node-1", "node-2", "node-2", "node-3", "node-3"]);
        assert!(cluster.list(&NODES, None).iter().all(|node| is_ready(&node.value)));
    });
}

#[test]
fn a_pod_that_no_node_may_have_waits() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo", json!({ "nodeSelector": { "disk": "ssd" } })).await;
        world.env.sleep(Duration::from_secs(60)).await;
        let pod = pod(&cluster, "a").expect("it stays");
        assert_eq!(object::text(&pod, &["spec", "nodeName"]), "");
    });
}

#[test]
fn a_readiness_probe_delays_readiness_and_not_running() {
    with_nodes(1, |world, cluster| async move {
        let probed = json!([{ "name": "main", "image": "echo", "readinessProbe": { "initialDelaySeconds": 5 } }]);
        create(&cluster, "a", "", json!({ "containers": probed })).await;
        world.env.sleep(Duration::from_secs(2)).await;
        let early = pod(&cluster, "a").expect("it stays");
        assert_eq!(object::text(&early, &["status", "phase"]), "Running");
        assert!(!is_ready(&early));
        world.env.sleep(Duration::from_secs(5)).await;
        assert!(is_ready(&pod(&cluster, "a").expect("it stays")));
    });
}

#[test]
fn a_never_ready_image_runs_and_stays_unready() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo:never-ready", json!({})).await;
        world.env.sleep(Duration::from_secs(3600)).await;
        let pod = pod(&cluster, "a").expect("it stays");
        assert_eq!(object::text(&pod, &["status", "phase"]), "Running");
        assert!(!is_ready(&pod));
    });
}

#[test]
fn a_crashing_image_is_started_again_ever_more_slowly() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo:crash", json!({})).await;
        world.env.sleep(Duration::from_secs(35)).await;
        let pod = pod(&cluster, "a").expect("it stays");
        let container = &object::items(&pod, &["status", "containerStatuses"])[0];
        assert_eq!(container["restartCount"], 2);
        assert_eq!(container["state"]["waiting"]["reason"], "CrashLoopBackOff");
        assert!(!is_ready(&pod));
        assert_eq!(ask(&world, object::text(&pod, &["status", "podIP"])).await, None);
    });
}

#[test]
fn an_image_fails_at_the_rate_in_its_name() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo:5xx-30", json!({})).await;
        world.env.sleep(Duration::from_secs(1)).await;
        let pod = pod(&cluster, "a").expect("it stays");
        let mut failed = 0;
        for _ in 0..1000 {
            let (code, _) = ask(&world, object::text(&pod, &["status", "podIP"]))
                .await
                .expect("it serves");
            failed += u32::from(code.is_server_error());
        }
        assert!((230..370).contains(&failed), "{failed} of 1000");
    });
}

#[test]
fn the_lines_of_a_pod_go_with_it_whatever_takes_its_place() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo", json!({})).await;
        world.env.sleep(Duration::from_secs(2)).await;
        let first = pod(&cluster, "a").expect("it stays");
        let uid = object::uid(&first);
        assert!(!cluster.logs().read(uid, "main").is_empty());
        let at_once = DeleteOptions {
            grace: Some(0),
            ..DeleteOptions::default()
        };
        cluster
            .delete(&PODS, "default", "a", at_once)
            .await
            .expect("it is there");
        create(&cluster, "a", "echo", json!({})).await;
        world.env.sleep(Duration::from_secs(2)).await;
        assert!(pod(&cluster, "a").is_some_and(|pod| object::uid(&pod) != uid));
        assert!(cluster.logs().read(uid, "main").is_empty(), "its lines are still there");
    });
}

#[test]
fn a_deleted_pod_serves_while_it_drains_and_then_is_gone() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo", json!({})).await;
        world.env.sleep(Duration::from_secs(1)).await;
        let before = pod(&cluster, "a").expect("it stays");
        let ip = object::text(&before, &["status", "podIP"]);
        let deleted = cluster.delete(&PODS, "default", "a", DeleteOptions::default()).await;
        deleted.expect("it is there");
        world.env.sleep(Duration::from_secs(7)).await;
        assert!(object::is_deleting(&pod(&cluster, "a").expect("it drains")));
        assert!(ask(&world, ip).await.is_some());
        world.env.sleep(Duration::from_secs(2)).await;
        assert_eq!(pod(&cluster, "a"), None);
        assert_eq!(ask(&world, ip).await, None);
    });
}

#[test]
fn a_pod_without_a_drain_refuses_at_once() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo", json!({ "terminationGracePeriodSeconds": 0 })).await;
        world.env.sleep(Duration::from_secs(1)).await;
        let before = pod(&cluster, "a").expect("it stays");
        let deleted = cluster.delete(&PODS, "default", "a", DeleteOptions::default()).await;
        deleted.expect("it is there");
        world.env.sleep(Duration::from_millis(10)).await;
        assert_eq!(pod(&cluster, "a"), None);
        assert_eq!(ask(&world, object::text(&before, &["status", "podIP"])).await, None);
    });
}

#[test]
fn an_idle_cluster_writes_nothing() {
    with_nodes(1, |world, cluster| async move {
        create(&cluster, "a", "echo", json!({})).await;
        world.env.sleep(Duration::from_secs(2)).await;
        let before = pod(&cluster, "a");
        let nodes = cluster.list(&NODES, None);
        world.env.sleep(Duration::from_secs(24 * 3600)).await;
        assert_eq!(pod(&cluster, "a"), before);
        assert_eq!(cluster.list(&NODES, None), nodes);
    });
}

#[rstest]
#[case("echo", "latest")]
#[case("registry:5000/echo", "latest")]
#[case("registry:5000/echo:v2", "v2")]
#[case("echo:v2@sha256:0123", "v2")]
fn the_version_is_the_tag(#[case] image: &str, #[case] version: &str) {
    assert_eq!(image::version(image), version);
}

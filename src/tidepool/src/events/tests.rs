//! What is said, how it is counted, and when it is forgotten.

use std::time::Duration;

use env::Trace;
use env::sim::{self, SimEnv};
use serde_json::{Value, json};

use super::{Note, Recorder, Reporter};
use crate::resource::{DEPLOYMENTS, EVENTS, PODS};
use crate::{Embedded, Options};

fn with_cluster<F: Future<Output = ()>>(body: impl FnOnce(SimEnv, Embedded) -> F) {
    sim::run(3, Trace::off(), |world| async move {
        let cluster = Embedded::start(&world.env, &world.network, Options::default()).await;
        body(world, cluster).await;
    });
}

fn events(cluster: &Embedded) -> Vec<Value> {
    let events = cluster.cluster().list(&EVENTS, Some("default"));
    events.iter().map(|event| event.value.clone()).collect()
}

fn pod(uid: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "default", "uid": uid } })
}

#[test]
fn the_same_words_count_up_and_others_do_not() {
    with_cluster(|world, cluster| async move {
        let recorder = Recorder::of(Reporter::Kubelet);
        let note = || Note::warning("BackOff", "Back-off restarting".to_owned()).of_container("c");
        recorder
            .note(cluster.cluster().as_ref(), &pod("1"), "node-1", note())
            .await;
        world.env.sleep(Duration::from_secs(60)).await;
        recorder
            .note(cluster.cluster().as_ref(), &pod("1"), "node-1", note())
            .await;
        recorder
            .note(cluster.cluster().as_ref(), &pod("2"), "node-1", note())
            .await;
        let told: Vec<(Value, Value)> = events(&cluster)
            .iter()
            .map(|event| (event["involvedObject"]["uid"].clone(), event["count"].clone()))
            .collect();
        assert_eq!(told, [(json!("1"), json!(2)), (json!("2"), json!(1))]);
        let first = &events(&cluster)[0];
        assert_ne!(first["firstTimestamp"], first["lastTimestamp"]);
        assert_eq!(first["involvedObject"]["fieldPath"], "spec.containers{c}");
        assert_eq!(first["source"], json!({ "component": "kubelet", "host": "node-1" }));
        cluster.stop().await;
    });
}

#[test]
fn two_that_speak_at_one_moment_do_not_take_each_others_place() {
    with_cluster(|_, cluster| async move {
        for reporter in [Reporter::Scheduler, Reporter::Kubelet] {
            let note = Note::normal("Said", reporter.name().to_owned());
            Recorder::of(reporter)
                .note(cluster.cluster().as_ref(), &pod("1"), "", note)
                .await;
        }
        assert_eq!(events(&cluster).len(), 2);
        cluster.stop().await;
    });
}

#[test]
fn events_are_forgotten_after_an_hour() {
    with_cluster(|world, cluster| async move {
        let recorder = Recorder::of(Reporter::Kubelet);
        let note = |text: &str| Note::normal("Pulled", text.to_owned());
        recorder
            .note(cluster.cluster().as_ref(), &pod("1"), "", note("old"))
            .await;
        world.env.sleep(Duration::from_secs(3_601)).await;
        recorder
            .note(cluster.cluster().as_ref(), &pod("1"), "", note("new"))
            .await;
        let told: Vec<Value> = events(&cluster).iter().map(|event| event["message"].clone()).collect();
        assert_eq!(told, [json!("new")]);
        cluster.stop().await;
    });
}

#[test]
fn a_release_is_told_in_the_words_of_the_real_controllers() {
    with_cluster(|world, cluster| async move {
        let view = cluster.cluster();
        let template = |image: &str| {
            json!({
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "c", "image": image }] },
            })
        };
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "default" },
            "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } }, "template": template("echo:1") },
        });
        view.create(&DEPLOYMENTS, deployment).await.expect("create");
        for image in ["crash:2", "never-ready:3"] {
            world.env.sleep(Duration::from_secs(20)).await;
            let found = view.get(&DEPLOYMENTS, "default", "web").expect("deployment");
            let mut changed = found.value.clone();
            changed["spec"]["template"] = template(image);
            view.update(&DEPLOYMENTS, changed).await.expect("update");
        }
        world.env.sleep(Duration::from_secs(60)).await;
        let mut told: Vec<String> = events(&cluster)
            .iter()
            .map(|event| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!(
                    "{} {} {}: {}",
                    text(&event["type"]),
                    text(&event["involvedObject"]["kind"]),
                    text(&event["reason"]),
                    without_names(&text(&event["message"]))
                )
            })
            .collect();
        told.sort();
        told.dedup();
        insta::assert_snapshot!(told.join("\n"), @r#"
        Normal Deployment ScalingReplicaSet: Scaled down replica set … from 1 to 0
        Normal Deployment ScalingReplicaSet: Scaled up replica set … from 0 to 1
        Normal Pod Created: Created container: c
        Normal Pod Killing: Stopping container c
        Normal Pod Pulled: Container image "crash:2" already present on machine
        Normal Pod Pulled: Container image "echo:1" already present on machine
        Normal Pod Pulled: Container image "never-ready:3" already present on machine
        Normal Pod Scheduled: Successfully assigned … to node-1
        Normal Pod Scheduled: Successfully assigned … to node-2
        Normal Pod Started: Started container c
        Normal ReplicaSet SuccessfulCreate: Created pod: …
        Normal ReplicaSet SuccessfulDelete: Deleted pod: …
        Warning Pod BackOff: Back-off restarting failed container c in pod …
        Warning Pod Unhealthy: Readiness probe failed:
        "#);
        cluster.stop().await;
    });
}

/// The message without what is drawn: names and uids of pods and sets.
fn without_names(message: &str) -> String {
    let words: Vec<&str> = message
        .split(' ')
        .map(|word| {
            if word.contains("web-") && word.len() > 8 {
                "…"
            } else {
                word
            }
        })
        .collect();
    words.join(" ")
}

#[test]
fn a_pod_that_no_node_may_have_says_why() {
    with_cluster(|world, cluster| async move {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "lost", "namespace": "default" },
            "spec": { "nodeSelector": { "disk": "ssd" }, "containers": [{ "name": "c", "image": "echo" }] },
        });
        cluster.cluster().create(&PODS, pod).await.expect("create");
        world.env.sleep(Duration::from_secs(1)).await;
        let told: Vec<Value> = events(&cluster).iter().map(|event| event["message"].clone()).collect();
        assert_eq!(
            told,
            [json!(
                "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
            )]
        );
        cluster.stop().await;
    });
}

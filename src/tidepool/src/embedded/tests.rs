//! The whole of it: a Deployment behind a gateway, rolled, stuck, rolled back and deleted, as its owner and its clients see it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{Trace, empty};
use http::{Request, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Embedded, Options};
use crate::cluster::{Cluster, DeleteOptions};
use crate::kubelet::DRAIN_ANNOTATION;
use crate::object;
use crate::resource::{
    DEPLOYMENTS, ENDPOINT_SLICES, INGRESS_CLASSES, INGRESSES, PODS, REPLICA_SETS, Resource, SERVICES,
};

struct Bed {
    world: SimEnv,
    cluster: Arc<dyn Cluster>,
    embedded: Embedded,
}

/// Runs `body` on a cluster with five pods of version 1 behind the gateway's host `shop`.
fn with_shop<F: Future<Output = Bed>>(seed: u64, body: impl FnOnce(Bed) -> F) {
    run(seed, Trace::off(), |world| async move {
        let embedded = Embedded::start(&world.env, &world.network, Options::default()).await;
        let bed = Bed {
            cluster: embedded.cluster(),
            world,
            embedded,
        };
        bed.create(
            &INGRESS_CLASSES,
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": "nginx" },
                "spec": { "controller": "k8s.io/ingress-nginx" },
            }),
        )
        .await;
        bed.create(&DEPLOYMENTS, json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "namespace": "default", "name": "shop" },
            "spec": {
                "replicas": 5, "selector": { "matchLabels": { "app": "shop" } }, "progressDeadlineSeconds": 60,
                "template": {
                    "metadata": { "labels": { "app": "shop" } },
                    "spec": { "containers": [{ "name": "main", "image": "echo:v1", "ports": [{ "containerPort": 8080 }] }] },
                },
            },
        })).await;
        bed.create(
            &SERVICES,
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "default", "name": "shop" },
                "spec": { "selector": { "app": "shop" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
            }),
        )
        .await;
        bed.create(&INGRESSES, json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "namespace": "default", "name": "shop" },
            "spec": { "ingressClassName": "nginx", "rules": [{ "host": "shop", "http": { "paths": [{
                "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "shop", "port": { "number": 80 } } },
            }] } }] },
        })).await;
        bed.until("five are available", Bed::is_complete).await;
        bed.until("the gateway has caught up", |bed| {
            !bed.embedded.route("shop", "/", &[]).is_empty()
        })
        .await;
        bed.world.env.sleep(Duration::from_secs(5)).await;
        let bed = body(bed).await;
        bed.embedded.stop().await;
    });
}

impl Bed {
    async fn create(&self, resource: &Resource, object: Value) {
        self.cluster.create(resource, object).await.expect("it is valid");
    }

    fn deployment(&self) -> Value {
        let found = self.cluster.get(&DEPLOYMENTS, "default", "shop");
        found.expect("it is there").value.clone()
    }

    async fn set(&self, change: impl Fn(&mut Value)) {
        let mut deployment = self.deployment();
        change(&mut deployment["spec"]);
        self.cluster
            .update(&DEPLOYMENTS, deployment)
            .await
            .expect("it is valid");
    }

    fn is_complete(&self) -> bool {
        let deployment = self.deployment();
        let wanted = object::number(&deployment, &["spec", "replicas"]);
        deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
            && ["replicas", "updatedReplicas", "availableReplicas"]
                .iter()
                .all(|count| object::number(&deployment, &["status", count]) == wanted)
    }

    fn condition(&self, kind: &str) -> (String, String) {
        let deployment = self.deployment();
        object::items(&deployment, &["status", "conditions"])
            .iter()
            .find(|condition| condition["type"] == kind)
            .map(|condition| {
                let part = |key| object::text(condition, &[key]).to_owned();
                (part("status"), part("reason"))
            })
            .unwrap_or_default()
    }

    fn pods(&self) -> Vec<Value> {
        let pods = self.cluster.list(&PODS, Some("default"));
        let running = pods.iter().filter(|pod| !object::is_deleting(&pod.value));
        running.map(|pod| pod.value.clone()).collect()
    }

    fn images(&self) -> Vec<String> {
        let mut images: Vec<String> = self
            .pods()
            .iter()
            .map(|pod| object::text(&pod["spec"]["containers"][0], &["image"]).to_owned())
            .collect();
        images.sort();
        images
    }

    /// Waits until `condition` holds.
    async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..10_000 {
            if condition(self) {
                return;
            }
            self.world.env.sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "never seen: {what}; {}; pods {:?}",
            self.deployment()["status"],
            self.images()
        );
    }

    async fn ask(&self) -> StatusCode {
        let request = Request::builder()
            .header("host", "shop")
            .body(empty())
            .expect("it is valid");
        let answer = self.embedded.gateway().send(request).await;
        answer.expect("gateways answer").status()
    }
}

#[test]
fn a_rolling_update_loses_no_request_and_stays_within_its_bounds() {
    for seed in 0..8 {
        with_shop(seed, |bed| async move {
            assert_eq!(bed.ask().await, StatusCode::OK);
            bed.set(|spec| spec["template"]["spec"]["containers"][0]["image"] = json!("echo:v2"))
                .await;
            for step in 0..20_000 {
                assert_eq!(bed.ask().await, StatusCode::OK, "seed {seed}, request {step}");
                assert!(bed.pods().len() <= 7, "seed {seed}: {} pods", bed.pods().len());
                let available = object::number(&bed.deployment(), &["status", "availableReplicas"]);
                assert!(available >= Some(4), "seed {seed}: {available:?} available");
                if bed.is_complete() && step > 1000 {
                    break;
                }
                bed.world.env.sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(bed.images(), ["echo:v2"; 5]);
            assert_eq!(
                bed.condition("Progressing"),
                ("True".to_owned(), "NewReplicaSetAvailable".to_owned())
            );
            bed
        });
    }
}

/// The world is not kinder than a real one: who does not drain loses what the gateway still sends, for as long as it lags behind.
#[rstest]
#[case::closes_at_once("0", true)]
#[case::drains_for_less_than_the_gateway_needs("1", true)]
#[case::drains_for_as_long_as_the_gateway_may_lag("5", false)]
fn an_application_loses_requests_in_a_roll_unless_it_drains(#[case] seconds: &str, #[case] loses: bool) {
    with_shop(1, |bed| async move {
        let roll = |image: &'static str| {
            bed.set(move |spec| {
                spec["template"]["metadata"]["annotations"] = json!({ DRAIN_ANNOTATION: seconds });
                spec["template"]["spec"]["containers"][0]["image"] = json!(image);
            })
        };
        roll("echo:v2").await;
        bed.world.env.sleep(Duration::from_secs(60)).await;
        roll("echo:v3").await;
        let mut lost = 0;
        for _ in 0..2_000 {
            lost += u32::from(bed.ask().await != StatusCode::OK);
            bed.world.env.sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(bed.images(), ["echo:v3"; 5]);
        assert_eq!(lost > 0, loses, "{lost} of 2000");
        bed
    });
}

#[test]
fn a_release_that_never_becomes_ready_keeps_the_old_pods_and_says_so() {
    with_shop(1, |bed| async move {
        bed.set(|spec| spec["template"]["spec"]["containers"][0]["image"] = json!("echo:never-ready"))
            .await;
        bed.until("the deadline", |bed| {
            bed.condition("Progressing").1 == "ProgressDeadlineExceeded"
        })
        .await;
        let told = *bed.embedded.changes().borrow();
        bed.world.env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(*bed.embedded.changes().borrow(), told, "the verdict is written once");
        assert_eq!(bed.condition("Available").0, "True");
        assert_eq!(bed.ask().await, StatusCode::OK);
        bed.set(|spec| spec["template"]["spec"]["containers"][0]["image"] = json!("echo:v1"))
            .await;
        bed.until("back at version 1", Bed::is_complete).await;
        assert_eq!(bed.images(), ["echo:v1"; 5]);
        bed
    });
}

#[test]
fn a_rollback_takes_the_old_replica_set_up_again_with_a_new_revision() {
    with_shop(1, |bed| async move {
        let revision =
            |bed: &Bed| object::annotation(&bed.deployment(), "deployment.kubernetes.io/revision").map(str::to_owned);
        assert_eq!(revision(&bed).as_deref(), Some("1"));
        for (image, expected) in [("echo:v2", "2"), ("echo:v1", "3")] {
            bed.set(|spec| spec["template"]["spec"]["containers"][0]["image"] = json!(image))
                .await;
            bed.until("it is rolled", Bed::is_complete).await;
            assert_eq!(revision(&bed).as_deref(), Some(expected));
        }
        assert_eq!(bed.cluster.list(&REPLICA_SETS, None).len(), 2);
        bed
    });
}

#[test]
fn a_paused_deployment_does_not_roll_until_it_is_resumed() {
    with_shop(1, |bed| async move {
        bed.set(|spec| {
            spec["paused"] = json!(true);
            spec["template"]["spec"]["containers"][0]["image"] = json!("echo:v2");
        })
        .await;
        bed.world.env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(bed.images(), ["echo:v1"; 5]);
        bed.set(|spec| spec["paused"] = json!(false)).await;
        bed.until("it is rolled", Bed::is_complete).await;
        assert_eq!(bed.images(), ["echo:v2"; 5]);
        bed
    });
}

#[test]
fn a_deployment_is_scaled_while_it_rolls() {
    with_shop(3, |bed| async move {
        bed.set(|spec| spec["template"]["spec"]["containers"][0]["image"] = json!("echo:v2"))
            .await;
        bed.until("both versions run", |bed| {
            bed.images().iter().any(|image| image == "echo:v2")
        })
        .await;
        bed.set(|spec| spec["replicas"] = json!(9)).await;
        bed.until("it is rolled", Bed::is_complete).await;
        assert_eq!(bed.images(), ["echo:v2"; 9]);
        bed.set(|spec| spec["replicas"] = json!(0)).await;
        bed.until("all are gone", |bed| bed.pods().is_empty()).await;
        bed
    });
}

#[test]
fn what_a_deployment_owns_goes_with_it() {
    with_shop(1, |bed| async move {
        for resource in [&DEPLOYMENTS, &SERVICES] {
            let options = DeleteOptions::default();
            bed.cluster
                .delete(resource, "default", "shop", options)
                .await
                .expect("it is there");
        }
        bed.world.env.sleep(Duration::from_secs(60)).await;
        for resource in [&REPLICA_SETS, &PODS, &ENDPOINT_SLICES] {
            assert_eq!(bed.cluster.list(resource, None).len(), 0, "{}", resource.plural);
        }
        bed
    });
}

#[test]
fn an_idle_cluster_writes_nothing_in_a_day() {
    with_shop(1, |bed| async move {
        bed.world.env.sleep(Duration::from_secs(120)).await;
        let before = *bed.embedded.changes().borrow();
        bed.world.env.sleep(Duration::from_secs(24 * 3600)).await;
        assert_eq!(*bed.embedded.changes().borrow(), before);
        bed
    });
}

#[test]
fn a_hundred_clusters_live_in_one_process() {
    run(1, Trace::off(), |_| async move {
        let mut all = Vec::new();
        for seed in 0..100 {
            let world = SimEnv::new(seed, Trace::off());
            let embedded = Embedded::start(&world.env, &world.network, Options::default()).await;
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "default", "name": format!("pod-{seed}") },
                "spec": { "containers": [{ "name": "main", "image": "echo", "ports": [{ "containerPort": 8080 }] }] },
            });
            embedded.cluster().create(&PODS, pod).await.expect("it is valid");
            all.push((world, embedded));
        }
        all[0].0.env.sleep(Duration::from_secs(5)).await;
        for (seed, (world, embedded)) in all.into_iter().enumerate() {
            let pods = embedded.cluster().list(&PODS, None);
            assert_eq!(pods.len(), 1, "no cluster sees another's pods");
            let ip = object::text(&pods[0].value, &["status", "podIP"]);
            let service = world.env.dial(&format!("{ip}:8080")).await.expect("it listens");
            let answer = service.send(Request::new(empty())).await.expect("it answers");
            assert_eq!(answer.headers()["x-pod-name"], format!("pod-{seed}").as_str());
            embedded.stop().await;
        }
    });
}

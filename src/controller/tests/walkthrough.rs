//! The thin path: tidepool, this controller and its webhooks in one process take the article's echoserver through a release.
//!
//! A smoke test of the wiring. What a release must look like from outside is judged by the suites.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says by panicking what went wrong"
)]

use std::time::Duration;

use controller::install::{Endpoint, objects};
use controller::{Options, run, webhooks};
use env::sim::{self, SimEnv};
use env::{Env, Trace};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tidepool::Embedded;
use tokio::sync::oneshot;

const MANIFESTS: [&str; 4] = [
    include_str!("../../../fixtures/article/deployment.yaml"),
    include_str!("../../../fixtures/article/service.yaml"),
    include_str!("../../../fixtures/article/ingress.yaml"),
    include_str!("../../../fixtures/article/rollout.yaml"),
];

struct Person {
    env: Env,
    client: kube::Client,
}

impl Person {
    fn api(&self, version: &str, kind: &str, namespaced: bool) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if namespaced {
            Api::namespaced_with(self.client.clone(), "default", &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        }
    }

    async fn create(&self, object: &Value, namespaced: bool) {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .expect("a text")
                .to_owned()
        };
        let api = self.api(&text("/apiVersion"), &text("/kind"), namespaced);
        let name = text("/metadata/name");
        let typed: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
        if let Err(error) = api.create(&PostParams::default(), &typed).await {
            panic!("create {} {name}: {error}", text("/kind"));
        }
    }

    async fn get(&self, version: &str, kind: &str, name: &str) -> Value {
        let object = self.api(version, kind, true).get(name).await.expect("it is there");
        serde_json::to_value(object).expect("JSON")
    }

    async fn rollout(&self) -> Value {
        self.get("rollouts.kruise.io/v1beta1", "Rollout", "rollouts-demo").await
    }

    /// Waits until the rollout's status is as wanted.
    async fn until(&self, what: &str, limit: Duration, wanted: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        for _ in 0..limit.as_secs() {
            last = self.rollout().await;
            if wanted(&last["status"]) {
                return;
            }
            self.env.sleep(Duration::from_secs(1)).await;
        }
        panic!("no {what} within {limit:?}: {last:#}");
    }
}

/// A release from the first apply to its end, and what the controller wrote.
fn release(seed: u64) -> Vec<String> {
    sim::run(seed, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let transport = cluster.transport("tidegate");
        let client = kube::Client::new(transport.service(), "default");
        let endpoint = Endpoint::Service {
            namespace: "tidegate".to_owned(),
            name: "webhooks".to_owned(),
            port: 443,
        };
        let _served = world
            .network
            .serve("webhooks.tidegate.svc:443", webhooks(&env, client.clone()));
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        for object in objects(&endpoint, b"") {
            person.create(&object, false).await;
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(run(env.clone(), client, Options::new("controller-0"), async {
            let _ = stopped.await;
        }));
        env.sleep(Duration::from_secs(5)).await;
        for manifest in MANIFESTS {
            person
                .create(&serde_yaml::from_str(manifest).expect("YAML"), true)
                .await;
        }
        let minute = Duration::from_secs(120);
        person
            .until("idle rollout", minute, |status| status["phase"] == "Healthy")
            .await;
        let image = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "cilium/echoserver:1.10.3" }]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(image).expect("a patch"));
        person
            .api("apps/v1", "Deployment", true)
            .patch("echoserver", &PatchParams::default(), &patch)
            .await
            .expect("patched");
        person
            .until("pause for approval", minute, |status| {
                status["currentStepState"] == "StepPaused"
            })
            .await;
        let weight = person.get("networking.k8s.io/v1", "Ingress", "echoserver-canary").await;
        assert_eq!(
            weight["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"],
            "5"
        );
        let approve =
            json!([{ "op": "replace", "path": "/status/canaryStatus/currentStepState", "value": "StepReady" }]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(approve).expect("a patch"));
        person
            .api("rollouts.kruise.io/v1beta1", "Rollout", true)
            .patch_status("rollouts-demo", &PatchParams::default(), &patch)
            .await
            .expect("approved");
        person
            .until("end", minute * 5, |status| {
                status["phase"] == "Healthy" && status["currentStepState"] == "Completed"
            })
            .await;
        let deployment = person.get("apps/v1", "Deployment", "echoserver").await;
        assert_eq!(deployment["spec"]["paused"], Value::Null);
        env.sleep(minute).await;
        let writes = transport
            .writes()
            .iter()
            .map(|write| format!("{write:?}"))
            .collect::<Vec<_>>();
        env.sleep(Duration::from_secs(3600)).await;
        assert_eq!(transport.writes().len(), writes.len(), "idle is quiet");
        stop.send(()).expect("it runs");
        running.await.expect("no panic").expect("an orderly end");
        cluster.stop().await;
        writes
    })
}

#[test]
fn the_article_is_walked_through() {
    let writes = release(7);
    assert!(writes.len() <= 28, "{writes:#?}");
}

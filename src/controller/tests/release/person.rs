//! A person who uses the cluster directly, whatever becomes of the controller's way to it.

use std::time::Duration;

use controller::install::{self, Endpoint};
use env::Env;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

pub(crate) struct Person {
    pub(crate) env: Env,
    pub(crate) client: kube::Client,
}

impl Person {
    pub(crate) fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.client.clone(), "default", &resource)
    }

    pub(crate) fn rollouts(&self) -> Api<DynamicObject> {
        self.api("rollouts.kruise.io/v1beta1", "Rollout")
    }

    pub(crate) async fn create(&self, object: Value) {
        let text = |field: &str| object[field].as_str().expect("a text").to_owned();
        let resource = self.cluster_wide(&text("apiVersion"), &text("kind"));
        let typed: DynamicObject = serde_json::from_value(object).expect("an object");
        resource.create(&PostParams::default(), &typed).await.expect("created");
    }

    pub(crate) fn definitions(&self) -> Api<DynamicObject> {
        self.cluster_wide("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    }

    fn cluster_wide(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        if ["CustomResourceDefinition", "Namespace"].contains(&kind) || kind.ends_with("Configuration") {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            return Api::all_with(self.client.clone(), &resource);
        }
        self.api(version, kind)
    }

    async fn patch(&self, api: Api<DynamicObject>, name: &str, status: bool, ops: Value) {
        let patch: Patch<()> = Patch::Json(serde_json::from_value(ops).expect("a patch"));
        let params = PatchParams::default();
        let patched = match status {
            true => api.patch_status(name, &params, &patch).await,
            false => api.patch(name, &params, &patch).await,
        };
        patched.expect("patched");
    }

    pub(crate) async fn image(&self, tag: &str) {
        let image = format!("cilium/echoserver:{tag}");
        let ops = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image }]);
        self.patch(self.api("apps/v1", "Deployment"), "echoserver", false, ops)
            .await;
    }

    pub(crate) async fn approve(&self) {
        let ops = json!([{ "op": "replace", "path": "/status/canaryStatus/currentStepState", "value": "StepReady" }]);
        self.patch(self.rollouts(), "rollouts-demo", true, ops).await;
    }

    pub(crate) async fn status(&self) -> Value {
        let rollout = self.rollouts().get_opt("rollouts-demo").await.expect("an answer");
        rollout.map_or(Value::Null, |rollout| rollout.data["status"].clone())
    }

    /// Waits until the Rollout's status is as wanted, an hour at most.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        for _ in 0..3600 {
            last = self.status().await;
            if wanted(&last) {
                return;
            }
            self.env.sleep(Duration::from_secs(1)).await;
        }
        panic!("no {what}: {last:#}");
    }

    /// Waits until there is one object of a kind, and not the one of that name before; its name.
    pub(crate) async fn the_only(&self, version: &str, kind: &str, before: Option<&str>) -> String {
        let mut last = Vec::new();
        for _ in 0..3600 {
            let listed = self
                .api(version, kind)
                .list(&ListParams::default())
                .await
                .expect("a list");
            last = listed
                .items
                .into_iter()
                .filter_map(|object| object.metadata.name)
                .collect();
            if let [only] = last.as_slice()
                && Some(only.as_str()) != before
            {
                return only.clone();
            }
            self.env.sleep(Duration::from_secs(1)).await;
        }
        panic!("there is no single {kind} but {before:?}: {last:?}");
    }

    /// Creates what the controller needs, and its namespace.
    pub(crate) async fn install(&self, endpoint: &Endpoint) {
        self.create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "tidegate" } }))
            .await;
        for object in install::objects(endpoint, b"") {
            self.create(object).await;
        }
    }

    /// Creates the article's workload with its Service and Ingress, and `rollout` for it; waits until it is taken over.
    pub(crate) async fn article(&self, rollout: &str) {
        self.create_article(rollout).await;
        self.until("idle rollout", |status| status["phase"] == "Healthy").await;
    }

    /// Creates the article's workload with its Service and Ingress, and `rollout` for it.
    pub(crate) async fn create_article(&self, rollout: &str) {
        for manifest in [
            include_str!("../../../../fixtures/article/deployment.yaml"),
            include_str!("../../../../fixtures/article/service.yaml"),
            include_str!("../../../../fixtures/article/ingress.yaml"),
            rollout,
        ] {
            self.create(serde_yaml::from_str(manifest).expect("YAML")).await;
        }
    }

    /// Approves every pause until the release is over.
    pub(crate) async fn approve_all(&self) {
        loop {
            self.until("pause or end", |status| paused(status) || completed(status))
                .await;
            if completed(&self.status().await) {
                return;
            }
            self.approve().await;
            self.env.sleep(Duration::from_secs(2)).await;
        }
    }
}

pub(crate) fn paused(status: &Value) -> bool {
    status["currentStepState"] == "StepPaused"
}

pub(crate) fn completed(status: &Value) -> bool {
    status["phase"] == "Healthy" && status["currentStepState"] == "Completed"
}

pub(crate) const ONE_STEP: &str = include_str!("../../../../fixtures/article/rollout.yaml");
pub(crate) const FOUR_STEPS: &str = include_str!("../../../../fixtures/article/rollout-four-steps.yaml");

/// The webhooks' place in the simulated network.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint::Service {
        namespace: "tidegate".to_owned(),
        name: "webhooks".to_owned(),
        port: 443,
    }
}

/// The authority that [`endpoint`] is dialled by.
pub(crate) const AUTHORITY: &str = "webhooks.tidegate.svc:443";

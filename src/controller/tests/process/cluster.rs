//! An API server behind TLS on this machine, and a person who uses it.

use std::path::PathBuf;

use controller::install::{Endpoint, objects};
use env::Env;
use env::sim::SimNetwork;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tidepool::embedded::Served;
use tidepool::{Embedded, Ports};

use crate::bed::{SOON, Tidegate, file, real, until};
use crate::relay::Relay;

/// The embedded cluster behind sockets, in real time.
pub(crate) struct Cluster {
    pub(crate) env: Env,
    pub(crate) client: Client,
    pub(crate) kubeconfig: PathBuf,
    embedded: Embedded,
    served: Served,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let env = real();
        let embedded = Embedded::start(&env, &SimNetwork::default(), tidepool::Options::default()).await;
        let served = embedded.serve(Ports::default()).await.expect("free ports");
        let kubeconfig = Kubeconfig::from_yaml(&served.kubeconfig).expect("YAML");
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("a configuration");
        Self {
            client: Client::try_from(config).expect("a client"),
            kubeconfig: file(&env, "config", &served.kubeconfig),
            env,
            embedded,
            served,
        }
    }

    /// Creates what an installation for a Service of the cluster consists of.
    pub(crate) async fn install(&self) {
        let endpoint = Endpoint::Service {
            namespace: "tidegate".to_owned(),
            name: "elsewhere".to_owned(),
            port: 443,
        };
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "tidegate" } });
        for object in std::iter::once(namespace).chain(objects(&endpoint, b"")) {
            self.create(&object).await.expect("created");
        }
    }

    /// A way to the API that can be cut, and a kubeconfig that leads over it.
    pub(crate) async fn relayed(&self) -> (Relay, String) {
        let relay = Relay::start(self.served.api()).await;
        let direct = self.served.api().to_string();
        let text = self.served.kubeconfig.replace(&direct, &relay.at().to_string());
        assert_ne!(text, self.served.kubeconfig);
        (relay, file(&self.env, "config", text).display().to_string())
    }

    pub(crate) async fn stop(self) {
        drop(self.client);
        self.embedded.stop().await;
        self.served.stop().await;
    }

    /// The objects of one kind: of namespace `default`, or `tidegate` for Secrets, or of the whole cluster where the kind has no namespaces.
    pub(crate) fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if ["Namespace", "CustomResourceDefinition"].contains(&kind) || kind.ends_with("Configuration") {
            return Api::all_with(self.client.clone(), &resource);
        }
        let namespace = if kind == "Secret" { "tidegate" } else { "default" };
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    pub(crate) async fn create(&self, object: &Value) -> Result<(), kube::Error> {
        let text = |field: &str| object[field].as_str().expect("a text");
        let typed: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
        let api = self.api(text("apiVersion"), text("kind"));
        api.create(&PostParams::default(), &typed).await.map(|_| ())
    }

    pub(crate) async fn get(&self, version: &str, kind: &str, name: &str) -> Value {
        let object = self.api(version, kind).get(name).await.expect("it is there");
        serde_json::to_value(object).expect("JSON")
    }

    /// Gives the article's workload another image.
    pub(crate) async fn image(&self, tag: &str) -> Value {
        let image = format!("cilium/echoserver:{tag}");
        let ops = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image }]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(ops).expect("a patch"));
        let api = self.api("apps/v1", "Deployment");
        let changed = api.patch("echoserver", &PatchParams::default(), &patch).await;
        serde_json::to_value(changed.expect("patched")).expect("JSON")
    }

    /// Waits until the process says that it is ready.
    pub(crate) async fn until_ready(&self, tidegate: &Tidegate) {
        until(&self.env, "readiness", SOON, || async {
            match tidegate.get(&self.env, "probes", "/readyz").await {
                (200, text) if text == "ok" => Ok(()),
                (status, text) => Err(format!("{status} {text}\n{}", tidegate.log())),
            }
        })
        .await;
    }

    /// Waits until the article's Rollout is as wanted.
    pub(crate) async fn until_rollout(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&self.env, what, SOON, || async {
            let rollout = self.get("rollouts.kruise.io/v1beta1", "Rollout", "rollouts-demo").await;
            if wanted(&rollout) {
                Ok(rollout)
            } else {
                Err(format!("{rollout:#}"))
            }
        })
        .await
    }
}

/// The article's manifests of one release.
pub(crate) fn article() -> Vec<Value> {
    [
        include_str!("../../../../fixtures/article/deployment.yaml"),
        include_str!("../../../../fixtures/article/service.yaml"),
        include_str!("../../../../fixtures/article/ingress.yaml"),
        include_str!("../../../../fixtures/article/rollout.yaml"),
    ]
    .into_iter()
    .map(|text| serde_yaml::from_str(text).expect("YAML"))
    .collect()
}

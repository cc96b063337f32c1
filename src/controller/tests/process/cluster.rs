//! An API server behind TLS on this machine, and a person who uses it.

use std::path::PathBuf;

use controller::install::{Endpoint, objects};
use env::Env;
use env::sim::SimNetwork;
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tidepool::embedded::Served;
use tidepool::{Embedded, Ports};

use crate::bed::{SOON, file, real, until};

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

    pub(crate) async fn stop(self) {
        drop(self.client);
        self.embedded.stop().await;
        self.served.stop().await;
    }

    /// The objects of one kind: of namespace `default`, or of the whole cluster where the kind has no namespaces.
    pub(crate) fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if ["Namespace", "CustomResourceDefinition"].contains(&kind) || kind.ends_with("Configuration") {
            return Api::all_with(self.client.clone(), &resource);
        }
        Api::namespaced_with(self.client.clone(), "default", &resource)
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

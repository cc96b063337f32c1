//! What a cluster needs before the controller can work: our CRDs with their conversion webhook, and the admission webhook configurations.
//!
//! Objects as JSON, for server-side apply by the binary's `--install`, by the suites and by `tidegate crds`. The names are OpenKruise's, so
//! that an installation takes the place of one of theirs.

pub mod chart;
mod cluster;
mod deployment;
mod rights;
mod rotation;
#[cfg(test)]
mod tests;

use api::names::{GROUP, label, webhook};
use base64::Engine;
use k8s_openapi::ByteString;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{ServiceReference, WebhookClientConfig};
use serde_json::{Value, json};

pub use cluster::{InstallError, apply, namespace, point};
pub use deployment::{Choices, workload};
pub use rights::{RIGHTS, Right, Scope};
pub use rotation::{rotate, shared_certificate};

/// The account that the controller runs as, and its roles.
const ACCOUNT: &str = "tidegate";
/// By which label the Service finds the controller's pods.
const APP: &str = "app.kubernetes.io/name";

/// Where the API server finds the webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Through a Service of the cluster.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// At an `https` base URL without a trailing slash: a controller outside of the cluster.
    Url(String),
}

impl Endpoint {
    /// The client configuration for one path, as admission configurations and CRDs share it.
    fn client_config(&self, path: &str, ca_bundle: &[u8]) -> Value {
        let mut config = match self {
            Self::Service { namespace, name, port } => json!({
                "service": { "namespace": namespace, "name": name, "port": port, "path": path },
            }),
            Self::Url(base) => json!({ "url": format!("{base}{path}") }),
        };
        if !ca_bundle.is_empty() {
            config["caBundle"] = json!(base64::engine::general_purpose::STANDARD.encode(ca_bundle));
        }
        config
    }

    fn conversion(&self, ca_bundle: &[u8]) -> WebhookClientConfig {
        let ca_bundle = (!ca_bundle.is_empty()).then(|| ByteString(ca_bundle.to_vec()));
        match self {
            Self::Service { namespace, name, port } => WebhookClientConfig {
                ca_bundle,
                service: Some(ServiceReference {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    path: Some(webhook::CONVERT_PATH.to_owned()),
                    port: Some(i32::from(*port)),
                }),
                url: None,
            },
            Self::Url(base) => WebhookClientConfig {
                ca_bundle,
                service: None,
                url: Some(format!("{base}{}", webhook::CONVERT_PATH)),
            },
        }
    }
}

/// The CRDs, then the webhook configurations, in the order in which they are to be applied. `ca_bundle` is the PEM text by which the API
/// server trusts the webhooks; empty when it is to be filled in later.
pub fn objects(endpoint: &Endpoint, ca_bundle: &[u8]) -> Vec<Value> {
    let definitions = api::crds_with_conversion(&endpoint.conversion(ca_bundle));
    let mut objects: Vec<Value> = definitions
        .iter()
        .filter_map(|definition| serde_json::to_value(definition).ok())
        .map(|mut definition| {
            if let Some(map) = definition.as_object_mut() {
                map.insert("apiVersion".to_owned(), json!("apiextensions.k8s.io/v1"));
                map.insert("kind".to_owned(), json!("CustomResourceDefinition"));
                // A definition's status is the server's to write.
                map.remove("status");
            }
            definition
        })
        .collect();
    objects.push(mutating(endpoint, ca_bundle));
    objects.push(validating(endpoint, ca_bundle));
    objects
}

/// What the controller stands in when it runs inside of a cluster: its namespace, its account with [`RIGHTS`], and the Service in front of
/// its webhooks, which selects pods labelled `app.kubernetes.io/name: tidegate`, as those of [`workload`] are.
pub fn surroundings(namespace: &str) -> Vec<Value> {
    let mut objects = vec![json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": namespace },
    })];
    objects.extend(rights::account(namespace, ACCOUNT));
    objects.push(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": webhook::SERVICE, "namespace": namespace },
        "spec": {
            "selector": { APP: ACCOUNT },
            "ports": [
                { "name": "webhooks", "port": 443, "targetPort": webhook::PORT, "protocol": "TCP" },
                { "name": "metrics", "port": deployment::METRICS, "targetPort": deployment::METRICS, "protocol": "TCP" },
            ],
        },
    }));
    objects
}

/// Freezes a Deployment when its template changes.
///
/// `failurePolicy: Fail`, because a change that gets past it is a full rollout at once, which is what the user asked us to prevent. The
/// selector keeps that from costing anybody else: only Deployments that the controller has labelled, since a Rollout names them, are asked
/// about; `control-plane` is left out so that the controller's own Deployment can always be mended.
fn mutating(endpoint: &Endpoint, ca_bundle: &[u8]) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": webhook::MUTATING_CONFIGURATION },
        "webhooks": [{
            "name": webhook::MUTATE_DEPLOYMENT,
            "clientConfig": endpoint.client_config(webhook::MUTATE_DEPLOYMENT_PATH, ca_bundle),
            "rules": [{
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "operations": ["UPDATE"],
                "resources": ["deployments"],
                "scope": "Namespaced",
            }],
            "objectSelector": { "matchExpressions": [
                { "key": label::WORKLOAD_TYPE, "operator": "Exists" },
                { "key": "control-plane", "operator": "NotIn", "values": ["controller-manager"] },
            ]},
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "reinvocationPolicy": "Never",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
        }],
    })
}

/// Refuses a Rollout or an analysis template that cannot work.
///
/// `failurePolicy: Fail`: without the controller's webhook server a Rollout can be neither read in both versions nor acted upon, so that
/// storing an unchecked one has no use, and a template that is wrong would be noticed in the middle of a release. It concerns these kinds only.
fn validating(endpoint: &Endpoint, ca_bundle: &[u8]) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": webhook::VALIDATING_CONFIGURATION },
        "webhooks": [{
            "name": webhook::VALIDATE_ROLLOUT,
            "clientConfig": endpoint.client_config(webhook::VALIDATE_ROLLOUT_PATH, ca_bundle),
            "rules": [{
                "apiGroups": [GROUP],
                "apiVersions": ["v1alpha1", "v1beta1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["rollouts"],
                "scope": "Namespaced",
            }],
            "failurePolicy": "Fail",
            // Both versions are in the rules, and each is judged as it was written.
            "matchPolicy": "Exact",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
        }, {
            "name": webhook::VALIDATE_ANALYSIS_TEMPLATE,
            "clientConfig": endpoint.client_config(webhook::VALIDATE_ANALYSIS_TEMPLATE_PATH, ca_bundle),
            "rules": [{
                "apiGroups": [GROUP],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["analysistemplates", "clusteranalysistemplates"],
                "scope": "*",
            }],
            "failurePolicy": "Fail",
            "matchPolicy": "Exact",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
        }],
    })
}

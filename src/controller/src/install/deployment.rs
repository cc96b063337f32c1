//! The controller's own Deployment and PodDisruptionBudget, as the values that whoever installs may choose leave them.
//!
//! Pure. [`super::chart`] gives placeholders of the Helm chart for the values, `tidegate manifests` gives the defaults.

use api::names::webhook;
use serde_json::{Value, json};

use super::{ACCOUNT, APP};

/// The port of `/metrics`.
pub(super) const METRICS: u16 = 8080;
/// The port of `/healthz` and `/readyz`.
const PROBES: u16 = 8081;
/// The user and group of the image's only process: nobody's.
const NOBODY: u32 = 65532;

/// What is chosen at installation. JSON values, since the chart puts its own expressions in their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// The controller's image.
    pub image: Value,
    /// `Always`, `IfNotPresent` or `Never`.
    pub pull_policy: Value,
    /// How many replicas; all answer webhooks, one writes.
    pub replicas: Value,
    /// How many workloads are reconciled at the same time: the text of a number.
    pub workers: String,
    /// `text` or `json`.
    pub log_format: String,
    /// Requests and limits of the container.
    pub resources: Value,
    /// Labels that nodes must have.
    pub node_selector: Value,
    /// Taints that are tolerated.
    pub tolerations: Value,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            image: json!(concat!("tidegate.dev/tidegate:", env!("CARGO_PKG_VERSION"))),
            pull_policy: json!("IfNotPresent"),
            replicas: json!(2),
            workers: "3".to_owned(),
            log_format: "json".to_owned(),
            resources: resources(),
            node_selector: json!({}),
            tolerations: json!([]),
        }
    }
}

/// Little at rest; the limit holds caches of some ten thousand objects. No limit of the processor, which would only delay webhooks.
pub(super) fn resources() -> Value {
    json!({
        "requests": { "cpu": "50m", "memory": "64Mi" },
        "limits": { "memory": "512Mi" },
    })
}

/// The Deployment and its PodDisruptionBudget in `namespace`.
pub fn workload(namespace: &str, choices: &Choices) -> [Value; 2] {
    let selector = json!({ APP: ACCOUNT });
    // `control-plane` keeps the controller's own Deployment out of the webhook that only the controller can answer.
    let labels = json!({ APP: ACCOUNT, "control-plane": "controller-manager" });
    let own = |field: &str| json!({ "fieldRef": { "fieldPath": field } });
    let probe = |path: &str, period: u32| {
        json!({
            "httpGet": { "path": path, "port": "probes" },
            "periodSeconds": period,
            "timeoutSeconds": 3,
        })
    };
    let container = json!({
        "name": "tidegate",
        "image": choices.image,
        "imagePullPolicy": choices.pull_policy,
        "args": [
            "run",
            "--leader-elect",
            format!("--workers={}", choices.workers),
            format!("--log-format={}", choices.log_format),
        ],
        "env": [
            { "name": "POD_NAMESPACE", "valueFrom": own("metadata.namespace") },
            { "name": "POD_NAME", "valueFrom": own("metadata.name") },
        ],
        "ports": [
            { "name": "webhooks", "containerPort": webhook::PORT, "protocol": "TCP" },
            { "name": "metrics", "containerPort": METRICS, "protocol": "TCP" },
            { "name": "probes", "containerPort": PROBES, "protocol": "TCP" },
        ],
        "livenessProbe": probe("/healthz", 10),
        "readinessProbe": probe("/readyz", 2),
        "resources": choices.resources,
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
    });
    [
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": ACCOUNT, "namespace": namespace, "labels": labels },
            "spec": {
                "replicas": choices.replicas,
                "selector": { "matchLabels": selector },
                // A new replica answers webhooks before an old one goes.
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": {
                        "serviceAccountName": ACCOUNT,
                        "terminationGracePeriodSeconds": 30,
                        "securityContext": {
                            "runAsNonRoot": true,
                            "runAsUser": NOBODY,
                            "runAsGroup": NOBODY,
                            "seccompProfile": { "type": "RuntimeDefault" },
                        },
                        "topologySpreadConstraints": [{
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": { "matchLabels": selector },
                        }],
                        "nodeSelector": choices.node_selector,
                        "tolerations": choices.tolerations,
                        "containers": [container],
                    },
                },
            },
        }),
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": { "name": ACCOUNT, "namespace": namespace },
            // One at a time, rather than one that must stay: a single replica does not keep its node from being drained.
            "spec": { "maxUnavailable": 1, "selector": { "matchLabels": selector } },
        }),
    ]
}

//! The list of built-in types that are printed in their own way. A type that is not listed shows its name and when it was created.

use serde_json::Value;

use super::{Column, PLAIN, cluster, config, network, pod, storage, workload};
use crate::resource::Resource;

/// Group, plural, columns.
pub(super) const PRINTED: &[(&str, &str, &[Column])] = &[
    ("", "configmaps", config::CONFIG_MAPS),
    ("", "endpoints", network::ENDPOINTS),
    ("", "events", cluster::EVENTS),
    ("", "namespaces", cluster::NAMESPACES),
    ("", "nodes", cluster::NODES),
    ("", "persistentvolumeclaims", storage::CLAIMS),
    ("", "persistentvolumes", storage::VOLUMES),
    ("", "pods", pod::COLUMNS),
    ("", "podtemplates", workload::POD_TEMPLATES),
    ("", "replicationcontrollers", workload::REPLICATION_CONTROLLERS),
    ("", "resourcequotas", config::QUOTAS),
    ("", "secrets", config::SECRETS),
    ("", "serviceaccounts", config::SERVICE_ACCOUNTS),
    ("", "services", network::SERVICES),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        config::WEBHOOKS,
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        config::ADMISSION_POLICIES,
    ),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        config::ADMISSION_BINDINGS,
    ),
    (
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        config::WEBHOOKS,
    ),
    ("apiregistration.k8s.io", "apiservices", cluster::API_SERVICES),
    ("apps", "controllerrevisions", workload::CONTROLLER_REVISIONS),
    ("apps", "daemonsets", workload::DAEMON_SETS),
    ("apps", "deployments", workload::DEPLOYMENTS),
    ("apps", "replicasets", workload::REPLICA_SETS),
    ("apps", "statefulsets", workload::STATEFUL_SETS),
    ("autoscaling", "horizontalpodautoscalers", workload::AUTOSCALERS),
    ("batch", "cronjobs", workload::CRON_JOBS),
    ("batch", "jobs", workload::JOBS),
    ("coordination.k8s.io", "leases", cluster::LEASES),
    ("discovery.k8s.io", "endpointslices", network::ENDPOINT_SLICES),
    ("events.k8s.io", "events", cluster::EVENTS),
    ("networking.k8s.io", "ingressclasses", network::INGRESS_CLASSES),
    ("networking.k8s.io", "ingresses", network::INGRESSES),
    ("networking.k8s.io", "networkpolicies", network::NETWORK_POLICIES),
    ("node.k8s.io", "runtimeclasses", config::RUNTIME_CLASSES),
    ("policy", "poddisruptionbudgets", workload::DISRUPTION_BUDGETS),
    (
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        config::ROLE_BINDINGS,
    ),
    ("rbac.authorization.k8s.io", "rolebindings", config::ROLE_BINDINGS),
    ("scheduling.k8s.io", "priorityclasses", config::PRIORITY_CLASSES),
    ("storage.k8s.io", "storageclasses", storage::STORAGE_CLASSES),
];

/// The columns of a built-in type.
pub fn columns(resource: &Resource) -> &'static [Column] {
    PRINTED
        .iter()
        .find(|(group, plural, _)| resource.group == *group && resource.plural == *plural)
        .map_or(PLAIN, |(_, _, columns)| columns)
}

/// The columns of an object that is no type's own but a view of one; none when it is not printed in its own way.
pub fn columns_of_view(object: &Value) -> Option<&'static [Column]> {
    let is_scale = object["kind"] == "Scale" && object["apiVersion"] == "autoscaling/v1";
    is_scale.then_some(workload::SCALES)
}

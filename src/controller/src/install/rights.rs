//! What the controller must be allowed to do, as data: the least that it needs, and for what.
//!
//! `tidegate manifests` prints it as roles; a test holds it against the requests that a whole release makes.

use api::names::{GROUP, LEADER_LEASE, webhook};
use serde_json::{Value, json};

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In every namespace, since a Rollout may be in any.
    Cluster,
    /// Only in the namespace that the controller lives in.
    Own,
}

/// Some verbs on one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Where.
    pub scope: Scope,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Plural, with its subresource after a slash.
    pub resource: &'static str,
    /// The only objects that it is about; all when empty.
    pub names: &'static [&'static str],
    /// Verbs as authorisers know them.
    pub verbs: &'static [&'static str],
}

const READ: &[&str] = &["list", "watch"];
const ROUTE: &[&str] = &["get", "list", "watch", "patch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

const fn right(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Right {
    Right {
        scope: Scope::Cluster,
        group,
        resource,
        names: &[],
        verbs,
    }
}

/// Everything that `tidegate run` needs. `--install` needs more: the rights of whoever may write definitions, configurations and namespaces.
pub const RIGHTS: &[Right] = &[
    // The user's Rollouts: finalizer, plan hash and status are ours. `finalizers` is asked for where owners must not be blocked by strangers.
    right(GROUP, "rollouts", &["get", "list", "watch", "patch"]),
    right(GROUP, "rollouts/status", &["patch"]),
    right(GROUP, "rollouts/finalizers", &["update"]),
    right(GROUP, "batchreleases", OWN),
    right(GROUP, "batchreleases/status", &["patch"]),
    right(GROUP, "batchreleases/finalizers", &["update"]),
    // A Rollout is judged with the templates that it names; runs are made from them, measured, and told to end.
    right(GROUP, "analysistemplates", &["get", "list", "watch"]),
    right(GROUP, "clusteranalysistemplates", &["get", "list", "watch"]),
    right(GROUP, "analysisruns", &["list", "watch", "create", "patch", "delete"]),
    right(GROUP, "analysisruns/status", &["patch"]),
    // What a metric names: a Secret is read when it is measured, never listed; a Job is made, read and deleted, and its pods say why it failed.
    right("", "secrets", &["get"]),
    right("batch", "jobs", &["get", "create", "delete"]),
    right("", "pods", &["list"]),
    // The user's workload is patched, its canary is made and deleted. The same for the stable Service and Ingress and their canaries.
    right("apps", "deployments", OWN),
    right("apps", "replicasets", READ),
    right("", "services", OWN),
    right("networking.k8s.io", "ingresses", OWN),
    // Routes are the user's: patched, never made or deleted. Which of these kinds are served is read from discovery, as every account may.
    right("gateway.networking.k8s.io", "httproutes", ROUTE),
    right("gateway.networking.k8s.io", "grpcroutes", ROUTE),
    right("networking.istio.io", "virtualservices", ROUTE),
    right("networking.istio.io", "destinationrules", ROUTE),
    right("discovery.k8s.io", "endpointslices", READ),
    right("", "events", &["create", "get", "update"]),
    // At its start the process looks whether the definitions keep its fields, and writes where its webhooks are and whom to trust.
    Right {
        names: &[
            "rollouts.rollouts.kruise.io",
            "batchreleases.rollouts.kruise.io",
            "analysistemplates.rollouts.kruise.io",
            "clusteranalysistemplates.rollouts.kruise.io",
            "analysisruns.rollouts.kruise.io",
        ],
        ..right("apiextensions.k8s.io", "customresourcedefinitions", &["get", "patch"])
    },
    Right {
        names: &[webhook::MUTATING_CONFIGURATION],
        ..right(
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            &["patch"],
        )
    },
    Right {
        names: &[webhook::VALIDATING_CONFIGURATION],
        ..right(
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            &["patch"],
        )
    },
    // What replicas share. A name cannot limit a create.
    Right {
        scope: Scope::Own,
        ..right("coordination.k8s.io", "leases", &["create"])
    },
    Right {
        scope: Scope::Own,
        names: &[LEADER_LEASE],
        ..right("coordination.k8s.io", "leases", &["get", "update"])
    },
    Right {
        scope: Scope::Own,
        ..right("", "secrets", &["create"])
    },
    Right {
        scope: Scope::Own,
        names: &[webhook::CERTS_SECRET],
        ..right("", "secrets", &["get", "update"])
    },
];

/// The rules of a role for everything in `scope`.
fn rules(scope: Scope) -> Vec<Value> {
    let of_scope = RIGHTS.iter().filter(|right| right.scope == scope);
    of_scope
        .map(|right| {
            let mut rule = json!({
                "apiGroups": [right.group],
                "resources": [right.resource],
                "verbs": right.verbs,
            });
            if !right.names.is_empty() {
                rule["resourceNames"] = json!(right.names);
            }
            rule
        })
        .collect()
}

/// The account `name` of `namespace`, and the roles that give it [`RIGHTS`].
pub(super) fn account(namespace: &str, name: &str) -> [Value; 5] {
    let subjects = json!([{ "kind": "ServiceAccount", "name": name, "namespace": namespace }]);
    let bound = |kind: &str| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name });
    [
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": name, "namespace": namespace },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": { "name": name },
            "rules": rules(Scope::Cluster),
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": name },
            "roleRef": bound("ClusterRole"),
            "subjects": subjects,
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": { "name": name, "namespace": namespace },
            "rules": rules(Scope::Own),
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": { "name": name, "namespace": namespace },
            "roleRef": bound("Role"),
            "subjects": subjects,
        }),
    ]
}

//! Definitions of the kinds that a cluster may do without, as small as they can be: what the API server serves matters, not what it checks.

use rollout::Kind;
use serde_json::{Value, json};

/// The definition of `kind`, served in `versions`; the first is stored.
pub(crate) fn definition(kind: Kind, versions: &[&str]) -> Value {
    let (group, plural) = (kind.group(), kind.plural());
    let version = |(index, name): (usize, &&str)| {
        json!({
            "name": name,
            "served": true,
            "storage": index == 0,
            "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            // One group is Kubernetes' own, whose definitions must say that they were looked at.
            "annotations": { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api" },
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": { "kind": kind.name(), "plural": plural, "singular": kind.name().to_lowercase() },
            "versions": versions.iter().enumerate().map(version).collect::<Vec<_>>(),
        },
    })
}

//! The table of built-in kinds that are not plain.

use std::collections::BTreeMap;

use super::{PLAIN, Strategy, definitions, pods, reviews, services, webhooks, workloads};
use crate::resource::StorageName;
use crate::server::names::NameRule;

const COUNTED: Strategy = Strategy {
    generation: true,
    ..PLAIN
};

pub(super) fn table() -> BTreeMap<StorageName, Strategy> {
    let mut table = BTreeMap::new();
    let mut add = |group: &str, plural: &str, strategy: Strategy| {
        let name = StorageName {
            group: group.to_owned(),
            plural: plural.to_owned(),
        };
        table.insert(name, strategy);
    };
    add("", "pods", pods::STRATEGY);
    add(
        "",
        "namespaces",
        Strategy {
            names: NameRule::Label,
            fields: &["status.phase"],
            kept: &["default", "kube-system", "kube-public"],
            spec_finalizers: true,
            prepare: &[namespace],
            ..PLAIN
        },
    );
    add("", "services", services::STRATEGY);
    add(
        "",
        "nodes",
        Strategy {
            fields: &["spec.unschedulable"],
            ..PLAIN
        },
    );
    add(
        "",
        "secrets",
        Strategy {
            fields: &["type"],
            prepare: &[secret],
            ..PLAIN
        },
    );
    add(
        "",
        "events",
        Strategy {
            create_on_update: true,
            fields: EVENT_FIELDS,
            ..PLAIN
        },
    );
    add(
        "events.k8s.io",
        "events",
        Strategy {
            create_on_update: true,
            fields: EVENT_FIELDS,
            ..PLAIN
        },
    );
    add(
        "apps",
        "replicasets",
        Strategy {
            fields: &["status.replicas"],
            ..workloads::STRATEGY
        },
    );
    for plural in ["deployments", "statefulsets", "daemonsets"] {
        add("apps", plural, workloads::STRATEGY);
    }
    add(
        "batch",
        "jobs",
        Strategy {
            fields: &["status.successful"],
            ..COUNTED
        },
    );
    add("batch", "cronjobs", COUNTED);
    add("networking.k8s.io", "ingresses", COUNTED);
    add("networking.k8s.io", "ingressclasses", COUNTED);
    add("networking.k8s.io", "networkpolicies", COUNTED);
    add("discovery.k8s.io", "endpointslices", COUNTED);
    add(
        "policy",
        "poddisruptionbudgets",
        Strategy {
            unconditional_update: false,
            ..COUNTED
        },
    );
    add(
        "coordination.k8s.io",
        "leases",
        Strategy {
            create_on_update: true,
            unconditional_update: false,
            ..PLAIN
        },
    );
    add(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        definitions::STRATEGY,
    );
    for plural in ["roles", "rolebindings", "clusterroles", "clusterrolebindings"] {
        add(
            "rbac.authorization.k8s.io",
            plural,
            Strategy {
                names: NameRule::PathSegment,
                ..PLAIN
            },
        );
    }
    for (group, plural, answering) in reviews::QUESTIONS {
        add(group, plural, reviews::strategy(*answering));
    }
    for plural in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        add("admissionregistration.k8s.io", plural, webhooks::STRATEGY);
    }
    table
}

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

/// A namespace is active, holds its own finalizer, and carries its name as a label.
fn namespace(preparing: &super::Preparing<'_>, new: &mut serde_json::Value) {
    use crate::object;
    let name = object::name(new).to_owned();
    if !name.is_empty() {
        object::entry(new, &["metadata", "labels"]).insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
    if preparing.old.is_none() {
        object::entry(new, &["spec"]).insert("finalizers".to_owned(), serde_json::json!(["kubernetes"]));
        *object::entry(new, &["status"]) = serde_json::Map::from_iter([("phase".to_owned(), "Active".into())]);
    }
}

/// `stringData` is written into `data`.
fn secret(_: &super::Preparing<'_>, new: &mut serde_json::Value) {
    use base64::Engine as _;
    let Some(plain) = new.as_object_mut().and_then(|secret| secret.remove("stringData")) else {
        return;
    };
    for (key, text) in plain.as_object().into_iter().flatten() {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
        crate::object::entry(new, &["data"]).insert(key.clone(), encoded.into());
    }
}

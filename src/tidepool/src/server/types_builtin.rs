//! A small table of built-in types.

use std::sync::Arc;

use super::types::{Scale, TypeInfo, Types};
use crate::resource::Resource;

/// Types known at compile time.
#[derive(Debug)]
pub struct Builtin(Vec<Arc<TypeInfo>>);

const KINDS: &[(&str, &str, &str, &str, &str, bool, bool)] = &[
    ("", "v1", "namespaces", "Namespace", "ns", false, true),
    ("", "v1", "nodes", "Node", "no", false, true),
    ("", "v1", "pods", "Pod", "po", true, true),
    ("", "v1", "services", "Service", "svc", true, true),
    ("", "v1", "events", "Event", "ev", true, false),
    ("", "v1", "configmaps", "ConfigMap", "cm", true, false),
    ("", "v1", "secrets", "Secret", "", true, false),
    ("", "v1", "serviceaccounts", "ServiceAccount", "sa", true, false),
    ("", "v1", "endpoints", "Endpoints", "ep", true, false),
    ("apps", "v1", "deployments", "Deployment", "deploy", true, true),
    ("apps", "v1", "replicasets", "ReplicaSet", "rs", true, true),
    ("apps", "v1", "statefulsets", "StatefulSet", "sts", true, true),
    ("apps", "v1", "daemonsets", "DaemonSet", "ds", true, true),
    (
        "apps",
        "v1",
        "controllerrevisions",
        "ControllerRevision",
        "",
        true,
        false,
    ),
    ("coordination.k8s.io", "v1", "leases", "Lease", "", true, false),
    (
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        "",
        true,
        false,
    ),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", true, true),
    (
        "networking.k8s.io",
        "v1",
        "ingressclasses",
        "IngressClass",
        "",
        false,
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        "",
        false,
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        "",
        false,
        false,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd",
        false,
        true,
    ),
];

impl Default for Builtin {
    fn default() -> Self {
        let types = KINDS
            .iter()
            .map(|&(group, version, plural, kind, short, namespaced, status)| {
                let scales = group == "apps" && ["deployments", "replicasets", "statefulsets"].contains(&plural);
                Arc::new(TypeInfo {
                    resource: Resource::of(group, version, plural, kind, namespaced),
                    singular: kind.to_lowercase(),
                    short_names: (!short.is_empty()).then(|| short.to_owned()).into_iter().collect(),
                    categories: Vec::new(),
                    storage_version: version.to_owned(),
                    status,
                    scale: scales.then(|| Scale {
                        spec: "spec.replicas".to_owned(),
                        status: "status.replicas".to_owned(),
                        selector: Some("spec.selector".to_owned()),
                    }),
                    custom: false,
                })
            });
        Self(types.collect())
    }
}

impl Types for Builtin {
    fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<TypeInfo>> {
        self.all().into_iter().find(|kind| {
            kind.resource.group == group && kind.resource.version == version && kind.resource.plural == plural
        })
    }

    fn all(&self) -> Vec<Arc<TypeInfo>> {
        self.0.clone()
    }
}

//! The Services of a release: the canary Service beside the stable one, and the stable Service's selector while the release lasts.

use std::collections::BTreeMap;

use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use crate::Op;
use crate::op::escape;

/// Fields of a Service's spec that belong to one Service alone: addresses and what the API server allots.
const NOT_COPIED: [&str; 8] = [
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "ipFamilyPolicy",
    "ipFamilies",
    "loadBalancerIP",
    "healthCheckNodePort",
    "loadBalancerClass",
];

/// What the canary Service is made from.
#[derive(Clone, Copy, Debug)]
pub struct CanaryService<'a> {
    /// The user's Service.
    pub stable: &'a DynamicObject,
    /// Its own name.
    pub name: &'a str,
    /// Owner reference to the Rollout.
    pub owner: &'a Value,
    /// Label key that tells revisions apart.
    pub revision_key: &'a str,
    /// The new revision's value of it.
    pub revision: &'a str,
    /// Labels that the canary's pods carry in place of the stable ones; only keys that the selector already has are taken.
    pub pod_labels: Option<&'a BTreeMap<String, String>>,
}

impl CanaryService<'_> {
    /// The whole object, to be created.
    pub fn object(&self) -> Value {
        let mut spec = self
            .stable
            .data
            .get("spec")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        for field in NOT_COPIED {
            spec.remove(field);
        }
        for port in spec
            .get_mut("ports")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(port) = port.as_object_mut() {
                port.remove("nodePort");
            }
        }
        spec.insert("selector".into(), Value::Object(self.selector()));
        let mut metadata = json!({
            "name": self.name,
            "namespace": self.stable.metadata.namespace,
            "ownerReferences": [self.owner],
        });
        if let Some(labels) = &self.stable.metadata.labels {
            metadata["labels"] = json!(labels);
        }
        if let Some(annotations) = &self.stable.metadata.annotations {
            metadata["annotations"] = json!(copied(annotations));
        }
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    }

    fn selector(&self) -> Map<String, Value> {
        let stable = self.stable.data.pointer("/spec/selector").and_then(Value::as_object);
        let mut selector = stable.cloned().unwrap_or_default();
        for (key, value) in self.pod_labels.into_iter().flatten() {
            if let Some(present) = selector.get_mut(key) {
                *present = json!(value);
            }
        }
        selector.insert(self.revision_key.into(), json!(self.revision));
        selector
    }

    /// The patch that makes an existing canary Service select the right pods; empty when it does.
    pub fn drift(&self, existing: &DynamicObject) -> Vec<Op> {
        let wanted = Value::Object(self.selector());
        match existing.data.pointer("/spec/selector") == Some(&wanted) {
            true => Vec::new(),
            false => vec![Op::set("/spec/selector", wanted)],
        }
    }
}

/// Annotations as a copy carries them: not the record of what somebody applied to the original.
pub(crate) fn copied(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut copied = annotations.clone();
    copied.remove("kubectl.kubernetes.io/last-applied-configuration");
    copied
}

/// Why the stable Service cannot be split, if it cannot.
pub fn unusable(stable: &DynamicObject) -> Option<&'static str> {
    let selector = stable.data.pointer("/spec/selector").and_then(Value::as_object);
    match stable.data.pointer("/spec/type").and_then(Value::as_str) {
        Some("ExternalName") => Some("it is an ExternalName and selects no pods"),
        _ if selector.is_none_or(Map::is_empty) => Some("it has no selector"),
        _ => None,
    }
}

/// The patch that narrows the stable Service to one revision; empty when it is.
pub fn narrow(stable: &DynamicObject, revision_key: &str, revision: &str) -> Vec<Op> {
    let pointer = selector_pointer(revision_key);
    match stable.data.pointer(&pointer).and_then(Value::as_str) == Some(revision) {
        true => Vec::new(),
        false => vec![Op::set(pointer, revision)],
    }
}

/// The patch that lets the stable Service select all revisions again; empty when it does.
pub fn widen(stable: &DynamicObject, revision_key: &str) -> Vec<Op> {
    let pointer = selector_pointer(revision_key);
    match stable.data.pointer(&pointer).is_some() {
        true => vec![Op::remove(pointer)],
        false => Vec::new(),
    }
}

fn selector_pointer(revision_key: &str) -> String {
    format!("/spec/selector/{}", escape(revision_key))
}

//! What the backends of a route weighed before a release, kept in one annotation of the route object, so that it can be put back exactly.
//!
//! Kept for each stable Service, so that two rollouts on one route do not disturb each other, and for each rule, known by a fingerprint of all of it
//! but its backends, so that rules may be moved, added and removed meanwhile. Used by the routers that edit routes in place.

use std::collections::BTreeMap;

use api::names::annotation::ORIGINAL_WEIGHTS;
use kube::core::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Op;

/// The weights of one rule's stable backends, in order; nothing where none was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Original {
    /// Fingerprint of the rule.
    pub(crate) rule: String,
    /// One entry for each stable backend.
    pub(crate) weights: Vec<Option<i64>>,
}

/// The record of one route object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Originals(BTreeMap<String, Vec<Original>>);

impl Originals {
    /// Reads the record; one that cannot be read counts as none.
    pub(crate) fn of(object: &DynamicObject) -> Self {
        let text = object
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(ORIGINAL_WEIGHTS));
        Self(
            text.and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default(),
        )
    }

    /// What is recorded for a Service, in order.
    pub(crate) fn of_service(&self, service: &str) -> Vec<Original> {
        self.0.get(service).cloned().unwrap_or_default()
    }

    /// The operations that record `wanted` for a Service on the object, and leave the records of others alone; none when it is so.
    pub(crate) fn record(object: &DynamicObject, service: &str, wanted: Vec<Original>) -> Vec<Op> {
        let present = object.metadata.annotations.as_ref();
        let before = Self::of(object);
        let mut after = before.clone();
        match wanted.is_empty() {
            true => after.0.remove(service),
            false => after.0.insert(service.to_owned(), wanted),
        };
        // One that cannot be read is not worth keeping.
        let is_written = present.is_some_and(|present| present.contains_key(ORIGINAL_WEIGHTS));
        if after == before && is_written != after.0.is_empty() {
            return Vec::new();
        }
        if after.0.is_empty() && present.is_some_and(|present| present.len() == 1) {
            return vec![Op::remove("/metadata/annotations")];
        }
        let mut annotations = BTreeMap::new();
        if !after.0.is_empty() {
            annotations.insert(ORIGINAL_WEIGHTS.to_owned(), serde_json::json!(after.0).to_string());
        }
        Op::map("/metadata/annotations", present, &annotations, |key| {
            key == ORIGINAL_WEIGHTS
        })
    }
}

/// The fingerprint of a rule: all of it but `backends`, the field that lists where it leads.
pub(crate) fn fingerprint(rule: &Value, backends: &str) -> String {
    let mut rest = rule.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.remove(backends);
    }
    api::hash::template_revision(&rest)
}

/// The two parts of a weight of which `percents` are the canary's: stable and canary; nothing when they are not whole.
pub(crate) fn divided(weight: i64, percents: i32) -> Option<(i64, i64)> {
    let hundredfold = weight.checked_mul(percents.into())?;
    (hundredfold % 100 == 0).then(|| (weight - hundredfold / 100, hundredfold / 100))
}

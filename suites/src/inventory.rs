//! The inventory: every object of every kind, before and after.
//!
//! Taken by discovery, cluster-scoped kinds too. What a person did in between is applied to the expected inventory, so that "clean" means equal
//! and not merely similar. The workload's spec is compared here as well, field by field, under a check of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::{controller_of, differences};
use crate::{ApiError, Check, Failure, Kubernetes, ObjectRef};

/// Kinds that change by themselves, or mirror others: not part of an inventory.
const PASSING_KINDS: [&str; 6] = [
    "Event",
    "Lease",
    "Endpoints",
    "EndpointSlice",
    "ComponentStatus",
    "ControllerRevision",
];

/// Kinds whose objects are run by a controller of the cluster, or kept as a history; they are left out when something owns them.
const RUN_KINDS: [&str; 3] = ["Pod", "ReplicaSet", "AnalysisRun"];

/// Metadata that the API server keeps for itself.
const VOLATILE: [&str; 3] = ["resourceVersion", "managedFields", "generation"];

/// Annotations and labels that may stay or change, and whose they are.
const RESIDUE: [&str; 3] = [
    // The Deployment controller counts its revisions there.
    "deployment.kubernetes.io/revision",
    // OpenKruise leaves it on the Deployment after a canary-style release (contract B.5).
    "rollouts.kruise.io/stable-revision",
    // The fingerprint of the plan, which a person may have edited.
    "rollouts.kruise.io/hash",
];

/// Objects by name, without what changes by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory(BTreeMap<ObjectRef, Value>);

impl Inventory {
    /// Reads all of the cluster, or one namespace of it.
    ///
    /// # Errors
    /// When discovery or a list fails.
    pub async fn take(kubernetes: &Kubernetes, namespace: Option<&str>) -> Result<Self, ApiError> {
        let mut objects = BTreeMap::new();
        for resource in kubernetes.all_resources().await? {
            let kind = resource.kind.as_str();
            if PASSING_KINDS.contains(&kind) || (namespace.is_some() && !resource.namespaced) {
                continue;
            }
            for object in kubernetes.list(&resource, namespace).await? {
                if RUN_KINDS.contains(&kind) && controller_of(&object).is_some() {
                    continue;
                }
                objects.insert(ObjectRef::of(&object), lasting(object));
            }
        }
        Ok(Self(objects))
    }

    /// An inventory of the given objects.
    pub fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        Self(
            objects
                .into_iter()
                .map(|object| (ObjectRef::of(&object), lasting(object)))
                .collect(),
        )
    }

    /// How many objects there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Changes what is expected of an object's field; a pointer to nothing changes nothing.
    pub fn set(&mut self, object: &ObjectRef, pointer: &str, value: Value) {
        if let Some(field) = self.0.get_mut(object).and_then(|object| object.pointer_mut(pointer)) {
            *field = value;
        }
    }

    /// Expects an object to be there as it is now.
    pub fn add(&mut self, object: Value) {
        self.0.insert(ObjectRef::of(&object), lasting(object));
    }

    /// Expects the object of a kind and name to be as it is in `found`, in whatever version it is there.
    pub fn take_over(&mut self, found: &Self, kind: &str, name: &str) {
        let is = |object: &ObjectRef| object.kind == kind && object.name == name;
        self.0.retain(|object, _| !is(object));
        let taken = found.0.iter().filter(|(object, _)| is(object));
        self.0
            .extend(taken.map(|(object, value)| (object.clone(), value.clone())));
    }

    /// Expects an object to be gone.
    pub fn remove(&mut self, object: &ObjectRef) {
        self.0.remove(object);
    }

    /// What `found` lacks, has too much of, or has changed. The spec of `workload` is its own check.
    pub fn compare(&self, found: &Self, workload: &ObjectRef) -> Vec<Failure> {
        let mut failures = Vec::new();
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(found.0.keys()).collect();
        for name in names {
            match (self.0.get(name), found.0.get(name)) {
                (Some(_), None) => failures.push(Failure::new(Check::Inventory, format!("{name} is gone"))),
                (None, Some(_)) => {
                    failures.push(Failure::new(Check::Inventory, format!("{name} was left behind")));
                }
                (Some(expected), Some(found)) => {
                    for line in differences(expected, found) {
                        let check = if name == workload && line.starts_with("/spec") {
                            Check::WorkloadSpec
                        } else {
                            Check::Inventory
                        };
                        failures.push(Failure::new(check, format!("{name}{line}")));
                    }
                }
                (None, None) => {}
            }
        }
        failures
    }
}

fn lasting(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return object;
    };
    for field in VOLATILE {
        metadata.remove(field);
    }
    for map in ["annotations", "labels"] {
        let is_empty = metadata.get_mut(map).and_then(Value::as_object_mut).is_some_and(|map| {
            for key in RESIDUE {
                map.remove(key);
            }
            map.is_empty()
        });
        if is_empty {
            metadata.remove(map);
        }
    }
    object
}

#[cfg(test)]
mod tests;

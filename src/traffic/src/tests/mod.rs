//! What a router is told, and that it is told the truth: tables of annotations and selectors, and the way there and back.

mod gateway_api;
mod ingress;
mod istio;
mod select;
mod service;

use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::Op;

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn owner() -> Value {
    json!({"apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "name": "demo", "uid": "u1", "controller": true})
}

/// Applies operations as the API server would.
fn patched(object: &DynamicObject, ops: &[Op]) -> DynamicObject {
    let ops: Vec<Value> = ops
        .iter()
        .map(|op| match op {
            Op::Add { path, value } => json!({"op": "add", "path": path, "value": value}),
            Op::Replace { path, value } => json!({"op": "replace", "path": path, "value": value}),
            Op::Remove { path } => json!({"op": "remove", "path": path}),
        })
        .collect();
    let ops: json_patch::Patch = serde_json::from_value(json!(ops)).unwrap();
    let mut value = json!(object);
    json_patch::patch(&mut value, &ops).unwrap();
    serde_json::from_value(value).unwrap()
}

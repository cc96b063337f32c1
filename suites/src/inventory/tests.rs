//! What is left behind, gone or changed is found; what changes by itself is not.

use serde_json::{Value, json};

use super::Inventory;
use crate::{Check, ObjectRef};

fn deployment(spec: &Value, metadata: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "resourceVersion": "7"},
        "spec": spec, "status": {"replicas": 5},
    });
    for (key, value) in metadata.as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    object
}

fn web() -> ObjectRef {
    ObjectRef::namespaced("apps/v1", "Deployment", "default", "web")
}

#[test]
fn what_changes_by_itself_is_no_difference() {
    let before = Inventory::of([deployment(&json!({"replicas": 5}), &json!({}))]);
    let after = Inventory::of([deployment(
        &json!({"replicas": 5}),
        &json!({"resourceVersion": "9", "annotations": {"deployment.kubernetes.io/revision": "2"}}),
    )]);
    assert_eq!(before.compare(&after, &web()), []);
}

#[test]
fn the_workload_spec_and_the_rest_are_different_checks() {
    let before = Inventory::of([deployment(&json!({"replicas": 5}), &json!({}))]);
    let canary =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-canary", "namespace": "default"}});
    let after = Inventory::of([
        deployment(
            &json!({"replicas": 5, "paused": true}),
            &json!({"annotations": {"left": "here"}}),
        ),
        canary,
    ]);
    let found: Vec<_> = before
        .compare(&after, &web())
        .into_iter()
        .map(|failure| (failure.check, failure.message))
        .collect();
    assert_eq!(
        found,
        [
            (
                Check::Inventory,
                r#"Deployment default/web/metadata/annotations: expected nothing, is {"left":"here"}"#.to_owned()
            ),
            (
                Check::WorkloadSpec,
                "Deployment default/web/spec/paused: expected nothing, is true".to_owned()
            ),
            (
                Check::Inventory,
                "Service default/web-canary was left behind".to_owned()
            ),
        ]
    );
}

#[test]
fn what_a_person_did_is_expected() {
    let mut before = Inventory::of([deployment(&json!({"replicas": 5}), &json!({}))]);
    before.set(&web(), "/spec/replicas", json!(8));
    let after = Inventory::of([deployment(&json!({"replicas": 8}), &json!({}))]);
    assert_eq!(before.compare(&after, &web()), []);
    before.remove(&web());
    assert_eq!(before.compare(&after, &web()).len(), 1);
}

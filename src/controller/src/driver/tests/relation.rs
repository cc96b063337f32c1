//! Which workloads a changed object concerns, and what their worlds hold.

use kube::core::DynamicObject;
use rollout::{Key, Kind};
use rstest::rstest;
use serde_json::{Value, json};

use super::object;
use crate::driver::cache::{Caches, Change, Delivery};
use crate::driver::{observe, relation};

fn metadata(name: &str) -> Value {
    json!({ "namespace": "ns", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1" })
}

fn rollout(name: &str, workload: &str) -> DynamicObject {
    object(json!({
        "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": metadata(name),
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": workload },
            "strategy": { "canary": { "trafficRoutings": [{ "service": "web", "ingress": { "name": "door" } }] } },
        },
    }))
}

fn deployment(name: &str, canary_of: Option<&str>) -> DynamicObject {
    let mut metadata = metadata(name);
    if let Some(stable) = canary_of {
        metadata["labels"] = json!({ "rollouts.kruise.io/canary-deployment": stable });
    }
    object(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata }))
}

fn replica_set(name: &str, owner: &str) -> DynamicObject {
    let mut metadata = metadata(name);
    metadata["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "Deployment", "name": owner, "uid": format!("uid-{owner}"), "controller": true,
    }]);
    object(json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata }))
}

fn plain(name: &str) -> DynamicObject {
    object(json!({ "metadata": metadata(name) }))
}

fn slice(name: &str, service: &str) -> DynamicObject {
    let mut metadata = metadata(name);
    metadata["labels"] = json!({ "kubernetes.io/service-name": service });
    object(json!({ "metadata": metadata }))
}

fn caches() -> Caches {
    let mut caches = Caches::new();
    for (kind, object) in [
        (Kind::Rollout, rollout("demo", "echo")),
        (Kind::Deployment, deployment("echo", None)),
        (Kind::Deployment, deployment("echo-abc", Some("echo"))),
        (Kind::ReplicaSet, replica_set("echo-1", "echo")),
        (Kind::ReplicaSet, replica_set("echo-abc-1", "echo-abc")),
        (Kind::Service, plain("web")),
        (Kind::Service, plain("web-canary")),
        (Kind::EndpointSlice, slice("web-x", "web")),
        (Kind::EndpointSlice, slice("web-canary-x", "web-canary")),
        (Kind::Ingress, plain("door")),
        (Kind::Ingress, plain("door-canary")),
        // Of somebody else.
        (Kind::Deployment, deployment("other", None)),
        (Kind::Service, plain("other")),
        (Kind::EndpointSlice, slice("other-x", "other")),
    ] {
        caches.take(kind, Delivery::Applied(object));
    }
    caches
}

#[rstest]
#[case::rollout(Kind::Rollout, rollout("demo", "echo"))]
#[case::workload(Kind::Deployment, deployment("echo", None))]
#[case::canary(Kind::Deployment, deployment("echo-abc", Some("echo")))]
#[case::revision(Kind::ReplicaSet, replica_set("echo-1", "echo"))]
#[case::canary_revision(Kind::ReplicaSet, replica_set("echo-abc-1", "echo-abc"))]
#[case::service(Kind::Service, plain("web"))]
#[case::canary_service(Kind::Service, plain("web-canary"))]
#[case::endpoints(Kind::EndpointSlice, slice("new", "web-canary"))]
#[case::ingress(Kind::Ingress, plain("door"))]
#[case::canary_ingress(Kind::Ingress, plain("door-canary"))]
fn everything_that_touches_a_release_ends_at_its_workload(#[case] kind: Kind, #[case] object: DynamicObject) {
    let change = Change {
        kind,
        before: None,
        after: Some(object.into()),
    };
    let keys: Vec<Key> = relation::keys(&change, &caches()).into_iter().collect();
    assert_eq!(keys, [Key::deployment("ns", "echo")]);
}

#[test]
fn a_rollout_that_turns_to_another_workload_concerns_both() {
    let change = Change {
        kind: Kind::Rollout,
        before: Some(rollout("demo", "echo").into()),
        after: Some(rollout("demo", "other").into()),
    };
    let keys: Vec<Key> = relation::keys(&change, &caches()).into_iter().collect();
    assert_eq!(keys, [Key::deployment("ns", "echo"), Key::deployment("ns", "other")]);
}

#[test]
fn a_service_that_no_rollout_names_concerns_nobody() {
    let change = Change {
        kind: Kind::Service,
        before: None,
        after: Some(plain("other").into()),
    };
    assert!(relation::keys(&change, &caches()).is_empty());
}

#[test]
fn a_world_holds_what_concerns_its_key_and_nothing_else() {
    let world = observe::observe(&caches(), &Key::deployment("ns", "echo"), env::sim::EPOCH);
    let held: Vec<String> = world
        .versions()
        .into_iter()
        .map(|(kind, name, _)| format!("{kind} {name}"))
        .collect();
    insta::assert_snapshot!(held.join("\n"), @r"
    Rollout demo
    Deployment echo
    Deployment echo-abc
    ReplicaSet echo-1
    ReplicaSet echo-abc-1
    Service web
    Service web-canary
    EndpointSlice web-canary-x
    EndpointSlice web-x
    Ingress door
    Ingress door-canary
    ");
}

#[test]
fn what_is_gone_is_no_longer_found() {
    let mut caches = caches();
    caches.take(
        Kind::Deployment,
        Delivery::Deleted(deployment("echo-abc", Some("echo"))),
    );
    caches.take(
        Kind::EndpointSlice,
        Delivery::Replaced {
            objects: vec![slice("web-x", "web")],
            began: env::Moment::default(),
            version: "v1",
        },
    );
    let world = observe::observe(&caches, &Key::deployment("ns", "echo"), env::sim::EPOCH);
    assert_eq!(world.of_kind(Kind::Deployment).len(), 1);
    assert_eq!(world.of_kind(Kind::ReplicaSet).len(), 1);
    assert_eq!(world.of_kind(Kind::EndpointSlice).len(), 1);
}

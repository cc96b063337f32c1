//! The two Services of a release.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{object, owner, patched};
use crate::service::{CanaryService, narrow, unusable, widen};

fn stable() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "shop", "labels": {"app": "web"},
            "annotations": {"example.com/note": "mine", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "externalIPs": ["192.0.2.1"],
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "loadBalancerIP": "192.0.2.2", "healthCheckNodePort": 31000,
            "selector": {"app": "web", "tier": "front"}, "sessionAffinity": "None",
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}, {"name": "metrics", "port": 9090}],
        },
    })
}

fn canary(stable: &kube::core::DynamicObject, labels: Option<&BTreeMap<String, String>>) -> Value {
    let owner = owner();
    let wish = CanaryService {
        stable,
        name: "web-canary",
        owner: &owner,
        revision_key: "pod-template-hash",
        revision: "new",
        pod_labels: labels,
    };
    wish.object()
}

#[test]
fn the_copy_has_no_address_of_the_original() {
    let made = canary(&object(stable()), None);
    insta::assert_snapshot!(format!("{}\n{}", made["metadata"], made["spec"]), @r#"
    {"annotations":{"example.com/note":"mine"},"labels":{"app":"web"},"name":"web-canary","namespace":"shop","ownerReferences":[{"apiVersion":"rollouts.kruise.io/v1beta1","controller":true,"kind":"Rollout","name":"demo","uid":"u1"}]}
    {"ports":[{"name":"http","port":80,"targetPort":8080},{"name":"metrics","port":9090}],"selector":{"app":"web","pod-template-hash":"new","tier":"front"},"sessionAffinity":"None","type":"LoadBalancer"}
    "#);
}

#[test]
fn labels_of_the_canary_pods_replace_those_that_the_selector_has() {
    let labels = [
        ("tier".to_owned(), "back".to_owned()),
        ("extra".to_owned(), "x".to_owned()),
    ]
    .into();
    let made = canary(&object(stable()), Some(&labels));
    assert_eq!(
        made["spec"]["selector"],
        json!({"app": "web", "tier": "back", "pod-template-hash": "new"})
    );
}

#[rstest]
#[case::plain(json!({"spec": {"selector": {"app": "web"}}}), None)]
#[case::external(json!({"spec": {"type": "ExternalName", "externalName": "x", "selector": {"app": "web"}}}), Some("it is an ExternalName and selects no pods"))]
#[case::no_selector(json!({"spec": {}}), Some("it has no selector"))]
#[case::empty_selector(json!({"spec": {"selector": {}}}), Some("it has no selector"))]
fn a_service_that_cannot_be_split_says_why(#[case] service: Value, #[case] why: Option<&str>) {
    assert_eq!(unusable(&object(service)), why);
}

#[test]
fn a_canary_service_that_somebody_edited_is_put_right_once() {
    let owner = owner();
    let stable = object(stable());
    let wish = CanaryService {
        stable: &stable,
        name: "web-canary",
        owner: &owner,
        revision_key: "pod-template-hash",
        revision: "newer",
        pod_labels: None,
    };
    let existing = object(canary(&stable, None));
    let led = patched(&existing, &wish.drift(&existing));
    assert_eq!(led.data["spec"]["selector"]["pod-template-hash"], "newer");
    assert_eq!(wish.drift(&led), []);
}

proptest! {
    /// However often the selector is narrowed, widening gives the Service back as it was, bit for bit.
    #[test]
    fn narrow_then_widen_is_nothing(revisions in proptest::collection::vec("[a-z0-9]{1,10}", 1..4), key in "[a-z./~-]{1,12}") {
        let before = object(stable());
        let mut service = before.clone();
        for revision in &revisions {
            service = patched(&service, &narrow(&service, &key, revision));
            prop_assert_eq!(&service.data["spec"]["selector"][&key], &json!(revision));
            prop_assert_eq!(narrow(&service, &key, revision), vec![]);
        }
        let after = patched(&service, &widen(&service, &key));
        prop_assert_eq!(json!(after), json!(before));
        prop_assert_eq!(widen(&before, &key), vec![]);
    }
}

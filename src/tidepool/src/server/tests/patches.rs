//! Patches through the server: what each kind makes of an object, and what is refused.

use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};
use crate::Embedded;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

async fn with_web(cluster: &Embedded) {
    let web = json!({
        "metadata": { "name": "web", "finalizers": ["example.com/a", "example.com/b"] },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "a", "image": "a:1" }, { "name": "b", "image": "b:1" }] },
            },
        },
    });
    let (code, made) = raw(&cluster.api(), "POST", DEPLOYMENTS, "application/json", web.to_string()).await;
    assert_eq!(code, 201, "{made}");
}

fn names_and_images(web: &Value) -> Value {
    let containers = web["spec"]["template"]["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten();
    containers
        .map(|container| json!([container["name"], container["image"]]))
        .collect()
}

#[rstest]
#[case::image(json!([{ "name": "b", "image": "b:2" }]), json!([["a", "a:1"], ["b", "b:2"]]))]
#[case::delete(json!([{ "name": "a", "$patch": "delete" }]), json!([["b", "b:1"]]))]
#[case::replace(json!([{ "$patch": "replace" }, { "name": "c", "image": "c:1" }]), json!([["c", "c:1"]]))]
#[case::add(json!([{ "name": "c", "image": "c:1" }]), json!([["c", "c:1"], ["a", "a:1"], ["b", "b:1"]]))]
fn a_strategic_patch_merges_lists_by_key(#[case] containers: Value, #[case] expected: Value) {
    with_cluster(move |cluster| async move {
        with_web(&cluster).await;
        let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        let (code, web) = raw(&cluster.api(), "PATCH", WEB, STRATEGIC, patch.to_string()).await;
        assert_eq!(code, 200, "{web}");
        assert_eq!(names_and_images(&web), expected);
    });
}

#[test]
fn a_strategic_patch_obeys_its_directives() {
    with_cluster(|cluster| async move {
        with_web(&cluster).await;
        let patch = json!({
            "metadata": { "$deleteFromPrimitiveList/finalizers": ["example.com/a"] },
            "spec": {
                "strategy": { "$retainKeys": ["type"], "type": "Recreate" },
                "template": { "spec": {
                    "$setElementOrder/containers": [{ "name": "b" }, { "name": "a" }],
                    "containers": [{ "name": "a", "image": "a:2" }],
                } },
            },
        });
        let (code, web) = raw(&cluster.api(), "PATCH", WEB, STRATEGIC, patch.to_string()).await;
        assert_eq!(code, 200, "{web}");
        assert_eq!(web["metadata"]["finalizers"], json!(["example.com/b"]));
        assert_eq!(web["spec"]["strategy"], json!({ "type": "Recreate" }));
        assert_eq!(names_and_images(&web), json!([["b", "b:1"], ["a", "a:2"]]));
    });
}

#[rstest]
#[case::no_merge_key(
    "",
    r#"{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}"#,
    500,
    "map: map[image:x] does not contain declared merge key: name"
)]
#[case::directive("", r#"{"spec":{"$patch":"x"}}"#, 500, "unknown patch type: x in map: map[$patch:x]")]
#[case::retain(
    "",
    r#"{"spec":{"strategy":{"$retainKeys":"type"}}}"#,
    400,
    "invalid patch format of retainKeys"
)]
#[case::text_for_number(
    "",
    r#"{"spec":{"replicas":"x"}}"#,
    422,
    r#" "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32"#
)]
#[case::strict(
    "?fieldValidation=Strict",
    r#"{"spec":{"foo":1}}"#,
    422,
    r#" "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo""#
)]
fn a_patch_that_does_not_fit_is_refused(
    #[case] query: &'static str,
    #[case] patch: &'static str,
    #[case] code: u16,
    #[case] message: &'static str,
) {
    with_cluster(move |cluster| async move {
        with_web(&cluster).await;
        let (status, value) = raw(&cluster.api(), "PATCH", &format!("{WEB}{query}"), STRATEGIC, patch).await;
        assert_eq!((status, value["message"].as_str()), (code, Some(message)), "{value}");
    });
}

#[test]
fn a_custom_resource_takes_no_strategic_patch() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let definition = json!({
            "metadata": { "name": "things.example.com" },
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object" } } }],
            },
        });
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        raw(&api, "POST", definitions, "application/json", definition.to_string()).await;
        let things = "/apis/example.com/v1/namespaces/default/things";
        raw(&api, "POST", things, "application/json", r#"{"metadata":{"name":"a"}}"#).await;
        let (code, refused) = raw(&api, "PATCH", &format!("{things}/a"), STRATEGIC, "{}").await;
        assert_eq!((code, refused["reason"].as_str()), (415, Some("UnsupportedMediaType")));
        assert_eq!(
            refused["message"],
            "the body of the request was in an unknown format - accepted media types include: \
             application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        );
    });
}

//! Strategic patches as kubectl sends them.

use rstest::rstest;
use serde_json::{Value, json};

use crate::schema::Catalog;

#[rstest]
#[case::image(json!({ "containers": [{ "name": "b", "image": "b:2" }] }),
    json!({ "containers": [{ "name": "a", "image": "a:1" }, { "name": "b", "image": "b:2" }] }))]
#[case::delete(json!({ "containers": [{ "name": "a", "$patch": "delete" }] }),
    json!({ "containers": [{ "name": "b", "image": "b:1" }] }))]
#[case::replace(json!({ "containers": [{ "$patch": "replace" }, { "name": "c" }] }),
    json!({ "containers": [{ "name": "c" }] }))]
#[case::order(json!({ "$setElementOrder/containers": [{ "name": "c" }, { "name": "b" }, { "name": "a" }], "containers": [{ "name": "c" }] }),
    json!({ "containers": [{ "name": "c" }, { "name": "b", "image": "b:1" }, { "name": "a", "image": "a:1" }] }))]
fn containers_merge_by_name(#[case] patch: Value, #[case] expected: Value) {
    let mut pod =
        json!({ "spec": { "containers": [{ "name": "a", "image": "a:1" }, { "name": "b", "image": "b:1" }] } });
    let pods = Catalog::builtin().find("", "v1", "pods").unwrap().schema.clone();
    pods.strategic_merge(&mut pod, &json!({ "spec": patch })).unwrap();
    assert_eq!(pod["spec"], expected);
}

#[test]
fn finalizers_leave_and_keys_are_retained() {
    let mut value = json!({
        "metadata": { "finalizers": ["a", "b"] },
        "spec": { "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } } },
    });
    let patch = json!({
        "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"] },
        "spec": { "strategy": { "$retainKeys": ["type"], "type": "Recreate" } },
    });
    let schema = Catalog::builtin()
        .find("apps", "v1", "deployments")
        .unwrap()
        .schema
        .clone();
    schema.strategic_merge(&mut value, &patch).unwrap();
    assert_eq!(
        value,
        json!({ "metadata": { "finalizers": ["c", "b"] }, "spec": { "strategy": { "type": "Recreate" } } })
    );
}

#[test]
fn what_cannot_be_applied_is_said() {
    let schema = Catalog::builtin().find("", "v1", "pods").unwrap().schema.clone();
    let mut pod = json!({ "spec": { "containers": [] } });
    let told = |pod: &mut Value, patch: Value| schema.strategic_merge(pod, &patch).unwrap_err().to_string();
    assert_eq!(
        told(&mut pod, json!({ "spec": { "containers": [{ "image": "x" }] } })),
        "map: map[image:x] does not contain declared merge key: name"
    );
    assert_eq!(
        told(&mut pod, json!({ "spec": { "$patch": "x" } })),
        "unknown patch type: x in map: map[$patch:x]"
    );
    assert_eq!(
        told(&mut pod, json!({ "spec": { "$retainKeys": ["a"], "hostname": "b" } })),
        "invalid patch format of retainKeys"
    );
    assert_eq!(
        told(
            &mut pod,
            json!({ "spec": { "containers": [{ "name": "a", "$patch": "merge" }] } })
        ),
        "merging lists cannot yet be specified in the patch"
    );
}

#[rstest]
#[case::named_first(&["c", "a"], &["a", "b"], &["c", "a", "b"])]
#[case::other_keeps_its_place_before(&["c", "a"], &["b", "a"], &["c", "b", "a"])]
#[case::new_one_last(&["a", "c"], &["b", "a"], &["b", "a", "c"])]
fn what_the_patch_does_not_name_keeps_its_place(
    #[case] order: &[&str],
    #[case] before: &[&str],
    #[case] expected: &[&str],
) {
    let items = |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!({ "name": name })).collect() };
    let mut pod = json!({ "spec": { "containers": items(before) } });
    let patch = json!({ "spec": { "$setElementOrder/containers": items(order), "containers": [{ "name": "c" }] } });
    let pods = Catalog::builtin().find("", "v1", "pods").unwrap().schema.clone();
    pods.strategic_merge(&mut pod, &patch).unwrap();
    assert_eq!(pod["spec"]["containers"], json!(items(expected)));
}

//! Ownership on values: merging, removal, conflicts, the record.

mod laws;

use rstest::rstest;
use serde_json::{Value, json};

use super::{ApplyError, Writer, apply, record, update};
use crate::schema::{Catalog, Schema};

pub(super) fn deployments() -> Schema {
    let catalog = Catalog::builtin();
    catalog
        .find("apps", "v1", "deployments")
        .expect("deployments")
        .schema
        .clone()
}

pub(super) const fn writer(name: &str) -> Writer<'_> {
    Writer {
        name,
        api_version: "apps/v1",
        subresource: "",
        now: "2026-01-01T00:00:00Z",
        beyond: &[&["status"]],
    }
}

fn config(spec: impl Into<Value>) -> Value {
    let spec: Value = spec.into();
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "n" }, "spec": spec })
}

/// A pod template with these containers.
fn containers(containers: impl Into<Value>) -> Value {
    let containers: Value = containers.into();
    json!({ "template": { "spec": { "containers": containers } } })
}

fn owners(value: &Value) -> Vec<(String, Value)> {
    let list = record::list(record::of(value));
    let entries = list.as_array().into_iter().flatten();
    entries
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            (text("manager"), entry["fieldsV1"].clone())
        })
        .collect()
}

fn names(value: &Value) -> Vec<String> {
    owners(value).into_iter().map(|owner| owner.0).collect()
}

/// What a and b apply one after the other, and then a again, leaves of the spec.
fn applied(first: Value, other: Value, second: Value) -> Result<Value, ApplyError> {
    let schema = deployments();
    let live = apply(&schema, &writer("a"), None, &config(first), false)?;
    let live = apply(&schema, &writer("b"), Some(&live), &config(other), false)?;
    let live = apply(&schema, &writer("a"), Some(&live), &config(second), false)?;
    Ok(live["spec"].clone())
}

#[rstest]
#[case::a_field_goes(json!({ "replicas": 1, "paused": true }), json!({}), json!({ "replicas": 2 }), json!({ "replicas": 2 }))]
#[case::a_shared_field_stays(json!({ "replicas": 1, "paused": true }), json!({ "paused": true }), json!({ "replicas": 1 }),
    json!({ "replicas": 1, "paused": true }))]
#[case::an_item_goes(containers(json!([{ "name": "x", "image": "x:1" }, { "name": "y", "image": "y:1" }])), json!({}),
    containers(json!([{ "name": "y", "image": "y:1" }])), containers(json!([{ "name": "y", "image": "y:1" }])))]
#[case::an_item_that_another_writes_into_stays(
    containers(json!([{ "name": "x", "image": "x:1" }])), containers(json!([{ "name": "x", "tty": true }])),
    json!({}), containers(json!([{ "name": "x", "tty": true }])))]
#[case::items_keep_the_applied_order(
    containers(json!([{ "name": "x", "image": "x:1" }])), containers(json!([{ "name": "y", "image": "y:1" }])),
    containers(json!([{ "name": "z", "image": "z:1" }, { "name": "x", "image": "x:1" }])),
    containers(json!([{ "name": "z", "image": "z:1" }, { "name": "x", "image": "x:1" }, { "name": "y", "image": "y:1" }])))]
#[case::a_label_goes_and_the_others_stay(
    json!({ "template": { "metadata": { "labels": { "a": "1", "b": "1" } } } }),
    json!({ "template": { "metadata": { "labels": { "c": "1" } } } }),
    json!({ "template": { "metadata": { "labels": { "a": "1" } } } }),
    json!({ "template": { "metadata": { "labels": { "a": "1", "c": "1" } } } }))]
#[case::an_atomic_map_is_replaced(
    json!({ "template": { "spec": { "nodeSelector": { "a": "1", "b": "1" } } } }), json!({}),
    json!({ "template": { "spec": { "nodeSelector": { "b": "1" } } } }),
    json!({ "template": { "spec": { "nodeSelector": { "b": "1" } } } }))]
fn what_is_no_more_applied_goes_unless_somebody_else_has_it(
    #[case] first: Value,
    #[case] other: Value,
    #[case] second: Value,
    #[case] expected: Value,
) {
    let found = applied(first, other, second).expect("no conflict");
    // What Go always writes out is there without anybody applying it.
    assert_eq!(without_empty(&found), without_empty(&expected));
}

pub(super) fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_empty(value)))
            .filter(|(_, value)| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()))
            .collect(),
        Value::Array(items) => items.iter().map(without_empty).collect(),
        value => value.clone(),
    }
}

#[test]
fn a_conflict_names_owner_and_field() {
    let schema = deployments();
    let created = apply(
        &schema,
        &writer("a"),
        None,
        &config(json!({ "replicas": 1, "paused": true })),
        false,
    );
    let created = created.expect("created");
    let mut edited = created.clone();
    edited["spec"]["replicas"] = json!(3);
    update(&schema, &writer("kubectl-edit"), Some(&created), &mut edited);
    let again = apply(
        &schema,
        &writer("a"),
        Some(&edited),
        &config(json!({ "replicas": 1, "paused": true })),
        false,
    );
    insta::assert_snapshot!(again.expect_err("conflict").to_string(), @r#"Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas"#);
    edited["spec"]["paused"] = json!(false);
    let base = edited.clone();
    let mut scaled = edited;
    scaled["spec"]["minReadySeconds"] = json!(5);
    let scaler = Writer {
        subresource: "scale",
        ..writer("scaler")
    };
    update(&schema, &scaler, Some(&base), &mut scaled);
    let wanted = config(json!({ "replicas": 1, "minReadySeconds": 6 }));
    let again = apply(&schema, &writer("b"), Some(&scaled), &wanted, false);
    insta::assert_snapshot!(again.expect_err("conflicts").to_string(), @r#"
    Apply failed with 2 conflicts: conflicts with "kubectl-edit" using apps/v1:
    - .spec.replicas
    conflicts with "scaler" with subresource "scale" using apps/v1:
    - .spec.minReadySeconds
    "#);
    let forced = apply(&schema, &writer("b"), Some(&scaled), &wanted, true).expect("forced");
    assert_eq!(forced["spec"]["replicas"], 1);
    assert_eq!(names(&forced), ["a", "b"]);
}

#[test]
fn an_update_is_recorded_as_what_it_changed() {
    let schema = deployments();
    let mut created = config(json!({
        "replicas": 1,
        "selector": { "matchLabels": { "app": "web" } },
        "template": {
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "x", "image": "x:1", "ports": [{ "containerPort": 80 }] }] },
        },
    }));
    schema.complete(&mut created);
    update(&schema, &writer("kubectl-client-side-apply"), None, &mut created);
    let mut edited = created.clone();
    edited["spec"]["template"]["spec"]["containers"][0]["image"] = json!("x:2");
    edited["metadata"]["labels"] = json!({ "tier": "front" });
    update(&schema, &writer("kubectl-edit"), Some(&created), &mut edited);
    let found = owners(&edited);
    assert_eq!(names(&edited), ["kubectl-client-side-apply", "kubectl-edit"]);
    // As kube-apiserver 1.36 records the same, but for what it defaults and we do not.
    assert_eq!(
        found[0].1,
        json!({ "f:spec": {
            "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {},
            "f:strategy": {
                "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} },
                "f:type": {},
            },
            "f:template": {
                "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
                "f:spec": {
                    "f:containers": { "k:{\"name\":\"x\"}": {
                        ".": {}, "f:imagePullPolicy": {}, "f:name": {},
                        "f:ports": { ".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                            ".": {}, "f:containerPort": {}, "f:protocol": {},
                        } },
                        "f:resources": {}, "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
                    } },
                    "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                },
            },
        } })
    );
    assert_eq!(
        found[1].1,
        json!({
            "f:metadata": { "f:labels": { ".": {}, "f:tier": {} } },
            "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"x\"}": { "f:image": {} } } } } },
        })
    );
    let mut same = edited.clone();
    let later = Writer {
        now: "2026-01-01T00:00:09Z",
        ..writer("kubectl-edit")
    };
    update(&schema, &later, Some(&edited), &mut same);
    assert_eq!(same, edited);
}

#[test]
fn a_record_is_changed_by_hand_and_thrown_away() {
    let schema = deployments();
    let live = apply(&schema, &writer("a"), None, &config(json!({ "replicas": 1 })), false).expect("created");
    let mut renamed = live.clone();
    record::unpack(&mut renamed);
    renamed["metadata"]["managedFields"][0]["manager"] = json!("b");
    update(&schema, &writer("csa"), Some(&live), &mut renamed);
    assert_eq!(owners(&renamed)[0].0, "b");
    let mut left_out = live.clone();
    left_out["metadata"]
        .as_object_mut()
        .expect("metadata")
        .remove("managedFields");
    update(&schema, &writer("csa"), Some(&live), &mut left_out);
    assert_eq!(left_out, live);
    let mut reset = live.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    update(&schema, &writer("csa"), Some(&live), &mut reset);
    assert_eq!(reset["metadata"].get("managedFields"), None);
    let adopted = apply(
        &schema,
        &writer("a"),
        Some(&reset),
        &config(json!({ "replicas": 1 })),
        false,
    )
    .expect("adopted");
    assert_eq!(names(&adopted), ["a", "before-first-apply"]);
}

#[test]
fn old_updaters_are_put_together() {
    let schema = deployments();
    let mut live = config(json!({ "replicas": 1 }));
    update(&schema, &writer("first"), None, &mut live);
    for number in 0..14 {
        let mut next = live.clone();
        next["metadata"]["labels"][format!("l{number}")] = json!("x");
        let name = format!("writer-{number:02}");
        let now = format!("2026-01-01T00:00:{number:02}Z");
        let writer = Writer {
            now: &now,
            ..writer(&name)
        };
        update(&schema, &writer, Some(&live), &mut next);
        live = next;
    }
    let found = owners(&live);
    assert_eq!(found.len(), 10);
    assert_eq!(found[0].0, "ancient-changes");
    assert!(
        found[0].1["f:metadata"]["f:labels"].get("f:l3").is_some(),
        "{}",
        found[0].1
    );
}

#[rstest]
#[case::unknown(json!({ "foo": 1 }),
    "failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema")]
#[case::text_for_number(json!({ "replicas": "x" }),
    "failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string")]
#[case::no_key(containers(json!([{ "image": "x" }])),
    r#"failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#)]
#[case::twice(containers(json!([{ "name": "x" }, { "name": "x", "bar": 1 }])),
    "failed to create typed patch object (n/web; apps/v1, Kind=Deployment): errors:\n  .spec.template.spec.containers: duplicate entries for key [name=\"x\"]\n  .spec.template.spec.containers[name=\"x\"].bar: field not declared in schema")]
fn a_configuration_of_another_type_is_refused(#[case] spec: Value, #[case] message: &str) {
    let refused = apply(&deployments(), &writer("a"), None, &config(spec), true);
    assert_eq!(refused.expect_err("refused").to_string(), message);
}

#[test]
fn kubectl_takes_over_what_it_applied_by_itself() {
    let schema = deployments();
    let mut live = config(json!({ "replicas": 1, "paused": true }));
    let last = config(json!({ "replicas": 1 })).to_string();
    live["metadata"]["annotations"] = json!({ "kubectl.kubernetes.io/last-applied-configuration": last });
    update(&schema, &writer("kubectl-client-side-apply"), None, &mut live);
    let wanted = config(json!({ "replicas": 2 }));
    assert!(apply(&schema, &writer("other"), Some(&live), &wanted, false).is_err());
    let taken = apply(&schema, &writer("kubectl"), Some(&live), &wanted, false).expect("no conflict");
    assert_eq!(taken["spec"]["replicas"], 2);
    let annotation = &taken["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    assert!(
        annotation.as_str().is_some_and(|text| text.contains(r#""replicas":2"#)),
        "{annotation}"
    );
    // What it did not apply so is still somebody else's.
    let refused = apply(
        &schema,
        &writer("kubectl"),
        Some(&live),
        &config(json!({ "paused": false })),
        false,
    );
    assert!(refused.is_err());
}

#[test]
fn free_parts_of_a_custom_type_merge_by_what_they_look_like() {
    let schema = Schema::custom(&json!({
        "type": "object",
        "properties": { "spec": { "type": "object", "properties": {
            "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            "steps": { "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": { "type": "object", "properties": { "name": { "type": "string" }, "weight": { "type": "integer" } } } },
            "plain": { "type": "array", "items": { "type": "string" } },
        } } },
    }))
    .expect("schema");
    let custom = |spec: Value| json!({ "apiVersion": "x/v1", "kind": "X", "metadata": { "name": "x" }, "spec": spec });
    let writer = |name| Writer {
        api_version: "x/v1",
        ..writer(name)
    };
    let first = custom(json!({ "free": { "a": { "b": 1 } }, "steps": [{ "name": "p", "weight": 1 }], "plain": ["p"] }));
    let live = apply(&schema, &writer("a"), None, &first, false).expect("created");
    let second = custom(json!({ "free": { "a": { "c": 2 } }, "steps": [{ "name": "q", "weight": 2 }] }));
    let live = apply(&schema, &writer("b"), Some(&live), &second, false).expect("no overlap");
    assert_eq!(
        live["spec"],
        json!({
            "free": { "a": { "b": 1, "c": 2 } },
            "steps": [{ "name": "p", "weight": 1 }, { "name": "q", "weight": 2 }],
            "plain": ["p"],
        })
    );
    let third = custom(json!({ "plain": ["q"] }));
    assert!(apply(&schema, &writer("b"), Some(&live), &third, false).is_err());
    let mut odd = second;
    odd["spec"]["odd"] = json!(1);
    let refused = apply(&schema, &writer("b"), Some(&live), &odd, false);
    insta::assert_snapshot!(refused.expect_err("odd").to_string(), @"failed to create typed patch object (/x; x/v1, Kind=X): .spec.odd: field not declared in schema");
}

//! Columns of definitions and the paths in them.

use rstest::rstest;
use serde_json::{Value, json};

use super::shown;
use crate::table::custom::columns;
use crate::table::json_path::JsonPath;

fn rollout() -> Value {
    json!({
        "metadata": { "name": "demo", "creationTimestamp": "2026-01-01T11:58:00Z", "labels": { "a.b/c": "dotted" } },
        "spec": { "steps": [{ "weight": 5 }, { "weight": 50 }], "paused": true },
        "status": { "at": "2026-01-01T11:00:00Z", "ratio": 2.5, "conditions": [
            { "type": "Progressing", "status": "False", "number": 1 },
            { "type": "Ready", "status": "True", "reason": "Fine", "number": 4 },
        ] },
    })
}

#[test]
fn a_definition_names_its_columns() {
    let version = json!({ "additionalPrinterColumns": [
        { "name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status" },
        { "name": "First", "type": "integer", "jsonPath": ".spec.steps[0].weight" },
        { "name": "Ratio", "type": "number", "jsonPath": ".status.ratio" },
        { "name": "Whole", "type": "integer", "jsonPath": ".status.ratio" },
        { "name": "Paused", "type": "boolean", "jsonPath": ".spec.paused" },
        { "name": "Since", "type": "date", "jsonPath": ".status.at", "priority": 1 },
        { "name": "Not a time", "type": "date", "jsonPath": ".status.conditions[0].type" },
        { "name": "Missing", "type": "string", "jsonPath": ".status.nothing" },
        { "name": "Tree", "type": "string", "jsonPath": ".spec" },
    ] });
    insta::assert_snapshot!(shown(&columns(&version), &[rollout()]), @r"
    NAME | READY | FIRST | RATIO | WHOLE | PAUSED | SINCE | NOT A TIME | MISSING | TREE
    demo | True | 5 | 2.5 | 2 | true | 60m | <invalid> |  | map[paused:true steps:[map[weight:5] map[weight:50]]]
    ");
}

#[test]
fn a_definition_without_columns_shows_the_age() {
    insta::assert_snapshot!(shown(&columns(&json!({})), &[rollout()]), @r"
    NAME | AGE
    demo | 2m
    ");
}

#[rstest]
#[case(".metadata.name", json!("demo"))]
#[case(r".metadata.labels.a\.b/c", json!("dotted"))]
#[case(".metadata.labels['a.b/c']", json!("dotted"))]
#[case(".spec.steps[-1].weight", json!(50))]
#[case(".spec.steps[*].weight", json!(5))]
#[case(".spec.steps[9].weight", json!(null))]
#[case("..weight", json!(5))]
#[case(".status.conditions[?(@.number>=2)].reason", json!("Fine"))]
#[case(".status.conditions[?(@.type!='Progressing')].type", json!("Ready"))]
#[case(".status.conditions[?(@.reason)].type", json!("Ready"))]
fn paths_find_the_first_value(#[case] path: &str, #[case] value: Value) {
    let object = rollout();
    let found = JsonPath::parse(path).expect("path");
    assert_eq!(found.first(&object).cloned().unwrap_or_default(), value);
}

#[rstest]
#[case("status")]
#[case(".status[")]
#[case(".status[x]")]
#[case(".a[?(@.b==c)]")]
#[case(".a[?(b)]")]
#[case("..a..b")]
#[case(".a[?(@[?(@.b)])]")]
#[case(".{a}")]
fn paths_that_make_no_sense_are_refused(#[case] path: &str) {
    assert!(JsonPath::parse(path).is_err(), "{path}");
}

#[test]
fn a_long_path_is_refused() {
    assert!(JsonPath::parse(&".a".repeat(65)).is_err());
}

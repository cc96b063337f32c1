//! The definitions, as a reviewer reads them.

use serde_json::{Value, json};

use crate::crds;

fn definition(name: &str) -> Value {
    let all = crds();
    let found = all.iter().find(|crd| crd.metadata.name.as_deref() == Some(name));
    serde_json::to_value(found.unwrap()).unwrap()
}

#[test]
fn all_kinds_are_defined() {
    let names: Vec<_> = crds().into_iter().filter_map(|crd| crd.metadata.name).collect();
    assert_eq!(
        names,
        [
            "rollouts.rollouts.kruise.io",
            "batchreleases.rollouts.kruise.io",
            "analysistemplates.rollouts.kruise.io",
            "clusteranalysistemplates.rollouts.kruise.io",
            "analysisruns.rollouts.kruise.io",
        ]
    );
}

#[test]
fn schemas_are_as_reviewed() {
    for crd in crds() {
        let name = crd.metadata.name.clone().unwrap();
        insta::assert_json_snapshot!(name, crd);
    }
}

#[test]
fn what_the_contract_names_is_there() {
    let rollout = definition("rollouts.rollouts.kruise.io");
    let beta = &rollout["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"];
    assert_eq!(rollout["spec"]["versions"][1]["storage"], true);
    assert_eq!(beta["spec"]["required"], json!(["workloadRef", "strategy"]));
    assert_eq!(beta["spec"]["properties"]["disabled"]["default"], false);
    let canary = &beta["spec"]["properties"]["strategy"]["properties"]["canary"]["properties"];
    assert_eq!(canary["steps"]["maxItems"], 50);
    assert_eq!(canary["steps"]["items"]["properties"]["matches"]["maxItems"], 16);
    assert_eq!(
        canary["steps"]["items"]["properties"]["replicas"]["x-kubernetes-int-or-string"],
        true
    );
    let matches = &canary["steps"]["items"]["properties"]["matches"]["items"]["properties"];
    assert_eq!(
        matches["path"]["x-kubernetes-validations"].as_array().map(Vec::len),
        Some(11)
    );
    assert_eq!(matches["headers"]["items"]["properties"]["type"]["default"], "Exact");
    assert_eq!(
        canary["trafficRoutings"]["items"]["properties"]["gracePeriodSeconds"]["default"],
        3
    );
    assert_eq!(rollout["spec"]["names"].get("shortNames"), None);
}

/// Words that a structural schema may not hold.
#[test]
fn every_schema_is_structural() {
    fn walk(schema: &Value, path: &str) {
        let object = schema.as_object().unwrap();
        for word in [
            "$ref",
            "$schema",
            "anyOf",
            "nullable",
            "title",
            "const",
            "definitions",
            "$defs",
        ] {
            assert!(!object.contains_key(word), "{path} has {word}");
        }
        let typed = object.get("type").is_some_and(Value::is_string);
        assert!(
            typed || object.contains_key("x-kubernetes-int-or-string"),
            "{path} has no type: {schema}"
        );
        let properties = object.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            walk(property, &format!("{path}.{name}"));
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = object.get(key) {
                walk(inner, &format!("{path}.{key}"));
            }
        }
    }
    for crd in crds() {
        for version in serde_json::to_value(crd).unwrap()["spec"]["versions"]
            .as_array()
            .unwrap()
        {
            walk(&version["schema"]["openAPIV3Schema"], "");
        }
    }
}

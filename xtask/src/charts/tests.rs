//! The pure halves: what differs, and which schemas are made. What needs helm and kubeconform is the command itself, which CI runs.

use serde_json::json;

use super::cases::{BREAKAGES, REFUSALS, RENDERINGS};
use super::{objects, schemas};

#[test]
fn each_difference_is_named_once() {
    let old = "kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}, {port: 81}], type: ClusterIP}\n---\nkind: Secret\nmetadata: {name: a}\n---\n";
    let new = "kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 90}], type: ClusterIP, more: 1}\n---\nkind: Role\nmetadata: {name: a}\n";
    let (old, new) = (objects::read(old).expect("YAML"), objects::read(new).expect("YAML"));
    assert_eq!(objects::differences(&old, &old), Vec::<String>::new());
    assert_eq!(
        objects::differences(&old, &new),
        [
            "Role a is too many",
            "Secret a is missing",
            "Service a /spec/more: nothing → 1",
            "Service a /spec/ports/0/port: 80 → 90",
            "Service a /spec/ports/1: {\"port\":81} → nothing",
        ]
    );
}

#[test]
fn one_object_twice_is_refused() {
    let twice = "kind: Role\nmetadata: {name: a}\n---\nkind: Role\nmetadata: {name: a}\n";
    let error = objects::read(twice).expect_err("refused");
    assert_eq!(error.to_string(), "Role a is there twice");
}

#[test]
fn a_move_concerns_fields_that_name_the_namespace() {
    let here = objects::read("kind: Role\nmetadata: {name: t, namespace: t}\nsubjects: [{name: t, namespace: t}]")
        .expect("YAML");
    let there = objects::read("kind: Role\nmetadata: {name: t, namespace: u}\nsubjects: [{name: t, namespace: u}]")
        .expect("YAML");
    assert_eq!(objects::moved(&here, "t", "u"), there);
}

#[test]
fn helm_leaves_definitions_behind_and_makes_the_namespace() {
    let installed = objects::read(
        "kind: Namespace\nmetadata: {name: t}\n---\nkind: CustomResourceDefinition\nmetadata: {name: d}\n",
    )
    .expect("YAML");
    let by_helm = objects::installed_by_helm(&installed);
    assert_eq!(by_helm.keys().collect::<Vec<_>>(), ["CustomResourceDefinition d"]);
    assert_eq!(
        by_helm["CustomResourceDefinition d"]["metadata"]["annotations"],
        json!({ "helm.sh/resource-policy": "keep" })
    );
}

#[test]
fn a_schema_is_closed_and_holds_all_that_it_reaches() {
    let reference = |name: &str| json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] });
    let catalogue = json!({
        "groups": [{ "group": "g", "versions": [{ "version": "v1", "resources": [
            { "kind": "Tree", "schema": "Tree" },
            { "kind": "Scale" },
        ] }] }],
        "schemas": {
            "Tree": { "type": "object", "properties": { "root": reference("Node"), "$ref": { "type": "string" } } },
            "Node": { "type": "object", "properties": {
                "children": { "type": "array", "items": reference("Node") },
                "free": reference("Any"),
            } },
            "Any": {},
            "Other": { "type": "string" },
        },
    });
    let files = schemas::of(&catalogue);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["g-tree-v1.json"]);
    let definitions = &files["g-tree-v1.json"]["definitions"];
    assert_eq!(
        definitions.as_object().expect("an object").keys().collect::<Vec<_>>(),
        ["Any", "Node", "Tree"]
    );
    assert_eq!(definitions["Tree"]["additionalProperties"], false);
    assert_eq!(definitions["Tree"]["properties"]["$ref"], json!({ "type": "string" }));
    assert_eq!(
        definitions["Node"]["properties"]["children"]["items"],
        json!({ "allOf": [{ "$ref": "#/definitions/Node" }] })
    );
    assert_eq!(definitions["Any"], json!({}), "what may be anything stays open");
}

#[test]
fn every_value_of_the_chart_is_tried() {
    let values =
        std::fs::read_to_string(crate::tidy::root().join("charts/tidegate/values.schema.json")).expect("a file");
    let values: serde_json::Value = serde_json::from_str(&values).expect("JSON");
    let tried: String = RENDERINGS.iter().flat_map(|rendering| rendering.set).copied().collect();
    for name in values["properties"].as_object().expect("values").keys() {
        assert!(tried.contains(name.as_str()), "no rendering changes {name}");
    }
    for name in ["image.repository", "image.pullPolicy", "image.tag"] {
        assert!(tried.contains(name), "no rendering changes {name}");
    }
    assert!(!REFUSALS.is_empty() && !BREAKAGES.is_empty());
}

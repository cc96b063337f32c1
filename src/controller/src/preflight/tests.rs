//! Which definitions are good enough, and what is said about those that are not.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Finding, judge};

/// Rollouts as an older generator would define them: fewer fields, one of them free in its form.
const OLDER: &str = include_str!("../../../../fixtures/definitions/rollouts-older.yaml");

fn ours() -> CustomResourceDefinition {
    api::crds().remove(0)
}

fn text(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn what_we_install_passes() {
    for definition in api::crds() {
        assert_eq!(judge(&definition, Some(&definition)), []);
    }
}

#[test]
fn nothing_installed_is_said_with_what_to_do() {
    insta::assert_snapshot!(
        text(&judge(&ours(), None)),
        @"rollouts.rollouts.kruise.io is not installed; apply the definitions that `tidegate crds` prints, or run once with --install"
    );
}

#[test]
fn a_definition_of_somebody_else_names_its_maker_and_the_fields_it_drops() {
    let older: CustomResourceDefinition = serde_yaml::from_str(OLDER).expect("a definition");
    insta::assert_snapshot!(
        text(&judge(&ours(), Some(&older))),
        @"rollouts.rollouts.kruise.io is OpenKruise's: its v1beta1 would drop spec.strategy.canary.analysis, spec.strategy.canary.disableGenerateCanaryService, spec.strategy.canary.enableExtraWorkloadForCanary and 5 more; apply the definitions that `tidegate crds` prints, or run once with --install"
    );
}

/// A definition whose only schema is `schema`.
fn definition(schema: &Value) -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": { "kind": "Thing", "plural": "things" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }],
        },
    }))
    .expect("a definition")
}

#[rstest]
#[case::a_field_more_is_kept(json!({ "properties": { "a": {} } }), json!({ "properties": { "a": {}, "b": {} } }), &[])]
#[case::a_field_less(json!({ "properties": { "a": {}, "b": {} } }), json!({ "properties": { "a": {} } }), &["b"])]
#[case::deep_in_a_list(
    json!({ "properties": { "a": { "items": { "properties": { "b": {} } } } } }),
    json!({ "properties": { "a": { "items": { "properties": {} } } } }),
    &["a[].b"]
)]
#[case::a_map_for_named_fields(
    json!({ "properties": { "a": { "properties": { "b": {} } } } }),
    json!({ "properties": { "a": { "additionalProperties": true } } }),
    &[]
)]
#[case::named_fields_for_a_map(
    json!({ "properties": { "a": { "additionalProperties": { "type": "string" } } } }),
    json!({ "properties": { "a": { "properties": {} } } }),
    &["a.*"]
)]
#[case::whatever_is_kept(
    json!({ "properties": { "a": { "properties": { "b": {} } } } }),
    json!({ "properties": { "a": { "x-kubernetes-preserve-unknown-fields": true } } }),
    &[]
)]
#[case::whatever_is_wanted(
    json!({ "properties": { "a": { "x-kubernetes-preserve-unknown-fields": true } } }),
    json!({ "properties": { "a": { "type": "object" } } }),
    &["a.*"]
)]
#[case::what_every_object_has(json!({ "properties": { "metadata": {}, "kind": {} } }), json!({}), &[])]
fn a_field_is_lost_when_no_part_of_the_installed_schema_describes_it(
    #[case] wanted: Value,
    #[case] installed: Value,
    #[case] lost: &[&str],
) {
    let findings = judge(&definition(&wanted), Some(&definition(&installed)));
    let fields: Vec<String> = findings
        .into_iter()
        .flat_map(|finding| match finding {
            Finding::Drops { fields, .. } => fields,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(fields, lost);
}

#[test]
fn a_version_that_is_not_served_is_named() {
    let mut installed = ours();
    installed.spec.versions[0].served = false;
    let name = installed.spec.versions[0].name.clone();
    let findings = judge(&ours(), Some(&installed));
    assert!(
        text(&findings).contains(&format!("is another version's and does not serve {name}; ")),
        "{findings:?}"
    );
}

//! Templates as one.

use std::collections::BTreeMap;

use api::v1alpha1::{AnalysisTemplateSpec, Semantics, TemplateRef};
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::metric;
use crate::run::{Flat, FlattenError, flatten};

/// Templates by their names; names that begin with a capital are of the cluster.
fn flat(templates: Json, wanted: &[&str]) -> Result<Flat, FlattenError> {
    let specs: BTreeMap<String, AnalysisTemplateSpec> = serde_json::from_value(templates).unwrap();
    let reference = |name: &&str| TemplateRef {
        template_name: (*name).to_owned(),
        cluster_scope: name.starts_with(char::is_uppercase).then_some(true),
    };
    let refs: Vec<TemplateRef> = wanted.iter().map(reference).collect();
    flatten(&refs, |wanted| {
        let spec = specs.get(&wanted.template_name)?;
        let wide = wanted.template_name.starts_with(char::is_uppercase);
        (wide == (wanted.cluster_scope == Some(true))).then_some(spec)
    })
}

/// A template with a metric of its own name that takes others in.
fn of(name: &str, others: &[&str]) -> Json {
    let others: Vec<Json> = others
        .iter()
        .map(|other| json!({ "templateName": other, "clusterScope": other.starts_with(char::is_uppercase) }))
        .collect();
    json!({ "metrics": [metric(name, &json!({}))], "templates": others })
}

#[test]
fn a_template_comes_before_those_it_takes_in_and_each_once() {
    let templates = json!({
        "a": of("a", &["b", "C"]), "b": of("b", &["D"]), "C": of("c", &["D"]), "D": of("d", &[]), "e": of("e", &["a"]),
    });
    let flat = flat(templates, &["a", "e", "a"]).unwrap();
    let names: Vec<&str> = flat.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "d", "c", "e"]);
}

#[rstest]
#[case::missing(json!({ "a": of("a", &["b"]) }), "AnalysisTemplate 'b' not found; create it, or correct the name")]
#[case::missing_in_the_cluster(json!({ "a": of("a", &["B"]) }), "ClusterAnalysisTemplate 'B' not found")]
#[case::itself(json!({ "a": of("a", &["a"]) }), "template 'a' takes itself in: a -> a")]
#[case::around(json!({ "a": of("a", &["b"]), "b": of("b", &["c"]), "c": of("c", &["b"]) }), "template 'b' takes itself in: b -> c -> b")]
#[case::v29_one_metric_twice(json!({ "a": of("m", &["b"]), "b": of("m", &[]) }), "two metrics have the same name 'm'; rename the one of template 'b'")]
#[case::one_rule_twice(json!({ "a": { "templates": [{ "templateName": "b" }], "dryRun": [{ "metricName": "x" }] }, "b": { "dryRun": [{ "metricName": "x" }] } }), "two dryRun rules have the same metric name 'x'")]
#[case::two_values(json!({ "a": { "templates": [{ "templateName": "b" }], "args": [{ "name": "x", "value": "1" }] }, "b": { "args": [{ "name": "x", "value": "2" }] } }), "Argument `x` specified multiple times with different values: '1', '2'")]
fn what_makes_no_run(#[case] templates: Json, #[case] says: &str) {
    let error = flat(templates, &["a"]).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_hundred_templates_are_the_most() {
    let names: Vec<String> = (0..101).map(|number| format!("t{number}")).collect();
    let templates: serde_json::Map<String, Json> = names.iter().map(|name| (name.clone(), of(name, &[]))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(flat(templates.clone().into(), &names[..100]).is_ok());
    assert_eq!(flat(templates.into(), &names), Err(FlattenError::TooMany));
}

#[rstest]
#[case::a_value_for_a_name(json!([{ "name": "x" }]), json!([{ "name": "x", "value": "1" }]), "1")]
#[case::a_name_for_a_value(json!([{ "name": "x", "value": "1" }]), json!([{ "name": "x" }]), "1")]
#[case::the_same_twice(json!([{ "name": "x", "value": "1" }]), json!([{ "name": "x", "value": "1" }]), "1")]
fn arguments_are_declared_together(#[case] first: Json, #[case] second: Json, #[case] value: &str) {
    let flat = flat(json!({ "a": { "args": first }, "b": { "args": second } }), &["a", "b"]).unwrap();
    assert_eq!(flat.args.len(), 1);
    assert_eq!(flat.args[0].value.as_deref(), Some(value));
}

#[rstest]
#[case(&["argo"], Semantics::Argo)]
#[case(&["argo", "argoToo"], Semantics::Argo)]
#[case(&["argo", "strict"], Semantics::Strict)]
#[case(&["argo", "silent"], Semantics::Strict)]
fn one_strict_template_makes_a_run_strict(#[case] names: &[&str], #[case] expected: Semantics) {
    let templates = json!({ "argo": { "semantics": "Argo" }, "argoToo": { "semantics": "Argo" }, "strict": { "semantics": "Strict" }, "silent": {} });
    assert_eq!(flat(templates, names).unwrap().semantics, expected);
}

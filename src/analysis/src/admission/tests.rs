//! What a template is refused for, beyond what crate `api` refuses.

use api::field_error::aggregate;
use rstest::rstest;
use serde_json::{Value, json};

use super::template;

/// A template with an argument `service` and a metric with this query and condition.
fn spec(query: &str, condition: &str) -> Value {
    json!({
        "args": [{ "name": "service" }],
        "metrics": [{
            "name": "rate", "successCondition": condition,
            "provider": { "prometheus": { "address": "http://prometheus:9090", "query": query } },
        }],
    })
}

fn with(patch: &Value) -> Value {
    let mut spec = spec("up", "true");
    spec.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    spec
}

/// Conditions here are whatever does not say "bad".
fn verdict(spec: Value) -> String {
    let spec = serde_json::from_value(spec).unwrap();
    let readable = |text: &str| {
        if text.contains("bad") {
            Err("1:1: no".to_owned())
        } else {
            Ok(())
        }
    };
    let errors = template(&spec, readable);
    if errors.is_empty() {
        String::new()
    } else {
        aggregate(&errors)
    }
}

#[rstest]
#[case::good(spec("up{s=\"{{args.service}}\"}", "result[0] > 1"), "")]
#[case::undeclared(
    spec("up{s=\"{{args.servce}}\"}", "true"),
    "spec.metrics[0].provider.prometheus.query: Invalid value: \"up{s=\\\"{{args.servce}}\\\"}\": {{args.servce}} refers to an argument that is not declared; add servce to spec.args"
)]
#[case::unclosed(spec("up{{", "true"), "opens a reference that is never closed")]
#[case::condition(
    spec("up", "bad"),
    "spec.metrics[0].successCondition: Invalid value: \"bad\": 1:1: no"
)]
#[case::condition_with_a_reference(spec("up", "bad {{args.service}}"), "")]
#[case::declared_elsewhere(with(&json!({ "args": [], "templates": [{ "templateName": "t" }], "metrics": spec("{{args.other}}", "true")["metrics"] })), "")]
#[case::dry_run(with(&json!({ "dryRun": [{ "metricName": "^rate$" }] })), "")]
#[case::dry_run_of_part_of_a_name(with(&json!({ "dryRun": [{ "metricName": "at" }] })), "")]
#[case::dry_run_of_nothing(with(&json!({ "dryRun": [{ "metricName": "latency" }] })), "spec.dryRun: Invalid value: \"dryRun\": dryRun 'latency' didn't match any metric name(s)")]
#[case::dry_run_of_all(with(&json!({ "dryRun": [{ "metricName": "*" }] })), "write .* for all metrics")]
#[case::dry_run_in_no_language(with(&json!({ "dryRun": [{ "metricName": "(" }] })), "which is no regular expression: error: unclosed group")]
#[case::dry_run_of_one_elsewhere(with(&json!({ "dryRun": [{ "metricName": "latency" }], "templates": [{ "templateName": "t" }] })), "")]
#[case::kept_twice(with(&json!({ "measurementRetention": [{ "metricName": "rate", "limit": 1 }, { "metricName": ".*", "limit": 2 }] })), "multiple measurementRetention rules matched metric name 'rate'")]
fn a_template_is_judged(#[case] spec: Value, #[case] says: &str) {
    let verdict = verdict(spec);
    assert!(
        verdict.contains(says) && verdict.is_empty() == says.is_empty(),
        "{verdict}"
    );
}

#[test]
fn the_articles_template_is_accepted() {
    let article: Value =
        serde_yaml::from_str(include_str!("../../../../fixtures/article/analysis-template.yaml")).unwrap();
    assert_eq!(verdict(article["spec"].clone()), "");
}

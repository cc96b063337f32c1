//! Where arguments come from, what becomes of references, and what is refused before anything is measured.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]

use api::v1alpha1::{AnalysisRunSpec, Argument};
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::{Play, metric};
use crate::run::arguments::{Asked, given, merge};
use crate::run::{Conditions, prepare};

fn arguments(args: Json) -> Vec<Argument> {
    serde_json::from_value(args).unwrap()
}

fn rollout() -> Json {
    json!({
        "metadata": { "name": "demo", "labels": { "app.kubernetes.io/team": "blue" } },
        "spec": { "strategy": { "paused": true } },
        "status": { "conditions": [{ "type": "Progressing" }], "currentStepIndex": 2 },
    })
}

/// The value of an argument with this source, or what is said.
fn asked(source: Json) -> String {
    let rollout = rollout();
    let asked = Asked {
        rollout: &rollout,
        stable: Some("abc"),
        latest: Some(""),
    };
    match given(&arguments(json!([{ "name": "a", "valueFrom": source }])), asked) {
        Ok(given) => given[0].value.clone().unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

#[rstest]
#[case::name("metadata.name", "demo")]
#[case::label("metadata.labels['app.kubernetes.io/team']", "blue")]
#[case::label_in_double_quotes("metadata.labels[\"app.kubernetes.io/team\"]", "blue")]
#[case::flag("spec.strategy.paused", "true")]
#[case::number("{$.status.currentStepIndex}", "is not there")]
#[case::number_by_path("$.status.currentStepIndex", "2")]
#[case::index("status.conditions[0].type", "Progressing")]
#[case::past_the_end(
    "status.conditions[1].type",
    "args.a: the Rollout's field status.conditions[1].type is not there; correct valueFrom.fieldRef.fieldPath"
)]
#[case::not_simple("metadata.labels", "is no simple value")]
#[case::unclosed("metadata.labels['a", "has a bracket that is never closed")]
#[case::bare("metadata.labels[a]", "neither a number nor a name in quotes")]
#[case::nothing("", "is empty")]
fn a_field_of_the_rollout(#[case] path: &str, #[case] says: &str) {
    let said = asked(json!({ "fieldRef": { "fieldPath": path } }));
    assert!(said.contains(says), "{said}");
}

#[test]
fn revisions_are_those_of_the_pods() {
    assert_eq!(asked(json!({ "podTemplateHashValue": "Stable" })), "abc");
    assert_eq!(
        asked(json!({ "podTemplateHashValue": "Latest" })),
        "args.a: the Latest revision is not known; it is once the workload has one"
    );
}

#[test]
fn a_secret_is_only_named() {
    let source = json!({ "secretKeyRef": { "name": "s", "key": "k" } });
    let args = arguments(json!([{ "name": "a", "valueFrom": source }]));
    let rollout = rollout();
    let asked = Asked {
        rollout: &rollout,
        stable: None,
        latest: None,
    };
    assert_eq!(given(&args, asked), Ok(args));
}

#[test]
fn callers_win_over_defaults_and_nobody_else_is_heard() {
    let declared = arguments(json!([{ "name": "a", "value": "1" }, { "name": "b", "value": "2" }, { "name": "c" }]));
    let caller =
        arguments(json!([{ "name": "b", "value": "3" }, { "name": "c", "value": "" }, { "name": "d", "value": "4" }]));
    let merged = merge(&declared, &caller).unwrap();
    assert_eq!(
        serde_json::to_value(merged).unwrap(),
        json!([{ "name": "a", "value": "1" }, { "name": "b", "value": "3" }, { "name": "c", "value": "" }])
    );
    let error = merge(&declared, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "args.c was not resolved; give it a value where the template is used"
    );
}

fn prepared(spec: Json) -> Result<Json, String> {
    let spec: AnalysisRunSpec = serde_json::from_value(spec).unwrap();
    let prepared = prepare(&spec, &Conditions).map_err(|error| error.to_string())?;
    let metrics: Vec<_> = prepared.metrics.iter().map(|metric| &metric.metric).collect();
    Ok(serde_json::to_value(metrics).unwrap())
}

#[test]
fn references_are_filled_in_wherever_they_stand() {
    let args = json!([
        { "name": "n", "value": "3" }, { "name": "often", "value": "1m" }, { "name": "q", "value": "a\"b\\c\nd" }, { "name": "key", "value": "team" },
    ]);
    let job = json!({ "metadata": { "labels": { "{{args.key}}": "{{ args.n }}" } }, "spec": { "template": { "spec": { "x": ["{{args.q}}", "{{inputs.a}}"] } } } });
    let metrics = json!([
        metric("{{args.key}}", &json!({ "count": "{{args.n}}", "interval": "{{args.often}}", "successCondition": "result[0] >= {{args.n}}" })),
        { "name": "j", "provider": { "job": job } },
    ]);
    let filled = prepared(json!({ "args": args, "metrics": metrics })).unwrap();
    let first = json!({ "count": "3", "interval": "1m", "successCondition": "result[0] >= 3" });
    assert_eq!(filled[0], metric("team", &first));
    let job = &filled[1]["provider"]["job"];
    assert_eq!(job["metadata"]["labels"], json!({ "team": "3" }));
    assert_eq!(
        job["spec"]["template"]["spec"]["x"],
        json!(["a\"b\\c\nd", "{{inputs.a}}"])
    );
}

fn run(args: Json, patch: &Json) -> Json {
    json!({ "args": args, "metrics": [metric("m", patch)] })
}

fn secret() -> Json {
    json!([{ "name": "s", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }])
}

#[rstest]
#[case::v24_a_rule_for_nothing(json!({ "metrics": [metric("m", &json!({}))], "measurementRetention": [{ "metricName": "other", "limit": 1 }] }), "measurementRetention 'other' didn't match any metric name(s)")]
#[case::v25_no_value(run(json!([{ "name": "x" }]), &json!({})), "args.x was not resolved")]
#[case::unknown(run(json!([]), &json!({ "interval": "{{args.x}}" })), "failed to resolve {{args.x}}")]
#[case::a_value_that_refers(run(json!([{ "name": "x", "value": "{{args.s}}" }]), &json!({})), "args.x was not resolved: its value refers to {{args.s}}")]
#[case::no_metrics(json!({}), "no metrics specified")]
#[case::two_of_one_name(json!({ "metrics": [metric("m", &json!({})), metric("m", &json!({}))] }), "another metric has this name")]
#[case::a_count_that_is_none(run(json!([{ "name": "n", "value": "many" }]), &json!({ "count": "{{args.n}}" })), "count: Invalid value: \"many\"")]
#[case::a_condition_that_is_none(run(json!([]), &json!({ "successCondition": "result[0] >=" })), "metric 'm': successCondition cannot be read: ")]
#[case::a_secret_condition(run(secret(), &json!({ "successCondition": "result == \"{{args.s}}\"" })), "metric 'm' uses the secret argument 's' outside of its provider")]
fn what_keeps_a_run_from_measuring(#[case] spec: Json, #[case] says: &str) {
    let mut play = Play::of(spec, &[]);
    let step = play.step(&[]);
    let (phase, message) = play.said();
    assert_eq!((phase.as_str(), step.due.len()), ("Error", 0));
    assert!(message.contains(says), "{message}");
}

#[test]
fn a_secret_is_left_for_whoever_measures() {
    let patch = json!({ "provider": { "web": { "url": "http://a", "headers": [{ "key": "k", "value": "Bearer {{args.s}}" }] } }, "successCondition": "result.ok" });
    let mut play = Play::of(run(secret(), &patch), &[]);
    let request = play.step(&[]).due.remove(0);
    let headers = request.metric.provider.web.unwrap().headers.unwrap();
    assert_eq!(headers[0].value, "Bearer {{args.s}}");
    assert_eq!(request.secrets["s"].key, "k");
}

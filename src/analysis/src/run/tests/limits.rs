//! Guards that are ours: too few requests, warnings, and what a metric that is stopped counts as.

use api::v1alpha1::AnalysisPhase;
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::{Play, measured, metric};
use crate::run::{Fault, Outcome, Work};
use crate::value::Value;

/// The phase and message of one measurement with a value that is good.
fn one(patch: &Json, samples: Option<f64>, warnings: &[&str], value: f64) -> (AnalysisPhase, String) {
    let semantics = if patch.get("argo").is_some() { "Argo" } else { "Strict" };
    let mut play = Play::of(json!({ "semantics": semantics, "metrics": [metric("m", patch)] }), &[]);
    play.step(&[]);
    let mut answer = measured("m", 1, play.now, Outcome::Value(Value::List(vec![Value::Float(value)])));
    answer.samples = samples;
    answer.warnings = warnings.iter().map(|warning| (*warning).to_owned()).collect();
    play.step(&[answer]);
    let measurement = play.result("m").measurements.unwrap().remove(0);
    (measurement.phase, measurement.message.unwrap_or_default())
}

#[rstest]
#[case::enough(Some(50.0), 1.0, AnalysisPhase::Successful, "")]
#[case::too_few(
    Some(49.0),
    1.0,
    AnalysisPhase::Inconclusive,
    "the new version had 49 requests, and 50 are needed to judge it"
)]
#[case::too_few_to_be_bad(Some(3.0), 0.0, AnalysisPhase::Inconclusive, "the new version had 3 requests")]
#[case::no_data(None, 1.0, AnalysisPhase::Inconclusive, "the new version had 0 requests")]
#[case::no_number(Some(f64::NAN), 1.0, AnalysisPhase::Inconclusive, "the new version had 0 requests")]
fn a_version_that_nobody_calls_is_not_judged(
    #[case] samples: Option<f64>,
    #[case] value: f64,
    #[case] phase: AnalysisPhase,
    #[case] says: &str,
) {
    let patch = json!({ "minSamples": { "query": "n", "atLeast": 50 } });
    let (found, message) = one(&patch, samples, &[], value);
    assert_eq!(found, phase);
    assert!(message.contains(says), "{message}");
}

fn on_warnings(word: &str) -> Json {
    json!({ "provider": { "prometheus": { "address": "http://a", "query": "q", "onWarnings": word } } })
}

#[rstest]
#[case::heeded(json!({}), AnalysisPhase::Inconclusive)]
#[case::ignored(on_warnings("Ignore"), AnalysisPhase::Successful)]
#[case::argo_ignores(json!({ "argo": true }), AnalysisPhase::Successful)]
#[case::argo_is_told({ let mut patch = on_warnings("Inconclusive"); patch["argo"] = true.into(); patch }, AnalysisPhase::Inconclusive)]
fn an_answer_with_warnings(#[case] patch: Json, #[case] phase: AnalysisPhase) {
    let (found, _) = one(&patch, None, &["partial response"], 1.0);
    assert_eq!(found, phase);
    let (found, _) = one(&patch, None, &[], 1.0);
    assert_eq!(found, AnalysisPhase::Successful);
}

#[test]
fn an_outage_is_told_apart() {
    let spec = json!({ "metrics": [metric("m", &json!({ "consecutiveErrorLimit": 0 }))] });
    let play = Play::of(spec, &[("m", "E")]).until_the_end();
    let measurement = play.result("m").measurements.unwrap().remove(0);
    assert_eq!(measurement.metadata.unwrap()["reason"], Fault::Unavailable.as_str());
}

/// An endless metric that was measured for ten seconds and then stopped.
fn stopped(letters: &str, patch: &Json) -> (AnalysisPhase, String) {
    let mut patch = patch.clone();
    patch["interval"] = "5s".into();
    let mut play = Play::of(json!({ "metrics": [metric("m", &patch)] }), &[("m", letters)]).until(10);
    play.spec.terminate = Some(true);
    play.step(&[]);
    assert_eq!(play.status.phase, play.result("m").phase);
    (play.status.phase.clone(), play.result("m").message.unwrap_or_default())
}

#[rstest]
#[case::all_along("P", json!({}), AnalysisPhase::Successful, "stopped after 3 measurements, within the limits: the run was terminated")]
#[case::within_the_limits("PFP", json!({ "failureLimit": 1 }), AnalysisPhase::Successful, "within the limits")]
#[case::down_at_the_end("PE", json!({}), AnalysisPhase::Inconclusive, "before it was decided")]
#[case::never_good("F", json!({ "failureLimit": 9 }), AnalysisPhase::Inconclusive, "before it was decided")]
#[case::counted("P", json!({ "count": 9 }), AnalysisPhase::Inconclusive, "before it was decided")]
#[case::in_a_row("P", json!({ "consecutiveSuccessLimit": 9 }), AnalysisPhase::Inconclusive, "before it was decided")]
fn what_a_metric_that_is_stopped_counts_as(
    #[case] letters: &str,
    #[case] patch: Json,
    #[case] phase: AnalysisPhase,
    #[case] says: &str,
) {
    let (found, message) = stopped(letters, &patch);
    assert_eq!(found, phase, "{message}");
    assert!(message.contains(says), "{message}");
}

#[test]
fn an_answer_that_comes_twice_or_late_counts_once() {
    let spec = json!({ "metrics": [metric("m", &json!({ "interval": "5s", "count": 2 }))] });
    let mut play = Play::of(spec, &[("m", "P")]);
    let due = play.step(&[]).due;
    assert_eq!(due[0].work, Work::Start);
    let answer = play.answer(&due);
    play.step(&answer);
    play.step(&answer);
    play.step(&[answer[0].clone(), answer[0].clone()]);
    assert_eq!(play.result("m").count, 1);
    assert_eq!(play.status.phase, AnalysisPhase::Running);
}

#[test]
fn an_answer_to_nobody_changes_nothing() {
    let mut play = Play::of(json!({ "metrics": [metric("m", &json!({}))] }), &[]);
    play.step(&[]);
    let before = play.status.clone();
    let answer = measured("other", 1, play.now, Outcome::Stopped);
    assert_eq!(play.step(&[answer]).status, before);
}

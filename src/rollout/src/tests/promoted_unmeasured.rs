//! The end of a release that is judged all along: nothing is promoted that its analysis has not seen to be good, however short the steps are.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::gates::{released_all_along, template};
use super::model::Model;
use super::walkthrough::{approve, state, status};

/// One step of ten seconds, of a release whose analysis first measures after half an hour.
fn released(spec: &Value, metric: Value) -> Model {
    let mut all_along = template("all-along", metric);
    json_patch::merge(&mut all_along["spec"], spec);
    let steps = json!([{"traffic": "50%", "replicas": 3, "pause": {"duration": 10}}]);
    let mut model = released_all_along(steps, all_along);
    model.run(minutes(20));
    model
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn late(condition: &str) -> Value {
    json!({"initialDelay": "30m", "interval": "1m", "successCondition": condition})
}

fn message(model: &Model) -> String {
    status(model)["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn it_waits_for_the_first_good_measurement() {
    let mut model = released(&json!({}), late("result[0] >= 0.95"));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 50");
    let said = message(&model);
    assert!(said.contains("has not found the new version good yet"), "{said}");
    model.run(minutes(20));
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
}

#[test]
fn it_is_held_by_a_bad_one() {
    let mut model = released(&json!({}), late("result[0] >= 2"));
    model.run(minutes(20));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 50");
    let said = message(&model);
    assert!(said.contains("found the new version bad"), "{said}");
    approve(&mut model);
    model.run(minutes(1));
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
}

#[rstest]
#[case::as_in_argo_rollouts(json!({"semantics": "Argo"}))]
#[case::that_changes_nothing(json!({"dryRun": [{"metricName": ".*"}]}))]
fn it_does_not_wait_for_an_analysis(#[case] spec: Value) {
    let model = released(&spec, late("result[0] >= 0.95"));
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
}

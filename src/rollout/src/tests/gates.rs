//! Analysis in a release: what a gate waits for, what a verdict does, and how a person goes on from there.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::front::weight;
use super::model::Model;
use super::walkthrough::{approve, hour, inventory, state, status};
use crate::{Kind, Retry, retry};

pub(super) fn template(name: &str, metric: Value) -> Value {
    let mut metric = metric;
    metric["name"] = json!(name);
    metric["provider"] = json!({"prometheus": {"address": "http://prometheus.example.com:9090", "query": "rate({{args.service-name}})"}});
    json!({"metadata": {"name": name}, "spec": {"args": [{"name": "service-name"}], "metrics": [metric]}})
}

/// Three measurements, a minute apart; the second bad one is one too many.
pub(super) fn success_rate() -> Value {
    template(
        "success-rate",
        json!({"interval": "1m", "count": 3, "failureLimit": 1, "successCondition": "result[0] >= 0.95"}),
    )
}

pub(super) fn block(more: Value) -> Value {
    let mut block = json!({
        "templates": [{"templateName": "success-rate"}],
        "args": [{"name": "service-name", "value": "echoserver"}],
    });
    json_patch::merge(&mut block, &more);
    block
}

/// A release that the template `all-along` judges in the background, while every measurement is good.
pub(super) fn released_all_along(steps: Value, all_along: Value) -> Model {
    let mut model = Model::new(steps);
    model.insert(Kind::AnalysisTemplate, all_along);
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["analysis"] =
            block(json!({"templates": [{"templateName": "all-along"}]}));
    });
    model.run(hour());
    model.metric = 1.0;
    model.set_image("v2");
    model
}

fn steps(first: Value) -> Value {
    let mut step = json!({"traffic": "5%", "replicas": 1, "pause": {}});
    json_patch::merge(&mut step, &first);
    json!([step, {"traffic": "50%", "replicas": "50%", "pause": {}}])
}

/// A healthy Rollout with these steps, and the template beside it.
fn healthy(steps: Value) -> Model {
    let mut model = Model::new(steps);
    model.insert(Kind::AnalysisTemplate, success_rate());
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    model.log.clear();
    model
}

fn releasing(steps: Value, metric: f64) -> Model {
    let mut model = healthy(steps);
    model.metric = metric;
    model.set_image("v2");
    model
}

fn gate(model: &Model) -> Value {
    status(model)["canaryStatus"]["currentStepAnalysis"].clone()
}

pub(super) fn runs(model: &Model) -> Vec<(String, Value)> {
    let runs = model.objects.iter().filter(|((kind, _), _)| *kind == Kind::AnalysisRun);
    runs.map(|((_, name), run)| (name.clone(), run["status"]["phase"].clone()))
        .collect()
}

pub(super) fn canary_exists(model: &Model) -> bool {
    let mut names = model.objects.keys().filter(|(kind, _)| *kind == Kind::Deployment);
    names.any(|(_, name)| name != "echoserver")
}

#[test]
fn a_gate_measures_once_the_traffic_is_there_and_then_waits_for_the_person() {
    let mut model = releasing(steps(json!({"analysis": block(json!({}))})), 0.99);
    model.run(SignedDuration::from_secs(90));
    assert_eq!(state(&model), "Progressing 1 StepMetricsAnalysis weight 5");
    assert_eq!(gate(&model)["phase"], "Running");
    assert_eq!(model.measured, 2);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!((model.measured, &gate(&model)["phase"]), (3, &json!("Successful")));
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    assert_eq!(model.measured, 3);
}

#[test]
fn until_analysis_goes_on_by_itself_when_it_is_good() {
    let gated = steps(json!({"pause": {"untilAnalysis": true}, "analysis": block(json!({}))}));
    let mut model = releasing(gated, 0.99);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
}

#[rstest]
#[case::the_articles_default(json!({}), "Progressing 1 StepPaused weight 5")]
#[case::said(json!({"onFailure": "Pause"}), "Progressing 1 StepPaused weight 5")]
#[case::rolled_back(json!({"onFailure": "Rollback"}), "Progressing 1 StepAborted weight 0")]
#[case::no_matter(json!({"onFailure": "Continue"}), "Progressing 2 StepPaused weight 50")]
fn a_bad_version_meets_what_the_user_chose(#[case] chosen: Value, #[case] stands: &str) {
    let gated = steps(json!({"pause": {"untilAnalysis": true}, "analysis": block(chosen)}));
    let mut model = releasing(gated, 0.2);
    model.run(hour());
    assert_eq!(state(&model), stands);
    assert_eq!(model.measured, 2, "the second bad one is one too many");
    assert_eq!(runs(&model).len(), 1);
    assert_eq!(runs(&model)[0].1, "Failed");
}

#[test]
fn a_timed_pause_does_not_end_while_a_verdict_holds_the_step() {
    let gated = steps(json!({"pause": {"duration": 60}, "analysis": block(json!({}))}));
    let mut model = releasing(gated, 0.2);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    let said = status(&model)["message"].as_str().unwrap().to_owned();
    assert!(
        said.starts_with("Rollout is in step(1/2), and it waits for a person: AnalysisRun rollouts-demo-")
            && said.contains("found the new version bad: Metric \"success-rate\" assessed Failed due to failed (2) > failureLimit (1)"),
        "{said}"
    );
    approve(&mut model);
    model.run(hour());
    assert_eq!(
        state(&model),
        "Progressing 2 StepPaused weight 50",
        "a person may go on all the same"
    );
}

#[test]
fn a_rollback_by_verdict_moves_traffic_first_and_stays() {
    let gated = steps(json!({"analysis": block(json!({"onFailure": "Rollback"}))}));
    let mut model = releasing(gated, 0.2);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepAborted weight 0");
    assert!(!canary_exists(&model));
    let at = |what: &str| model.log.iter().position(|line| line.starts_with(what)).unwrap();
    assert!(at("delete Ingress echoserver-canary") < at("delete Deployment echoserver-"));
    let workload = model.get(Kind::Deployment, "echoserver").unwrap();
    assert_eq!(workload["spec"]["paused"], true, "the old pods stay");
    let writes = model.log.len();
    model.run(hour());
    assert_eq!(model.log.len(), writes, "it does not start again by itself");
}

#[test]
fn after_a_rollback_by_verdict_the_image_may_go_back() {
    let gated = steps(json!({"analysis": block(json!({"onFailure": "Rollback"}))}));
    let before = inventory(&healthy(gated.clone()));
    let mut model = releasing(gated, 0.2);
    model.run(hour());
    model.set_image("v1");
    model.run(hour());
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
    let mut left = inventory(&model);
    left.retain(|(kind, ..)| *kind != Kind::AnalysisRun);
    assert_eq!(left, before);
}

#[test]
fn after_a_rollback_by_verdict_a_better_image_is_released_through_the_steps() {
    let gated = steps(json!({"analysis": block(json!({"onFailure": "Rollback"}))}));
    let mut model = releasing(gated, 0.2);
    model.run(hour());
    model.metric = 1.0;
    model.set_image("v3");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(gate(&model)["phase"], "Successful");
}

/// A person asks for another try; false when there is nothing to try again.
fn try_again(model: &mut Model) -> bool {
    let rollout = model.get(Kind::Rollout, "rollouts-demo").unwrap().clone();
    let Some(Retry { state, step, next_step }) = retry(&serde_json::from_value(rollout).unwrap()) else {
        return false;
    };
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        let sub = &mut rollout["status"]["canaryStatus"];
        sub["currentStepState"] = json!(state);
        sub["currentStepIndex"] = json!(step);
        sub["nextStepIndex"] = json!(next_step);
    });
    true
}

#[rstest]
#[case::held(json!({}), "StepPaused")]
#[case::taken_back(json!({"onFailure": "Rollback"}), "StepAborted")]
fn another_try_measures_anew(#[case] chosen: Value, #[case] from: &str) {
    let mut model = releasing(steps(json!({"analysis": block(chosen)})), 0.2);
    model.run(hour());
    assert_eq!(status(&model)["canaryStatus"]["currentStepState"], from);
    model.metric = 1.0;
    assert!(try_again(&mut model));
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(gate(&model)["phase"], "Successful");
    assert_eq!(runs(&model).len(), 2);
    assert!(!try_again(&mut model), "nothing objects any more");
}

#[rstest]
#[case::held(json!({}), "Progressing 1 StepPaused weight 5")]
#[case::taken_back(json!({"onFailure": "Rollback"}), "Progressing 1 StepAborted weight 0")]
fn another_try_measures_in_the_background_anew(#[case] chosen: Value, #[case] stands: &str) {
    let mut model = Model::new(steps(json!({})));
    model.insert(Kind::AnalysisTemplate, success_rate());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["analysis"] = block(chosen);
    });
    model.run(hour());
    model.metric = 0.2;
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), stands);
    model.metric = 1.0;
    assert!(try_again(&mut model));
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    let background = status(&model)["canaryStatus"]["backgroundAnalysis"].clone();
    assert_eq!(background["phase"], "Successful");
    assert_eq!(runs(&model).len(), 2);
    assert!(!try_again(&mut model), "nothing objects any more");
}

/// Three steps, each with the gate; the second one finds the version bad.
fn taken_back_at_the_second_step() -> Model {
    let gated =
        json!({"replicas": 1, "pause": {"untilAnalysis": true}, "analysis": block(json!({"onFailure": "Rollback"}))});
    let mut steps = json!([{"traffic": "5%"}, {"traffic": "20%"}, {"traffic": "50%"}]);
    for step in steps.as_array_mut().unwrap() {
        json_patch::merge(step, &gated);
    }
    let mut model = releasing(steps, 1.0);
    while status(&model)["currentStepIndex"] != 2 {
        model.run(SignedDuration::from_secs(10));
    }
    model.metric = 0.2;
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepAborted weight 0");
    model
}

#[test]
fn another_try_walks_every_step_and_measures_each_anew() {
    let mut model = taken_back_at_the_second_step();
    model.metric = 1.0;
    let measured = model.measured;
    assert!(try_again(&mut model));
    model.run(SignedDuration::from_secs(60));
    assert_eq!(state(&model), "Progressing 1 StepMetricsAnalysis weight 5");
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    assert_eq!(model.measured, measured + 9);
}

#[test]
fn a_version_that_comes_again_is_not_judged_by_its_runs_of_then() {
    let mut model = taken_back_at_the_second_step();
    model.set_image("v1");
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    let measured = model.measured;
    model.metric = 1.0;
    model.set_image("v2");
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    assert_eq!(model.measured, measured + 9);
}

#[rstest]
#[case::no_gate(json!({}))]
#[case::good(json!({"analysis": block(json!({}))}))]
fn without_a_verdict_against_it_there_is_nothing_to_try_again(#[case] step: Value) {
    let mut model = releasing(steps(step), 1.0);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert!(!try_again(&mut model));
}

#[test]
fn in_the_background_it_measures_from_its_step_on_until_the_end() {
    let mut model = Model::new(steps(json!({})));
    model.insert(
        Kind::AnalysisTemplate,
        template(
            "success-rate",
            json!({"interval": "5m", "failureLimit": 3, "successCondition": "result[0] >= 0.95"}),
        ),
    );
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["analysis"] = block(json!({"startingStep": 2}));
    });
    model.run(hour());
    model.set_image("v2");
    model.run(hour());
    assert_eq!(model.measured, 0, "not before its step");
    approve(&mut model);
    model.run(SignedDuration::from_mins(16));
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    assert_eq!(model.measured, 4);
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    let measured = model.measured;
    model.run(hour());
    assert_eq!(model.measured, measured, "it ends with the release");
    assert_eq!(runs(&model)[0].1, "Successful");
}

#[rstest]
#[case::held(json!({}), "Progressing 1 StepPaused weight 5")]
#[case::taken_back(json!({"onFailure": "Rollback"}), "Progressing 1 StepAborted weight 0")]
fn the_articles_template_in_the_background_stops_a_bad_release(#[case] chosen: Value, #[case] stands: &str) {
    let mut model = Model::new(steps(json!({"pause": {"duration": 7200}})));
    model.insert(
        Kind::AnalysisTemplate,
        template(
            "success-rate",
            json!({"interval": "5m", "failureLimit": 3, "successCondition": "result[0] >= 0.95"}),
        ),
    );
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["analysis"] = block(chosen);
    });
    model.run(hour());
    model.metric = 0.5;
    model.set_image("v2");
    model.run(SignedDuration::from_hours(5));
    assert_eq!(state(&model), stands);
    assert_eq!(model.measured, 4);
}

#[rstest]
#[case::no_template(json!({"templates": [{"templateName": "nobody"}]}), "AnalysisTemplate 'nobody' not found; create it, or correct the name")]
#[case::no_value(json!({"args": []}), "args.service-name was not resolved; give it a value where the template is used")]
fn what_cannot_be_measured_is_said_and_the_release_stays(#[case] wrong: Value, #[case] says: &str) {
    let mut model = releasing(steps(json!({"analysis": block(wrong)})), 1.0);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepMetricsAnalysis weight 5");
    let said = status(&model)["message"].as_str().unwrap().to_owned();
    assert_eq!(
        said,
        format!("Rollout is in step(1/2), and its analysis cannot be made: {says}")
    );
    let writes = model.log.len();
    model.run(hour());
    assert_eq!(model.log.len(), writes, "told once");
}

#[test]
fn editing_a_threshold_does_not_run_a_step_again() {
    let mut model = releasing(steps(json!({"analysis": block(json!({}))})), 1.0);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["steps"][0]["analysis"]["onFailure"] = json!("Rollback");
    });
    model.log.clear();
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(model.measured, 3);
    assert_eq!(runs(&model).len(), 1);
}

#[test]
fn a_run_that_the_release_leaves_behind_is_stopped() {
    let mut model = releasing(steps(json!({"analysis": block(json!({}))})), 1.0);
    model.run(SignedDuration::from_secs(30));
    assert_eq!(runs(&model)[0].1, "Running");
    model.set_image("v1");
    model.run(hour());
    let run = model
        .objects
        .iter()
        .find(|((kind, _), _)| *kind == Kind::AnalysisRun)
        .unwrap()
        .1;
    assert_eq!(run["spec"]["terminate"], true);
    assert_eq!(weight(&model), 0);
}

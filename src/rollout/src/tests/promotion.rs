//! Promotion that is judged: before the new version takes everything, and while the version before still stands by.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::gates::{block, canary_exists, success_rate, template};
use super::model::Model;
use super::walkthrough::{approve, hour, state, status};
use crate::Kind;

/// A release of two steps, the last of them half, and a promotion with these blocks; approved to the end of the steps.
fn promoted(blocks: &Value, metric: f64) -> Model {
    let mut model = Model::new(json!([
        {"traffic": "5%", "replicas": 1, "pause": {"duration": 0}},
        {"traffic": "50%", "replicas": "50%", "pause": {}},
    ]));
    model.insert(Kind::AnalysisTemplate, success_rate());
    model.insert(
        Kind::AnalysisTemplate,
        template(
            "all-along",
            json!({"interval": "1m", "successCondition": "result[0] >= 0.95"}),
        ),
    );
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        json_patch::merge(&mut rollout["spec"]["strategy"]["canary"], blocks);
    });
    model.run(hour());
    model.metric = metric;
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    approve(&mut model);
    model
}

fn old_pods(model: &Model) -> Value {
    let workload = model.get(Kind::Deployment, "echoserver").unwrap();
    json!([workload["spec"]["paused"], workload["status"]["updatedReplicas"]])
}

#[rstest]
#[case::good(0.99, json!({}), "Healthy 2 Completed weight 0")]
#[case::bad(0.2, json!({}), "Progressing 3 StepPaused weight 50")]
#[case::bad_and_rolled_back(0.2, json!({"onFailure": "Rollback"}), "Progressing 3 StepAborted weight 0")]
#[case::bad_and_no_matter(0.2, json!({"onFailure": "Continue"}), "Healthy 2 Completed weight 0")]
fn before_promotion_the_last_split_stays_until_the_verdict(
    #[case] metric: f64,
    #[case] chosen: Value,
    #[case] stands: &str,
) {
    let mut model = promoted(&json!({"prePromotionAnalysis": block(chosen)}), metric);
    model.run(SignedDuration::from_secs(50));
    assert_eq!(state(&model), "Progressing 3 StepMetricsAnalysis weight 50");
    model.run(hour());
    assert_eq!(state(&model), stands);
}

#[rstest]
#[case::good(0.99, "Healthy 2 Completed weight 0")]
#[case::bad(0.2, "Progressing 3 StepAborted weight 0")]
fn after_promotion_the_version_before_stands_by_until_the_verdict(#[case] metric: f64, #[case] stands: &str) {
    let blocks = json!({"postPromotionAnalysis": block(json!({"onFailure": "Rollback"}))});
    let mut model = promoted(&blocks, metric);
    let before = old_pods(&model);
    model.run(SignedDuration::from_secs(50));
    assert_eq!(state(&model), "Progressing 3 StepMetricsAnalysis weight 100");
    assert_eq!(old_pods(&model), before, "nothing of it is touched");
    model.run(hour());
    assert_eq!(state(&model), stands);
    assert!(!canary_exists(&model));
}

#[rstest]
#[case::an_analysis_that_ends_sooner("success-rate", 3)]
#[case::one_without_an_end("all-along", 10)]
fn a_bake_lasts_as_long_as_it_says(#[case] template: &str, #[case] measured: usize) {
    let blocks =
        json!({"postPromotionAnalysis": block(json!({"duration": 600, "templates": [{"templateName": template}]}))});
    let mut model = promoted(&blocks, 0.99);
    model.run(SignedDuration::from_secs(590));
    assert_eq!(state(&model), "Progressing 3 StepMetricsAnalysis weight 100");
    model.run(SignedDuration::from_secs(60));
    assert_ne!(
        status(&model)["canaryStatus"]["currentStepState"],
        "StepMetricsAnalysis",
        "it is over"
    );
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    assert!(
        model.measured.abs_diff(measured) <= 1,
        "{} measurements for about {measured}",
        model.measured
    );
}

#[test]
fn a_bake_that_goes_bad_ends_at_once() {
    let blocks = json!({"postPromotionAnalysis": block(json!({
        "duration": 6000, "onFailure": "Rollback", "templates": [{"templateName": "all-along"}],
    }))});
    let mut model = promoted(&blocks, 0.99);
    model.run(SignedDuration::from_secs(300));
    assert_eq!(state(&model), "Progressing 3 StepMetricsAnalysis weight 100");
    model.metric = 0.2;
    model.run(SignedDuration::from_secs(120));
    assert_eq!(status(&model)["canaryStatus"]["currentStepState"], "StepAborted");
}

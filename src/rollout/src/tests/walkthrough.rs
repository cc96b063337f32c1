//! The walkthrough, told as the list of writes that the controller makes, and the figures that a user waits for.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::front::{Front, weight};
use super::model::Model;
use crate::Kind;

pub(super) fn two_steps() -> Value {
    json!([{"traffic": "5%", "replicas": 1, "pause": {}}, {"traffic": "50%", "replicas": "50%", "pause": {}}])
}

pub(super) fn status(model: &Model) -> Value {
    model
        .get(Kind::Rollout, "rollouts-demo")
        .map(|rollout| rollout["status"].clone())
        .unwrap_or_default()
}

pub(super) fn state(model: &Model) -> String {
    let status = status(model);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {} {} weight {}",
        text(&status["phase"]),
        status["currentStepIndex"],
        text(&status["currentStepState"]),
        weight(model)
    )
}

pub(super) fn approve(model: &mut Model) {
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        assert_eq!(rollout["status"]["canaryStatus"]["currentStepState"], "StepPaused");
        rollout["status"]["canaryStatus"]["currentStepState"] = json!("StepReady");
    });
}

pub(super) fn hour() -> SignedDuration {
    SignedDuration::from_hours(1)
}

/// A model with a healthy rollout, before any release.
pub(super) fn healthy(steps: Value) -> Model {
    healthy_behind(Front::Ingress, steps)
}

/// The same, behind something else.
pub(super) fn healthy_behind(front: Front, steps: Value) -> Model {
    let mut model = Model::behind(front, steps);
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    model.log.clear();
    model
}

/// What must be as before once a release is over: the inventory by kind and name, and every spec but the template.
pub(super) fn inventory(model: &Model) -> Vec<(Kind, String, Value)> {
    let kept = model
        .objects
        .iter()
        .filter(|((kind, _), _)| !matches!(kind, Kind::ReplicaSet | Kind::EndpointSlice));
    kept.map(|((kind, name), object)| {
        let mut spec = object["spec"].clone();
        spec["template"] = Value::Null;
        let map = |field: &str| object["metadata"].get(field).filter(|map| **map != json!({})).cloned();
        (*kind, name.clone(), json!([spec, map("labels"), map("annotations")]))
    })
    .collect()
}

#[test]
fn the_walkthrough_writes_this_and_no_more() {
    let mut model = healthy(two_steps());
    let before = inventory(&model);
    model.set_image("v2");
    model.run(SignedDuration::from_millis(3_500));
    assert_eq!(weight(&model), 5, "the weight is written within 3.5 s of the change");
    model.run(SignedDuration::from_millis(3_200));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5", "the gate holds");
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    assert_eq!(inventory(&model), before);
    let writes = model.log.len();
    insta::assert_snapshot!(model.log.join("\n"), @r#"
    patch Rollout rollouts-demo finalizers
    patch Service echoserver pod-template-hash
    create BatchRelease rollouts-demo
    status Rollout rollouts-demo "Progressing" 1 "StepUpgrade"
    patch Deployment echoserver control-info
    create Deployment echoserver-ng7g8
    create Service echoserver-canary
    status BatchRelease rollouts-demo "Progressing" 0 "Ready"
    create Ingress echoserver-canary
    status Rollout rollouts-demo "Progressing" 1 "StepTrafficRouting"
    status Rollout rollouts-demo "Progressing" 1 "StepPaused"
    patch BatchRelease rollouts-demo spec
    patch Deployment echoserver-ng7g8 replicas=3
    status Rollout rollouts-demo "Progressing" 2 "StepUpgrade"
    status BatchRelease rollouts-demo "Progressing" 1 "Ready"
    patch Ingress echoserver-canary nginx.ingress.kubernetes.io~1canary-weight="50"
    status Rollout rollouts-demo "Progressing" 2 "StepTrafficRouting"
    status Rollout rollouts-demo "Progressing" 2 "StepPaused"
    patch Service echoserver -pod-template-hash
    delete Ingress echoserver-canary
    status Rollout rollouts-demo "Progressing" 2 "Completed"
    patch Deployment echoserver -in-progressing,-control-info,-stable-revision,-paused
    delete Deployment echoserver-ng7g8
    delete BatchRelease rollouts-demo
    delete Service echoserver-canary
    patch Deployment echoserver-ng7g8 -0
    status Rollout rollouts-demo "Healthy" 2 "Completed"
    patch Rollout rollouts-demo -finalizers
    "#);
    assert!(writes <= 28, "{writes} writes");
    model.run(hour());
    assert_eq!(model.log.len(), writes, "nothing is written when idle");
}

//! Pods that stop answering at a step that was reached.

use rstest::rstest;
use serde_json::json;

use super::walkthrough::{healthy, hour, state, two_steps};
use crate::Kind;

#[rstest]
#[case::nginx("nginx")]
#[case::higress("higress")]
fn no_weight_stays_on_a_service_that_nobody_is_behind(#[case] class: &str) {
    let mut model = healthy(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"][0]["ingress"]["classType"] = json!(class);
    });
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.bad_image = Some("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 0");
    model.bad_image = None;
    model.run(hour());
    assert_eq!(
        state(&model),
        "Progressing 1 StepPaused weight 5",
        "and it comes back with them"
    );
}

//! A verdict of the analysis in the background that comes while a step is on its way: a version that was found bad gets no more requests than it has,
//! and whoever lets it go on gets the whole of the step.

use jiff::SignedDuration;
use serde_json::json;

use super::gates::{released_all_along, runs, template};
use super::model::Model;
use super::walkthrough::{approve, hour, state, status};

/// At the second of two steps, whose pods do not come, a verdict says that the version is bad.
fn held_on_its_way() -> Model {
    let steps = json!([
        {"traffic": "5%", "replicas": 1, "pause": {}},
        {"traffic": "50%", "replicas": 3, "pause": {}},
    ]);
    let all_along = json!({"interval": "1m", "failureLimit": 1, "successCondition": "result[0] >= 0.95"});
    let mut model = released_all_along(steps, template("all-along", all_along));
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.metric = 0.2;
    model.unready_pods = 2;
    approve(&mut model);
    model.run(hour());
    model
}

#[test]
fn a_version_that_was_found_bad_gets_no_more_requests() {
    let mut model = held_on_its_way();
    let said = status(&model)["message"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("found the new version bad"), "{said}");
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 5");
    // Nor once its pods are there.
    model.unready_pods = 0;
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 5");
}

#[test]
fn whoever_lets_it_go_on_gets_the_whole_step_measured_anew() {
    let mut model = held_on_its_way();
    model.unready_pods = 0;
    model.metric = 1.0;
    approve(&mut model);
    model.run(SignedDuration::from_secs(30));
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    model.run(hour());
    assert_eq!(
        state(&model),
        "Progressing 2 StepPaused weight 50",
        "a person still approves"
    );
    let phases: Vec<_> = runs(&model).into_iter().map(|(_, phase)| phase).collect();
    assert_eq!(phases, ["Failed", "Running"]);
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
}

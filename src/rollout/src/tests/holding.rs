//! When a Rollout holds its own deletion back, and what becomes of a workload that was frozen for one which went before its release began.

use rstest::rstest;
use serde_json::{Value, json};

use super::model::Model;
use super::walkthrough::{approve, healthy, hour, inventory, state, status, two_steps};
use crate::{Evidence, Key, Kind, Propagation};

fn held(model: &Model) -> bool {
    let rollout = model.get(Kind::Rollout, "rollouts-demo");
    let finalizers = rollout.and_then(|rollout| rollout["metadata"]["finalizers"].as_array());
    finalizers.is_some_and(|finalizers| finalizers.contains(&json!("rollouts.kruise.io/rollout")))
}

fn frozen(model: &Model) -> bool {
    let workload = model.get(Kind::Deployment, "echoserver").unwrap();
    workload["spec"]["paused"] == json!(true)
}

#[test]
fn a_rollout_is_held_for_as_long_as_its_release_is_under_way() {
    let mut model = healthy(two_steps());
    assert!(!held(&model), "one at rest can be deleted when no controller runs");
    model.set_image("v2");
    model.run(hour());
    assert!(held(&model));
    assert_eq!(
        model.log.first().unwrap(),
        "patch Rollout rollouts-demo finalizers",
        "before anything is changed"
    );
    approve(&mut model);
    model.run(hour());
    assert!(held(&model));
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    assert!(!held(&model));
}

#[rstest]
#[case::back(|model: &mut Model| model.set_image("v1"), "Healthy")]
#[case::disabled(disable, "Disabled")]
fn and_not_after_another_end(#[case] end: fn(&mut Model), #[case] phase: &str) {
    let mut model = healthy(two_steps());
    let before = of_the_user(&model);
    model.set_image("v2");
    model.run(hour());
    assert!(held(&model));
    end(&mut model);
    model.run(hour());
    assert_eq!(status(&model)["phase"], phase);
    assert!(!held(&model));
    assert_eq!(of_the_user(&model), before);
}

/// What there is beside the Rollout.
fn of_the_user(model: &Model) -> Vec<(Kind, String, Value)> {
    let mut all = inventory(model);
    all.retain(|(kind, ..)| *kind != Kind::Rollout);
    all
}

fn disable(model: &mut Model) {
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["disabled"] = json!(true)
    });
}

#[test]
fn one_that_another_controller_held_at_rest_is_let_go() {
    let mut model = healthy(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["metadata"]["finalizers"] = json!(["somebody.else/holds", "rollouts.kruise.io/rollout"]);
    });
    model.run(hour());
    let rollout = model.get(Kind::Rollout, "rollouts-demo").unwrap();
    assert_eq!(rollout["metadata"]["finalizers"], json!(["somebody.else/holds"]));
}

#[test]
fn a_workload_frozen_for_a_rollout_that_went_before_its_release_is_let_go() {
    let mut model = healthy(two_steps());
    let before = of_the_user(&model);
    model.set_image("v2");
    assert!(frozen(&model));
    model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
    model.run(hour());
    assert!(!frozen(&model));
    assert_eq!(inventory(&model), before);
}

#[test]
fn a_workload_frozen_for_a_rollout_that_is_disabled_before_its_release_is_let_go() {
    let mut model = healthy(two_steps());
    let before = of_the_user(&model);
    model.set_image("v2");
    disable(&mut model);
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Disabled");
    assert!(!frozen(&model));
    assert_eq!(of_the_user(&model), before);
}

#[test]
fn a_rollout_that_is_not_seen_yet_keeps_its_workload_frozen() {
    let mut model = healthy(two_steps());
    model.set_image("v2");
    // The watch of Rollouts is behind the one of Deployments.
    let rollout = model.objects.remove(&(Kind::Rollout, "rollouts-demo".into())).unwrap();
    let plan = model.plan();
    assert_eq!(plan.rule, "orphan");
    model.objects.insert((Kind::Rollout, "rollouts-demo".into()), rollout);
    assert!(!model.apply(&plan.writes[0]));
    assert!(frozen(&model));
}

#[test]
fn a_release_torn_from_its_rollout_is_left_to_a_person() {
    let mut model = healthy(two_steps());
    model.set_image("v2");
    model.run(hour());
    model.objects.remove(&(Kind::Rollout, "rollouts-demo".into()));
    model.log.clear();
    model.run(hour());
    assert!(frozen(&model));
    assert_eq!(model.log, [""; 0]);
}

#[rstest]
#[case::named("echoserver", false)]
#[case::another("elsewhere", true)]
fn evidence_asks_for_any_rollout_that_leads_the_workload(#[case] names: &str, #[case] holds: bool) {
    let evidence = Evidence::Unled(Key::deployment("default", "echoserver"));
    let rollout: Value = json!({
        "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": {"name": "a", "namespace": "default"},
        "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names}}
    });
    let rollout = std::sync::Arc::new(serde_json::from_value(rollout).unwrap());
    assert_eq!(evidence.still_holds(&[(Kind::Rollout, rollout)]), holds);
}

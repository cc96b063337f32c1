//! What people read in the status, from the first write to the last: phases, steps, conditions and messages, word for word.

use serde_json::json;

use super::model::Model;
use super::walkthrough::{approve, healthy, hour, two_steps};
use crate::{Kind, Propagation};

/// A model whose release stands at its first step, with nothing told yet.
fn paused() -> Model {
    let mut model = healthy(two_steps());
    model.set_image("v2");
    model.run(hour());
    model.told.clear();
    model
}

fn told(mut model: Model) -> String {
    model.run(hour());
    model.told.join("\n")
}

#[test]
fn a_rollout_is_made() {
    insta::assert_snapshot!(told(Model::new(two_steps())));
}

#[test]
fn a_release_from_the_image_to_the_last_write() {
    let mut model = healthy(two_steps());
    model.told.clear();
    model.set_image("v2");
    model.run(hour());
    approve(&mut model);
    model.run(hour());
    approve(&mut model);
    insta::assert_snapshot!(told(model));
}

#[test]
fn a_rollback() {
    let mut model = paused();
    model.set_image("v1");
    insta::assert_snapshot!(told(model));
}

#[test]
fn a_third_image() {
    let mut model = paused();
    model.set_image("v3");
    insta::assert_snapshot!(told(model));
}

#[test]
fn a_pause_of_the_whole() {
    let mut model = paused();
    let pause = |model: &mut Model, paused: bool| {
        model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
            rollout["spec"]["strategy"]["paused"] = json!(paused);
        });
    };
    pause(&mut model, true);
    model.run(hour());
    pause(&mut model, false);
    insta::assert_snapshot!(told(model));
}

#[test]
fn disabled_and_enabled_again() {
    let mut model = paused();
    let disable = |model: &mut Model, disabled: bool| {
        model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
            rollout["spec"]["disabled"] = json!(disabled)
        });
    };
    disable(&mut model, true);
    model.run(hour());
    disable(&mut model, false);
    insta::assert_snapshot!(told(model));
}

#[test]
fn a_deletion() {
    let mut model = paused();
    model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
    insta::assert_snapshot!(told(model));
}

#[test]
fn a_workload_that_goes() {
    let mut model = paused();
    model.delete(Kind::Deployment, "echoserver", Propagation::Background);
    insta::assert_snapshot!(told(model));
}

#[test]
fn routes_that_are_changed() {
    let mut model = paused();
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"] = json!([]);
    });
    insta::assert_snapshot!(told(model));
}

//! Laws that hold wherever a release stands: going back, ending, being interrupted.

use jiff::SignedDuration;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::front::{Front, answered, weight};
use super::model::Model;
use super::walkthrough::{approve, healthy, healthy_behind, hour, inventory, state, status, two_steps};
use crate::{Kind, Propagation};

/// Leads the model to the pause of a step.
fn paused_at(step: usize) -> Model {
    paused_behind(Front::Ingress, step)
}

fn paused_behind(front: Front, step: usize) -> Model {
    let mut model = healthy_behind(front, two_steps());
    model.set_image("v2");
    model.run(hour());
    for _ in 1..step {
        approve(&mut model);
        model.run(hour());
    }
    model
}

fn clean() -> Vec<(Kind, String, Value)> {
    clean_behind(Front::Ingress)
}

fn clean_behind(front: Front) -> Vec<(Kind, String, Value)> {
    inventory(&healthy_behind(front, two_steps()))
}

#[rstest]
#[case(1)]
#[case(2)]
fn rollback_takes_the_route_first_and_leaves_nothing(
    #[case] step: usize,
    #[values(
        Front::Ingress,
        Front::HttpRoute,
        Front::Reported,
        Front::GrpcRoute,
        Front::VirtualService,
        Front::Subsets
    )]
    front: Front,
) {
    let mut model = paused_behind(front, step);
    model.log.clear();
    model.set_image("v1");
    model.run(SignedDuration::from_millis(100));
    assert_eq!(weight(&model), 0);
    assert_eq!(
        model.log[0],
        match front {
            Front::Ingress => "delete Ingress echoserver-canary".to_owned(),
            _ => format!("patch {} echoserver -annotations,{}", front.kind(), front.fields()[0]),
        }
    );
    model.run(hour());
    assert_eq!(state(&model), format!("Healthy {step} Completed weight 0"));
    assert_eq!(inventory(&model), clean_behind(front));
    let conditions = status(&model)["conditions"].clone();
    assert_eq!(conditions[1]["type"], "Succeeded");
    assert_eq!(conditions[1]["status"], "False");
}

#[rstest]
#[case::before_the_first_pod(0)]
#[case::at_step_1(1)]
#[case::at_step_2(2)]
fn deletion_gives_everything_back(
    #[case] step: usize,
    #[values(
        Front::Ingress,
        Front::HttpRoute,
        Front::Reported,
        Front::GrpcRoute,
        Front::VirtualService,
        Front::Subsets
    )]
    front: Front,
) {
    let mut model = match step {
        0 => {
            let mut model = healthy_behind(front, two_steps());
            model.set_image("v2");
            model
        }
        step => paused_behind(front, step),
    };
    model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
    model.run(hour());
    let mut left = clean_behind(front);
    left.retain(|(kind, _, _)| *kind != Kind::Rollout);
    assert_eq!(inventory(&model), left);
}

#[rstest]
fn disabling_in_the_middle_gives_everything_back(
    #[values(
        Front::Ingress,
        Front::HttpRoute,
        Front::Reported,
        Front::GrpcRoute,
        Front::VirtualService,
        Front::Subsets
    )]
    front: Front,
) {
    let mut model = paused_behind(front, 1);
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["disabled"] = json!(true)
    });
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Disabled");
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"] = {
            let mut spec = rollout["spec"].clone();
            spec.as_object_mut().unwrap().remove("disabled");
            spec
        }
    });
    model.run(hour());
    assert_eq!(inventory(&model), clean_behind(front));
    assert_eq!(status(&model)["phase"], "Healthy");
}

#[rstest]
fn a_third_image_starts_over_and_ends_clean(
    #[values(
        Front::Ingress,
        Front::HttpRoute,
        Front::Reported,
        Front::GrpcRoute,
        Front::VirtualService,
        Front::Subsets
    )]
    front: Front,
) {
    let mut model = paused_behind(front, 2);
    model.set_image("v3");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    approve(&mut model);
    model.run(hour());
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    assert_eq!(inventory(&model), clean_behind(front));
}

#[test]
fn a_bad_image_gets_no_traffic_and_says_why() {
    let mut model = healthy(two_steps());
    model.bad_image = Some("v2");
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepUpgrade weight 0");
    insta::assert_snapshot!(status(&model)["message"].as_str().unwrap(), @"Rollout is in step(1/2), and upgrade workload to new version: 0 of 1 new pods are available");
}

#[rstest]
#[case::service(Kind::Service)]
#[case::ingress(Kind::Ingress)]
fn what_is_missing_is_named_before_the_first_pod(#[case] kind: Kind) {
    let mut model = healthy(two_steps());
    let object = model.get(kind, "echoserver").unwrap().clone();
    model.delete(kind, "echoserver", Propagation::Background);
    model.set_image("v2");
    model.run(hour());
    let message = status(&model)["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with(&format!("{kind} default/echoserver is not found")),
        "{message}"
    );
    assert_eq!(status(&model)["conditions"][0]["reason"], "Initializing");
    model.insert(kind, object);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}

#[test]
fn paused_as_a_whole_holds_but_a_rollback_wins() {
    let mut model = paused_at(1);
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["paused"] = json!(true)
    });
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepReady weight 5");
    model.set_image("v1");
    model.run(hour());
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
}

#[test]
fn scaling_in_a_step_grows_the_canary_and_never_shrinks_it() {
    let mut model = paused_at(2);
    for (replicas, canary) in [(10, 5), (4, 5)] {
        model.edit(Kind::Deployment, "echoserver", |object| {
            object["spec"]["replicas"] = json!(replicas)
        });
        model.run(hour());
        let found = model
            .objects
            .iter()
            .find(|((kind, name), _)| *kind == Kind::Deployment && name != "echoserver");
        assert_eq!(found.unwrap().1["spec"]["replicas"], canary);
        assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    }
}

#[test]
fn jumping_back_lowers_the_weight_and_a_wrong_jump_is_put_right() {
    let mut model = paused_at(2);
    let jump = |model: &mut Model, to: i64| {
        model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
            rollout["status"]["canaryStatus"]["nextStepIndex"] = json!(to)
        });
        model.run(hour());
    };
    jump(&mut model, 1);
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    jump(&mut model, 7);
    assert_eq!(status(&model)["canaryStatus"]["nextStepIndex"], 2);
}

#[test]
fn our_objects_are_made_again() {
    for kind in [Kind::Ingress, Kind::Service, Kind::Deployment, Kind::BatchRelease] {
        let mut model = paused_at(1);
        let ours = model
            .objects
            .keys()
            .find(|(of, name)| *of == kind && name != "echoserver")
            .unwrap()
            .1
            .clone();
        model.delete(kind, &ours, Propagation::Background);
        model.run(hour());
        assert_eq!(state(&model), "Progressing 1 StepPaused weight 5", "{kind}");
        assert!(model.get(kind, &ours).is_some(), "{kind}");
    }
}

#[test]
fn a_workload_deleted_in_the_middle_takes_the_routes_with_it() {
    let mut model = paused_at(1);
    model.delete(Kind::Deployment, "echoserver", Propagation::Background);
    model.run(hour());
    let mut left = clean();
    left.retain(|(kind, _, _)| *kind != Kind::Deployment);
    assert_eq!(inventory(&model), left);
    assert_eq!(status(&model)["message"], "Workload Not Found");
}

#[test]
fn a_timed_pause_is_never_shorter_than_asked() {
    let mut model = healthy(
        json!([{"traffic": "5%", "replicas": 1, "pause": {"duration": 10}}, {"traffic": "50%", "replicas": 2, "pause": {}}]),
    );
    model.set_image("v2");
    model.run(SignedDuration::from_millis(15_999));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.run(SignedDuration::from_millis(1));
    assert!(state(&model).starts_with("Progressing 2"), "{}", state(&model));
}

#[test]
fn the_younger_of_two_rollouts_stands_back() {
    let mut model = healthy(two_steps());
    let mut other = model.get(Kind::Rollout, "rollouts-demo").unwrap().clone();
    other["metadata"] = json!({"name": "another"});
    other["status"] = Value::Null;
    model.insert(Kind::Rollout, other);
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    let message = &model.get(Kind::Rollout, "another").unwrap()["status"]["message"];
    assert_eq!(
        message,
        "Deployment/default/echoserver is released by Rollout rollouts-demo already; delete one of the two"
    );
}

/// Runs a release whose every plan is cut after `cut` writes the first time it has more, and checks what must hold at each write.
fn interrupted(front: Front, cuts: &[usize]) -> Model {
    let mut model = healthy_behind(front, two_steps());
    model.set_image("v2");
    let mut cuts = cuts.iter().copied();
    let mut approvals = 0;
    for _ in 0..400 {
        model.play();
        let plan = model.plan();
        if plan.writes.is_empty() {
            match plan.wake {
                crate::Wake::At(moment) => model.now = moment,
                crate::Wake::OnChange if approvals < 2 => {
                    approvals += 1;
                    approve(&mut model);
                }
                crate::Wake::OnChange => return model,
            }
            continue;
        }
        let cut = cuts.next().unwrap_or(usize::MAX);
        for write in plan.writes.iter().take(cut) {
            let before = weight(&model);
            assert!(
                model.apply(write),
                "a write decided on what is there goes through: {write:?}"
            );
            if weight(&model) > before {
                assert!(answered(&model), "no route to an empty Service");
            }
        }
    }
    panic!("no end:\n{}", model.log.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cut_off_after_any_write_the_release_ends_the_same(
        cuts in proptest::collection::vec(0usize..4, 0..30),
        front in prop::sample::select(Front::ALL.to_vec()),
    ) {
        let model = interrupted(front, &cuts);
        prop_assert_eq!(state(&model), "Healthy 2 Completed weight 0");
        prop_assert_eq!(inventory(&model), clean_behind(front));
    }

    #[test]
    fn a_plan_of_an_older_world_is_refused(advance in 0usize..12) {
        let mut model = healthy(two_steps());
        model.set_image("v2");
        for _ in 0..advance {
            model.play();
            let plan = model.plan();
            if let (true, crate::Wake::At(moment)) = (plan.writes.is_empty(), plan.wake) {
                model.now = moment;
            }
            for write in &plan.writes {
                model.apply(write);
            }
        }
        model.play();
        let plan = model.plan();
        for write in &plan.writes {
            model.apply(write);
        }
        for write in &plan.writes {
            prop_assert!(!model.apply(write), "{:?}", write);
        }
    }
}

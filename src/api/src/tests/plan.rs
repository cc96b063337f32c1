//! Plans, hashes and quantities.

use rstest::rstest;
use serde_json::{Value, json};

use super::demo;
use crate::attachment::{RolloutAnalysis, VerdictAction};
use crate::hash::{plan_hash, same_template, template_revision};
use crate::parts::IntOrString;
use crate::plan::{Pause, Plan, Route, Router, Stage, Style};
use crate::quantity::{Weight, scaled};

#[rstest]
#[case(IntOrString::Int(3), 5, 3)]
#[case(IntOrString::String("20%".to_owned()), 5, 1)]
#[case(IntOrString::String("20%".to_owned()), 6, 2)]
#[case(IntOrString::String("1%".to_owned()), 1, 1)]
#[case(IntOrString::String("0%".to_owned()), 9, 0)]
#[case(IntOrString::String("100%".to_owned()), 7, 7)]
#[case(IntOrString::String("2147483647%".to_owned()), i32::MAX, i32::MAX)]
fn percentages_are_rounded_up(#[case] quantity: IntOrString, #[case] total: i32, #[case] pods: i32) {
    assert_eq!(scaled(&quantity, total), Ok(pods));
}

#[test]
fn the_walkthrough_reads_as_a_plan() {
    let plan = Plan::of(&demo()).unwrap();
    assert_eq!(plan.style(), Style::Canary);
    assert_eq!(plan.steps[0].route, Some(Route::Weight(Weight::new(5).unwrap())));
    assert_eq!(plan.steps[0].pause, Pause::Manual);
    assert_eq!(plan.steps[0].pods(5), 1);
    assert_eq!(plan.default_next(1), -1);
    let routing = plan.routing.unwrap();
    assert_eq!(
        routing.routers,
        [Router::Ingress {
            class: "nginx".to_owned(),
            name: "echoserver".to_owned()
        }]
    );
    assert_eq!(routing.grace().as_secs(), 3);
}

#[rstest]
#[case::http(json!({"httpRouteName": "web"}), vec![Router::HttpRoute { name: "web".into() }])]
#[case::grpc(json!({"grpcRouteName": "web"}), vec![Router::GrpcRoute { name: "web".into() }])]
#[case::unnamed(json!({"httpRouteName": ""}), vec![])]
fn a_gateway_routing_names_one_route(#[case] gateway: Value, #[case] routers: Vec<Router>) {
    let routing = serde_json::from_value(json!({"service": "web", "gateway": gateway})).unwrap();
    assert_eq!(crate::plan::Routing::of(&routing, true).routers, routers);
}

#[test]
fn unreadable_quantities_are_named() {
    let mut rollout = demo();
    let steps = rollout.spec.strategy.canary.as_mut().unwrap().steps.as_mut().unwrap();
    steps[0].replicas = Some(IntOrString::String("abc".to_owned()));
    steps[0].traffic = Some("400%".to_owned());
    let errors = Plan::of(&rollout).unwrap_err();
    insta::assert_snapshot!(crate::field_error::aggregate(&errors), @r#"[spec.strategy.canary.steps[0].replicas: Invalid value: "abc": "abc" is not a percentage; write a whole number followed by %, as in "20%", spec.strategy.canary.steps[0].traffic: Invalid value: "400%": 400% is not a share of traffic; write 0% to 100%]"#);
}

#[test]
fn a_plan_hash_changes_with_the_plan_and_not_with_its_pauses() {
    let before = demo();
    let hash = plan_hash(&before.spec.strategy).unwrap();
    assert_eq!(hash.len(), 64);
    let mut paused = before.clone();
    paused.spec.strategy.paused = Some(true);
    let canary = paused.spec.strategy.canary.as_mut().unwrap();
    canary.failure_threshold = Some(IntOrString::Int(1));
    canary.steps.as_mut().unwrap()[0].pause = None;
    assert_eq!(plan_hash(&paused.spec.strategy), Some(hash.clone()));
    let mut heavier = before;
    heavier.spec.strategy.canary.as_mut().unwrap().steps.as_mut().unwrap()[0].traffic = Some("6%".to_owned());
    assert_ne!(plan_hash(&heavier.spec.strategy), Some(hash));
}

/// The walkthrough, whose first step has a gate with `pause`.
fn gated(pause: Value, gate: Value) -> Plan {
    let mut rollout = demo();
    let step = &mut rollout.spec.strategy.canary.as_mut().unwrap().steps.as_mut().unwrap()[0];
    step.pause = serde_json::from_value(pause).unwrap();
    step.analysis = serde_json::from_value(gate).unwrap();
    Plan::of(&rollout).unwrap()
}

#[rstest]
#[case::waits_for_it(json!({ "untilAnalysis": true }), json!({ "templates": [{ "templateName": "t" }] }), Pause::UntilAnalysis)]
#[case::a_person_after_it(json!({}), json!({ "templates": [{ "templateName": "t" }] }), Pause::Manual)]
#[case::nothing_to_wait_for(json!({ "untilAnalysis": true, "duration": 0 }), json!(null), Pause::Manual)]
#[case::nothing_measured(json!({ "untilAnalysis": true }), json!({ "templates": [] }), Pause::Manual)]
#[case::not_wanted(json!({ "untilAnalysis": false, "duration": 5 }), json!(null), Pause::For(5))]
fn a_pause_waits_for_an_analysis_that_there_is(#[case] pause: Value, #[case] gate: Value, #[case] expected: Pause) {
    assert_eq!(gated(pause, gate).steps[0].pause, expected);
}

#[test]
fn a_block_without_options_pauses_and_keeps_five_runs() {
    let plan = gated(json!({}), json!({ "templates": [{ "templateName": "t" }] }));
    let gate = plan.steps[0].gate.clone().unwrap();
    let actions = [gate.on_failure, gate.on_error, gate.on_inconclusive];
    assert_eq!(actions, [VerdictAction::Pause; 3]);
    assert_eq!((gate.successful_history, gate.unsuccessful_history), (5, 5));
}

#[test]
fn analyses_are_read_at_each_place() {
    let mut rollout = demo();
    let canary = rollout.spec.strategy.canary.as_mut().unwrap();
    let block = json!({ "templates": [{ "templateName": "t" }], "onFailure": "Rollback", "startingStep": 2 });
    canary.analysis = serde_json::from_value(block).unwrap();
    let background = Plan::of(&rollout).unwrap().background.unwrap();
    assert_eq!(background.starting_step, 2);
    assert_eq!(background.analysis.on_failure, VerdictAction::Rollback);
}

#[test]
fn a_promotion_has_steps_of_its_own() {
    let mut rollout = demo();
    let listed = Plan::of(&rollout).unwrap();
    let canary = rollout.spec.strategy.canary.as_mut().unwrap();
    let block = |more: Value| {
        let mut block = json!({ "templates": [{ "templateName": "t" }] });
        block.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(block).unwrap()
    };
    canary.pre_promotion_analysis = block(json!({}));
    canary.post_promotion_analysis = block(json!({ "duration": 600 }));
    let plan = Plan::of(&rollout).unwrap();
    assert_eq!(plan.last_own_step(), listed.step_count());
    assert_eq!(plan.step_count(), listed.step_count() + 2);
    let (before, after) = (&plan.steps[plan.steps.len() - 2], &plan.steps[plan.steps.len() - 1]);
    let last = listed.steps.last().unwrap();
    assert_eq!((&before.replicas, &before.route), (&last.replicas, &last.route));
    assert_eq!(after.route, Some(Route::Weight(Weight::ALL)));
    assert!(after.is_all());
    for (step, stage) in [
        (before, Stage::BeforePromotion),
        (after, Stage::AfterPromotion { bake: Some(600) }),
    ] {
        assert_eq!((step.stage, step.pause), (stage, Pause::UntilAnalysis));
        assert!(step.gate.is_some());
    }
}

#[test]
fn editing_an_analysis_keeps_the_plan_hash() {
    let before = demo();
    let mut after = before.clone();
    let canary = after.spec.strategy.canary.as_mut().unwrap();
    let block: RolloutAnalysis = serde_json::from_value(json!({ "templates": [{ "templateName": "t" }] })).unwrap();
    canary.analysis = Some(block.clone());
    canary.pre_promotion_analysis = Some(block.clone());
    canary.post_promotion_analysis = Some(block.clone());
    let step = &mut canary.steps.as_mut().unwrap()[0];
    step.analysis = Some(block);
    step.pause = serde_json::from_value(json!({ "untilAnalysis": true })).unwrap();
    assert_eq!(plan_hash(&after.spec.strategy), plan_hash(&before.spec.strategy));
}

#[test]
fn a_revision_is_the_template_and_nothing_else() {
    let written = json!({ "metadata": { "labels": { "app": "e" } }, "spec": { "containers": [{ "name": "e", "image": "a:1" }] } });
    let owned = json!({
        "metadata": { "creationTimestamp": null, "labels": { "app": "e", "pod-template-hash": "x" } },
        "spec": { "containers": [{ "name": "e", "image": "a:1", "command": null }] },
    });
    assert!(same_template(&written, &owned));
    assert_eq!(template_revision(&written), template_revision(&owned));
    let newer = json!({ "metadata": { "labels": { "app": "e" } }, "spec": { "containers": [{ "name": "e", "image": "a:2" }] } });
    assert_ne!(template_revision(&written), template_revision(&newer));
}

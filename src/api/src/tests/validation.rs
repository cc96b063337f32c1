//! The rules, one by one: the checklist's C020 to C039, and bad input that people really write.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]

use rstest::rstest;
use serde_json::{Value, json};

use super::demo;
use crate::convert::convert;
use crate::field_error::aggregate;
use crate::v1beta1::Rollout;
use crate::validate::{self, Limits};

/// The walkthrough with `patch` merged over its v1beta1 form.
fn beta(patch: Value) -> Value {
    let mut rollout = serde_json::to_value(demo()).unwrap();
    merge(&mut rollout, patch);
    rollout
}

fn alpha(patch: Value) -> Value {
    let mut rollout = serde_yaml::from_str(include_str!("../../../../fixtures/article/rollout.yaml")).unwrap();
    merge(&mut rollout, patch);
    rollout
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(&key);
                } else {
                    merge(target.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

fn steps(steps: &Value) -> Value {
    json!({ "spec": { "strategy": { "canary": { "steps": steps } } } })
}

fn blue_green(kind: &str, traffic: &str) -> Value {
    json!({ "spec": {
        "workloadRef": { "kind": kind },
        "strategy": { "canary": null, "blueGreen": { "steps": [{ "replicas": "100%", "traffic": traffic }] } },
    } })
}

fn routing(routing: &Value) -> Value {
    json!({ "spec": { "strategy": { "canary": { "trafficRoutings": [routing] } } } })
}

fn threshold(threshold: &Value) -> Value {
    json!({ "spec": { "strategy": { "canary": { "failureThreshold": threshold } } } })
}

fn analysed(field: &str, block: Value) -> Value {
    json!({ "spec": { "strategy": { "canary": { field: block } } } })
}

/// A step with a gate by template t, and `pause`.
fn gate(pause: &Value) -> Value {
    steps(&json!([{ "replicas": 1, "pause": pause, "analysis": { "templates": [{ "templateName": "t" }] } }]))
}

/// A block by template t, and `more`.
fn block(more: &Value) -> Value {
    let mut block = json!({ "templates": [{ "templateName": "t" }] });
    merge(&mut block, more.clone());
    block
}

fn given(args: &Value) -> Value {
    analysed("analysis", block(&json!({ "args": args })))
}

fn in_place(steps: &Value) -> Value {
    json!({ "spec": { "strategy": { "canary": { "enableExtraWorkloadForCanary": false, "steps": steps } } } })
}

fn verdict(rollout: &Value, old: Option<&Value>, others: &[Rollout]) -> String {
    match validate::rollout(rollout, old, others, Limits::default()) {
        Ok(errors) if errors.is_empty() => String::new(),
        Ok(errors) => aggregate(&errors),
        Err(text) => text,
    }
}

#[rstest]
#[case::c020_neither(json!({ "spec": { "strategy": { "canary": null } } }), "cannot both be empty")]
#[case::c020_both(json!({ "spec": { "strategy": { "blueGreen": {} } } }), "cannot both be set")]
#[case::c021(json!({ "spec": { "workloadRef": { "kind": "Job" } } }), "WorkloadRef kind is not supported")]
#[case::c022(blue_green("StatefulSet", "50%"), "not supported for bluegreen style")]
#[case::c023(steps(&json!([])), "The number of Canary.Steps cannot be empty")]
#[case::c024_missing(steps(&json!([{ "traffic": "5%" }])), "replicas cannot be empty")]
#[case::c024_zero(steps(&json!([{ "replicas": 0 }])), "replicas must be positive number, or a percentage")]
#[case::c024_zero_percent(steps(&json!([{ "replicas": "0%" }])), "replicas must be positive number, or a percentage")]
#[case::c024_too_much(steps(&json!([{ "replicas": "101%" }])), "replicas must be positive number, or a percentage")]
#[case::c024_words(steps(&json!([{ "replicas": "abc" }])), "steps[0].replicas: Invalid value: \"abc\": replicas must be positive number")]
#[case::c025(steps(&json!([{ "replicas": 200 }])), "")]
#[case::c026_over(in_place(&json!([{ "replicas": "60%", "traffic": "5%" }])), "at most 50%")]
#[case::c026_at(in_place(&json!([{ "replicas": "50%", "traffic": "5%" }])), "")]
#[case::c026_number(in_place(&json!([{ "replicas": 60, "traffic": "5%" }])), "")]
#[case::c026_no_traffic(in_place(&json!([{ "replicas": "100%" }])), "")]
#[case::c027_canary(steps(&json!([{ "replicas": 1, "traffic": "0%" }])), "traffic must be percentage")]
#[case::c027_blue_green(blue_green("Deployment", "0%"), "")]
#[case::c027_too_much(steps(&json!([{ "replicas": 1, "traffic": "400%" }])), "Invalid value: \"400%\": traffic must be percentage")]
#[case::c027_words(steps(&json!([{ "replicas": 1, "traffic": "many" }])), "traffic must be percentage")]
#[case::c028_down(steps(&json!([{ "replicas": 3 }, { "replicas": 2 }])), "steps[1].replicas: Invalid value: 2: steps must be a non decreasing sequence")]
#[case::c028_mixed(steps(&json!([{ "replicas": 3 }, { "replicas": "2%" }])), "")]
#[case::c029(json!({ "spec": { "strategy": { "canary": { "trafficRoutings": [
    { "service": "a", "ingress": { "name": "a" } }, { "service": "b", "ingress": { "name": "b" } },
] } } } }), "Rollout currently only support single TrafficRouting.")]
#[case::c030_no_router(routing(&json!({ "service": "a" })), "give one of ingress, gateway and customNetworkRefs")]
#[case::c030_no_service(routing(&json!({ "service": "", "ingress": { "name": "a" } })), "trafficRoutings[0].service: Required value")]
#[case::c030_no_ingress_name(routing(&json!({ "service": "a", "ingress": { "name": "" } })), "ingress.name: Required value")]
#[case::c030_no_route_name(routing(&json!({ "service": "a", "gateway": {} })), "httpRouteName: Required value")]
#[case::a_grpc_route(routing(&json!({ "service": "a", "gateway": { "grpcRouteName": "a" } })), "")]
#[case::two_routes(routing(&json!({ "service": "a", "gateway": { "httpRouteName": "a", "grpcRouteName": "b" } })), "gateway.grpcRouteName: Forbidden: one route can be named here; name the other in customNetworkRefs")]
#[case::c031(routing(&json!({ "service": "a", "gracePeriodSeconds": -1, "ingress": { "name": "a" } })), "gracePeriodSeconds: Invalid value: -1")]
#[case::no_name(json!({ "spec": { "workloadRef": { "name": "" } } }), "spec.workloadRef.name: Required value: name the workload that is released")]
#[case::threshold(threshold(&json!("20%")), "")]
#[case::threshold_below(threshold(&json!(-1)), "canary.failureThreshold: Invalid value: -1: failureThreshold must be a number of pods, 0 or more")]
#[case::threshold_words(threshold(&json!("some")), "canary.failureThreshold: Invalid value: \"some\"")]
#[case::threshold_above(threshold(&json!("101%")), "canary.failureThreshold: Invalid value: \"101%\"")]
#[case::pause_below(steps(&json!([{ "replicas": 1, "pause": { "duration": -1 } }])), "steps[0].pause.duration: Invalid value: -1: a time cannot be negative; write 0 or more seconds")]
#[case::too_many_steps(steps(&json!(vec![json!({ "replicas": 1 }); 51])), "canary.steps: Invalid value: 51: a release has at most 50 steps")]
#[case::as_many_as_there_may_be(steps(&json!(vec![json!({ "replicas": 1 }); 50])), "")]
#[case::gate(gate(&json!({ "untilAnalysis": true })), "")]
#[case::gate_for_a_person(gate(&json!({})), "")]
#[case::gate_and_time(gate(&json!({ "untilAnalysis": true, "duration": 3 })), "steps[0].pause.untilAnalysis: Invalid value: true: a pause ends after a time or with the analysis, not both")]
#[case::no_gate(steps(&json!([{ "replicas": 1, "pause": { "untilAnalysis": true } }])), "steps[0].pause.untilAnalysis: Invalid value: true: the step has no analysis to wait for")]
#[case::no_templates(analysed("analysis", json!({})), "canary.analysis.templates: Required value")]
#[case::unnamed_template(analysed("analysis", json!({ "templates": [{ "templateName": "" }] })), "canary.analysis.templates[0].templateName: Required value")]
#[case::starting_step(analysed("analysis", block(&json!({ "startingStep": 1 }))), "")]
#[case::starting_step_past_the_end(analysed("analysis", block(&json!({ "startingStep": 2 }))), "analysis.startingStep: Invalid value: 2: there is no such step; write 1 to 1")]
#[case::starting_step_zero(analysed("analysis", block(&json!({ "startingStep": 0 }))), "analysis.startingStep: Invalid value: 0")]
#[case::starting_step_elsewhere(analysed("prePromotionAnalysis", block(&json!({ "startingStep": 1 }))), "prePromotionAnalysis.startingStep: Forbidden")]
#[case::bake(analysed("postPromotionAnalysis", block(&json!({ "duration": 600 }))), "")]
#[case::bake_below(analysed("postPromotionAnalysis", block(&json!({ "duration": -1 }))), "postPromotionAnalysis.duration: Invalid value: -1")]
#[case::bake_elsewhere(analysed("analysis", block(&json!({ "duration": 1 }))), "analysis.duration: Forbidden: only postPromotionAnalysis has a duration")]
#[case::history(analysed("analysis", block(&json!({ "unsuccessfulRunHistoryLimit": -1 }))), "analysis.unsuccessfulRunHistoryLimit: Invalid value: -1")]
#[case::ttl(analysed("analysis", block(&json!({ "ttlStrategy": { "secondsAfterSuccess": -1 } }))), "ttlStrategy.secondsAfterSuccess: Invalid value: -1")]
#[case::arguments(given(&json!([
    { "name": "a", "value": "" },
    { "name": "b", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
    { "name": "c", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
    { "name": "d", "valueFrom": { "podTemplateHashValue": "Latest" } },
])), "")]
#[case::argument_twice(given(&json!([{ "name": "a", "value": "1" }, { "name": "a", "value": "2" }])), "args[1].name: Invalid value: \"a\": another argument has this name")]
#[case::argument_unnamed(given(&json!([{ "name": "", "value": "1" }])), "args[0].name: Required value")]
#[case::argument_without(given(&json!([{ "name": "a" }])), "args[0].value: Required value: argument a has no value")]
#[case::argument_with_both(given(&json!([{ "name": "a", "value": "1", "valueFrom": { "podTemplateHashValue": "Stable" } }])), "args[0].valueFrom: Forbidden")]
#[case::argument_from_nowhere(given(&json!([{ "name": "a", "valueFrom": {} }])), "give exactly one of secretKeyRef, fieldRef and podTemplateHashValue")]
#[case::argument_from_no_field(given(&json!([{ "name": "a", "valueFrom": { "fieldRef": { "fieldPath": "" } } }])), "fieldRef.fieldPath: Required value")]
#[case::argument_from_no_secret(given(&json!([{ "name": "a", "valueFrom": { "secretKeyRef": { "name": "s", "key": "" } } }])), "secretKeyRef.key: Required value")]
#[case::traffic_may_fall(steps(&json!([{ "replicas": 1, "traffic": "50%" }, { "replicas": 1, "traffic": "5%" }])), "")]
fn v1beta1(#[case] patch: Value, #[case] says: &str) {
    let verdict = verdict(&beta(patch), None, &[]);
    assert!(
        verdict.contains(says) && verdict.is_empty() == says.is_empty(),
        "{verdict}"
    );
}

#[rstest]
#[case::plain(json!({}), "")]
#[case::starting_step_past_the_end(analysed("analysis", block(&json!({ "startingStep": 9 }))), "canary.analysis.startingStep: Invalid value: 9")]
#[case::no_gate(steps(&json!([{ "weight": 5, "pause": { "untilAnalysis": true } }])), "the step has no analysis to wait for")]
#[case::weight_400(steps(&json!([{ "weight": 400, "replicas": 1 }])), "steps[0].weight: Invalid value: 400")]
#[case::weight_0(steps(&json!([{ "weight": 0 }])), "weight must be positive number")]
#[case::neither(steps(&json!([{ "pause": {} }])), "weight and replicas cannot be empty at the same time")]
#[case::words(steps(&json!([{ "weight": 5, "replicas": "abc" }])), "Invalid value: \"abc\"")]
#[case::out_of_order(steps(&json!([{ "weight": 40 }, { "weight": 5 }])), "steps[1].weight: Invalid value: 5: steps must be a non decreasing sequence")]
#[case::unknown_router(routing(&json!({ "service": "e", "type": "foo", "ingress": { "name": "e" } })), "trafficRoutings[0].type: Invalid value: \"foo\": unknown router type")]
#[case::contradiction(routing(&json!({ "service": "e", "type": "nginx", "ingress": { "name": "e", "classType": "mse" } })), "disagree")]
#[case::no_workload(json!({ "spec": { "objectRef": null } }), "spec.objectRef.workloadRef: Required value: WorkloadRef is required")]
#[case::no_canary(json!({ "spec": { "strategy": { "canary": null } } }), "spec.strategy.canary: Required value")]
#[case::odd_style(json!({ "metadata": { "annotations": { "rollouts.kruise.io/rolling-style": "blue" } } }), "Rolling style must be")]
#[case::partition_weight(json!({
    "metadata": { "annotations": { "rollouts.kruise.io/rolling-style": "Partition" } },
    "spec": { "strategy": { "canary": { "steps": [{ "weight": 60 }] } } },
}), "at most 50%")]
#[case::no_name(json!({ "spec": { "objectRef": { "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "" } } } }), "spec.objectRef.workloadRef.name: Required value")]
#[case::threshold_below(threshold(&json!(-1)), "canary.failureThreshold: Invalid value: -1")]
#[case::weight_nothing_with_pods(steps(&json!([{ "weight": 0, "replicas": 1 }])), "")]
#[case::weight_below(steps(&json!([{ "weight": -1, "replicas": 1 }])), "steps[0].weight: Invalid value: -1")]
#[case::pods_out_of_order(steps(&json!([{ "replicas": 3 }, { "replicas": 2 }])), "steps[1].replicas: Invalid value: 2: steps must be a non decreasing sequence")]
#[case::no_service(routing(&json!({ "service": "", "ingress": { "name": "e" } })), "trafficRoutings[0].service: Required value")]
#[case::no_router(routing(&json!({ "service": "e" })), "give one of ingress, gateway and customNetworkRefs")]
#[case::grace_below(routing(&json!({ "service": "e", "gracePeriodSeconds": -1, "ingress": { "name": "e" } })), "gracePeriodSeconds: Invalid value: -1")]
#[case::another_kind(json!({ "spec": { "objectRef": { "workloadRef": { "apiVersion": "batch/v1", "kind": "Job", "name": "e" } } } }), "WorkloadRef kind is not supported")]
fn v1alpha1(#[case] patch: Value, #[case] says: &str) {
    let verdict = verdict(&alpha(patch), None, &[]);
    assert!(
        verdict.contains(says) && verdict.is_empty() == says.is_empty(),
        "{verdict}"
    );
}

#[test]
fn c032_one_workload_has_one_rollout_disabled_or_not() {
    let mut other = demo();
    other.metadata.name = Some("first".to_owned());
    other.spec.disabled = Some(true);
    insta::assert_snapshot!(verdict(&beta(json!({})), None, &[other.clone(), demo()]), @r#"spec.workloadRef: Invalid value: {"apiVersion":"apps/v1","kind":"Deployment","name":"echoserver"}: one workload only have less than one Rollout, and Rollout "first" has this one; delete or change one of the two"#);
    assert!(verdict(&alpha(json!({})), None, &[other]).contains("one workload only have less than one Rollout"));
    assert_eq!(verdict(&beta(json!({})), None, &[demo()]), "");
}

#[rstest]
#[case::c033(json!({ "spec": { "workloadRef": { "name": "other" } } }), "spec.workloadRef: Forbidden")]
#[case::c034(routing(&json!({ "service": "other", "ingress": { "name": "echoserver" } })), "canary.trafficRoutings: Forbidden")]
#[case::c035(json!({ "spec": { "strategy": { "canary": { "enableExtraWorkloadForCanary": false } } } }), "spec.strategy: Forbidden")]
#[case::c036(steps(&json!([{ "replicas": 1, "traffic": "5%" }, { "replicas": 2 }])), "canary.steps: Forbidden")]
#[case::c039_traffic(steps(&json!([{ "replicas": 1, "traffic": "7%" }])), "")]
#[case::c039_pause(steps(&json!([{ "replicas": 1, "traffic": "5%", "pause": { "duration": 9 } }])), "")]
fn in_a_release_the_plan_stays_in_place(#[case] patch: Value, #[case] says: &str) {
    let stored = |phase: &str| {
        beta(json!({ "status": { "phase": phase, "currentStepIndex": 1, "currentStepState": "StepPaused" } }))
    };
    let new = beta(patch);
    let verdict_in_release = verdict(&new, Some(&stored("Progressing")), &[]);
    assert!(
        verdict_in_release.contains(says) && verdict_in_release.is_empty() == says.is_empty(),
        "{verdict_in_release}"
    );
    assert_eq!(verdict(&new, Some(&stored("Healthy")), &[]), "", "C038");
}

#[test]
fn c037_the_number_of_steps_may_change_in_v1alpha1() {
    let stored = alpha(json!({ "status": { "phase": "Progressing" } }));
    assert_eq!(
        verdict(
            &alpha(steps(&json!([{ "weight": 5, "replicas": 1 }, { "weight": 40 }]))),
            Some(&stored),
            &[]
        ),
        ""
    );
}

#[test]
fn a_blue_green_rollout_may_be_written_through_v1alpha1() {
    let seen = convert(&beta(blue_green("Deployment", "0%")), "rollouts.kruise.io/v1alpha1").unwrap();
    assert_eq!(verdict(&seen, None, &[]), "");
}

#[test]
fn several_errors_are_one_line() {
    let verdict = verdict(
        &beta(steps(&json!([{ "replicas": "abc", "traffic": "400%" }]))),
        None,
        &[],
    );
    insta::assert_snapshot!(verdict, @r#"[spec.strategy.canary.steps[0].replicas: Invalid value: "abc": replicas must be positive number, or a percentage with '0%' < replicas <= '100%', spec.strategy.canary.steps[0].traffic: Invalid value: "400%": traffic must be percentage with '0%' < traffic <= '100%']"#);
}

#[test]
fn what_cannot_be_read_is_a_bad_request_in_words() {
    insta::assert_snapshot!(verdict(&beta(json!({ "spec": { "strategy": "canary" } })), None, &[]), @r#"cannot read the Rollout: invalid type: string "canary", expected struct RolloutStrategy; compare it with `kubectl explain rollout.spec`"#);
    insta::assert_snapshot!(verdict(&json!({ "kind": "Rollout" }), None, &[]), @"cannot read the Rollout: apiVersion is missing; write rollouts.kruise.io/v1beta1 or rollouts.kruise.io/v1alpha1");
}

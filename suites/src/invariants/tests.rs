//! Each invariant finds the fault that it is named after, and is silent on a release as it should be.

use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use rstest::rstest;
use serde_json::{Value, json};

use super::judge;
use crate::dialect::{Committed, Target};
use crate::history::Entry;
use crate::kruise::Kruise;
use crate::ledger::Act;
use crate::{Check, Kubernetes};

/// One write of a told story: after how many milliseconds, and what.
type Told = (u64, Value);

fn rollout(step: u32, state: &str) -> Value {
    json!({
        "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout",
        "metadata": {"name": "demo", "namespace": "default", "generation": 1},
        "spec": {"strategy": {"canary": {"steps": [
            {"traffic": "5%", "replicas": 1, "pause": {}},
            {"traffic": "40%", "replicas": 2, "pause": {"duration": 60}},
        ], "trafficRoutings": [{"service": "web"}]}}},
        "status": {"phase": "Progressing", "observedGeneration": 1,
            "canaryStatus": {"currentStepIndex": step, "currentStepState": state, "canaryRevision": "v2"}},
    })
}

fn pod(is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "False" };
    json!({"kind": "Pod", "metadata": {"name": "web-1", "labels": {"hash": "v2"}},
        "status": {"conditions": [{"type": "Ready", "status": status}]}})
}

fn ended_pod() -> Value {
    let mut pod = pod(true);
    pod["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    pod
}

fn service() -> Value {
    json!({"kind": "Service", "metadata": {"name": "web-canary"}, "spec": {"selector": {"hash": "v2"}}})
}

fn route(weight: u32) -> Value {
    json!({"kind": "Ingress", "metadata": {"name": "web-canary",
        "annotations": {"nginx.ingress.kubernetes.io/canary-weight": weight.to_string()}},
        "spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web-canary"}}}]}}]}})
}

fn checks(told: &[Told], acts: &[(u64, Act)]) -> Vec<Check> {
    let mut at = Duration::ZERO;
    let entries: Vec<_> = (1..)
        .zip(told)
        .map(|(revision, (after, object))| {
            at += Duration::from_millis(*after);
            Entry {
                revision,
                at: Moment(at),
                gone: false,
                object: Arc::new(object.clone()),
            }
        })
        .collect();
    let acts: Vec<_> = acts.iter().map(|(at, act)| (Committed(*at), act.clone())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    let nobody = env::HttpService::new(|_| async { Err("nobody is asked".into()) });
    let kruise = Kruise::new(
        Kubernetes::new(kube::Client::new(nobody, "default")),
        Target {
            namespace: "default".to_owned(),
            workload: "web".to_owned(),
            rollout: "demo".to_owned(),
            service: "web".to_owned(),
            route: "web".to_owned(),
        },
        crate::routes::Family::Ingress,
    );
    judge(&kruise, &entries, &acts, 0, Duration::ZERO)
        .into_iter()
        .map(|failure| failure.check)
        .collect()
}

/// Step 1 is reached as it should be; seven writes.
fn to_the_gate() -> Vec<Told> {
    vec![
        (0, rollout(1, "BeforeStepUpgrade")),
        (0, service()),
        (10, pod(false)),
        (500, pod(true)),
        (3000, route(5)),
        (3000, rollout(1, "StepPaused")),
        (60_000, rollout(1, "StepPaused")),
    ]
}

fn approve() -> Act {
    Act::Approve {
        step: 1,
        revision: "v2".to_owned(),
    }
}

#[test]
fn a_release_as_it_should_be_is_silent() {
    let mut told = to_the_gate();
    told.extend([
        (0, rollout(1, "StepReady")),
        (0, rollout(2, "BeforeStepUpgrade")),
        (0, route(40)),
        (3000, rollout(2, "StepPaused")),
        (60_000, rollout(2, "StepReady")),
        (0, rollout(2, "Completed")),
        (0, route(0)),
        (3000, ended_pod()),
    ]);
    assert_eq!(checks(&told, &[(8, approve())]), []);
}

#[rstest]
#[case::gate_left_without_approval(vec![(0, rollout(2, "BeforeStepUpgrade"))], Check::Gate)]
#[case::gate_opened_by_the_controller(vec![(0, rollout(1, "StepReady"))], Check::Gate)]
#[case::ten_points_too_many(vec![(0, route(15))], Check::Weight)]
#[case::capacity_gone_while_routed(vec![(0, ended_pod())], Check::Grace)]
#[case::capacity_gone_too_early(vec![(0, route(0)), (2000, ended_pod())], Check::Grace)]
#[case::weight_back_and_forth(vec![(0, route(3))], Check::Weight)]
#[case::capacity_gone_a_moment_too_early(vec![(0, route(0)), (2700, ended_pod())], Check::Grace)]
#[case::route_to_nothing(vec![(0, pod(false))], Check::RouteBeforeReady)]
fn a_fault_is_named(#[case] fault: Vec<Told>, #[case] check: Check) {
    let mut told = to_the_gate();
    told.extend(fault);
    assert!(checks(&told, &[]).contains(&check), "{:?}", checks(&told, &[]));
}

#[test]
fn a_pause_one_moment_too_short_is_seen() {
    let mut told = to_the_gate();
    told.extend([
        (0, rollout(1, "StepReady")),
        (0, rollout(2, "BeforeStepUpgrade")),
        (0, route(40)),
        (3000, rollout(2, "StepPaused")),
        (59_999, rollout(2, "StepReady")),
    ]);
    assert_eq!(checks(&told, &[(8, approve())]), [Check::PauseLength]);
}

#[test]
fn a_route_to_pods_that_the_data_plane_cannot_know_is_seen() {
    let told = [
        (0, rollout(1, "StepUpgrade")),
        (0, service()),
        (0, pod(true)),
        (2000, route(5)),
    ];
    assert_eq!(checks(&told, &[]), [Check::Grace]);
}

#[test]
fn a_weight_that_a_person_lowers_is_no_fault() {
    let mut told = to_the_gate();
    told.push((0, route(3)));
    assert_eq!(checks(&told, &[(7, Act::EditPlan)]), []);
}

#[test]
fn a_step_that_counts_too_early_is_seen() {
    let told = [
        (0, rollout(1, "StepUpgrade")),
        (0, service()),
        (0, pod(true)),
        (3000, route(5)),
        (1000, rollout(1, "StepPaused")),
    ];
    assert_eq!(checks(&told, &[]), [Check::Grace]);
}

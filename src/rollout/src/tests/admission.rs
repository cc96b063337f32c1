//! When an update of a Deployment begins a release, when it is held in one, and when it is left alone.

use std::sync::Arc;

use kube::core::DynamicObject;
use rstest::rstest;
use serde_json::{Value, json};

use crate::Object;
use crate::admission::{Admission, deployment};

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn workload(patch: &Value) -> Value {
    let mut workload = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u-web"},
        "spec": {"replicas": 3, "strategy": {"type": "RollingUpdate"}, "template": template("v1")},
    });
    json_patch::merge(&mut workload, patch);
    workload
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": template(image)}})
}

/// Marked as in a release to v2.
fn marked() -> Value {
    json!({
        "metadata": {
            "annotations": {"rollouts.kruise.io/in-progressing": "{\"rolloutName\":\"demo\"}", "batchrelease.rollouts.kruise.io/control-info": "{}"},
            "labels": {"rollouts.kruise.io/stable-revision": "h1"},
        },
        "spec": {"paused": true, "template": template("v2")},
    })
}

fn merged(first: Value, second: &Value) -> Value {
    let mut merged = first;
    json_patch::merge(&mut merged, second);
    merged
}

fn rollout(patch: &Value) -> Object {
    let mut rollout = json!({
        "metadata": {"name": "demo", "namespace": "shop", "uid": "u-demo"},
        "spec": {
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "strategy": {"canary": {
                "enableExtraWorkloadForCanary": true,
                "steps": [{"traffic": "5%", "replicas": 1}],
                "trafficRoutings": [{"service": "web", "ingress": {"name": "web"}}],
            }},
        },
    });
    json_patch::merge(&mut rollout, patch);
    Arc::new(object(rollout))
}

fn replica_set(name: &str, image: &str, revision: &str, replicas: i64) -> Object {
    Arc::new(object(json!({
        "metadata": {
            "name": format!("web-{name}"), "namespace": "shop", "uid": name, "creationTimestamp": "2026-11-24T08:00:00Z",
            "labels": {"pod-template-hash": name}, "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u-web", "controller": true}],
        },
        "spec": {"replicas": replicas, "template": template(image)},
    })))
}

fn one_revision() -> Vec<Object> {
    vec![replica_set("h1", "v1", "1", 3)]
}

fn two_revisions() -> Vec<Object> {
    vec![replica_set("h0", "v0", "1", 1), replica_set("h1", "v1", "2", 2)]
}

fn words(admission: &Admission) -> String {
    match admission {
        Admission::Untouched => "untouched".into(),
        Admission::Denied(why) => format!("denied: {why}"),
        Admission::Patched(ops) => {
            let words = ops.iter().map(|op| match op {
                crate::Op::Add { path, value } | crate::Op::Replace { path, value } => format!("{path} = {value}"),
                crate::Op::Remove { path } => format!("{path} gone"),
            });
            words.collect::<Vec<_>>().join("\n")
        }
    }
}

#[rstest]
#[case::a_new_image(image("v2"), json!({}), one_revision(), true)]
#[case::kubectl_restart(json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}), json!({}), one_revision(), true)]
#[case::only_replicas(json!({"spec": {"replicas": 9}}), json!({}), one_revision(), false)]
#[case::only_an_annotation(json!({"metadata": {"annotations": {"note": "x"}}}), json!({}), one_revision(), false)]
#[case::only_the_hash_label(json!({"spec": {"template": {"metadata": {"labels": {"pod-template-hash": "h1"}}}}}), json!({}), one_revision(), false)]
#[case::scaled_to_nothing(merged(image("v2"), &json!({"spec": {"replicas": 0}})), json!({}), one_revision(), false)]
#[case::no_pods_yet(image("v2"), json!({}), vec![], false)]
#[case::pods_of_others(image("v2"), json!({}), vec![Arc::new(object(json!({"metadata": {"name": "x", "uid": "x", "labels": {"pod-template-hash": "x"}}, "spec": {"replicas": 1}})))], false)]
#[case::two_revisions_with_traffic(image("v2"), json!({}), two_revisions(), false)]
#[case::two_revisions_without(image("v2"), json!({"spec": {"strategy": {"canary": {"trafficRoutings": null}}}}), two_revisions(), true)]
#[case::another_workload(image("v2"), json!({"spec": {"workloadRef": {"name": "other"}}}), one_revision(), false)]
#[case::another_version_of_the_group(image("v2"), json!({"status": {"phase": "Healthy", "currentStepIndex": 0, "currentStepState": ""}}), one_revision(), true)]
#[case::disabled_by_spec(image("v2"), json!({"spec": {"disabled": true}}), one_revision(), false)]
#[case::disabled(image("v2"), json!({"status": {"phase": "Disabled", "currentStepIndex": 0, "currentStepState": ""}}), one_revision(), false)]
#[case::enabled_and_still_disabling(image("v2"), json!({"status": {"phase": "Disabling", "currentStepIndex": 0, "currentStepState": ""}}), one_revision(), true)]
#[case::deleting(image("v2"), json!({"metadata": {"deletionTimestamp": "2026-11-24T08:00:00Z"}}), one_revision(), false)]
#[case::paused_rollout(image("v2"), json!({"spec": {"strategy": {"paused": true}}}), one_revision(), true)]
fn a_release_begins_with_a_new_template(
    #[case] change: Value,
    #[case] rollout_patch: Value,
    #[case] sets: Vec<Object>,
    #[case] begins: bool,
) {
    let old = object(workload(&json!({})));
    let new = object(workload(&change));
    let verdict = deployment(&old, &new, &[rollout(&rollout_patch)], &sets);
    assert_eq!(
        words(&verdict).contains("/spec/paused = true"),
        begins,
        "{}",
        words(&verdict)
    );
    assert_eq!(verdict == Admission::Untouched, !begins, "{}", words(&verdict));
    assert_eq!(
        deployment(&old, &new, &[], &sets),
        Admission::Untouched,
        "without a Rollout"
    );
}

#[rstest]
#[case::new(None, Some("r2"), true)]
#[case::changed(Some("r1"), Some("r2"), true)]
#[case::unchanged(Some("r1"), Some("r1"), false)]
#[case::removed(Some("r1"), None, true)]
fn an_id_that_stays_says_that_it_is_the_same_release(
    #[case] before: Option<&str>,
    #[case] after: Option<&str>,
    #[case] begins: bool,
) {
    for (field, key) in [
        ("labels", "rollouts.kruise.io/rollout-id"),
        ("annotations", "rollouts.kruise.io/rollout-id"),
    ] {
        let id = |id: Option<&str>| match id {
            None => json!({}),
            Some(id) => json!({"metadata": {field: {key: id}}}),
        };
        let old = object(workload(&id(before)));
        let new = object(workload(&merged(id(after), &image("v2"))));
        let verdict = deployment(&old, &new, &[rollout(&json!({}))], &one_revision());
        assert_eq!(verdict != Admission::Untouched, begins, "{field}");
    }
}

#[test]
fn the_mark_names_the_rollout_and_the_revision_that_is_left() {
    let old = object(workload(&json!({})));
    let new = object(workload(&image("v2")));
    let verdict = deployment(&old, &new, &[rollout(&json!({}))], &one_revision());
    insta::assert_snapshot!(words(&verdict), @r#"
    /spec/paused = true
    /metadata/annotations = {"rollouts.kruise.io/in-progressing":"{\"rolloutName\":\"demo\"}"}
    /metadata/labels = {"rollouts.kruise.io/stable-revision":"h1"}
    "#);
    let unrouted = json!({"spec": {"strategy": {"canary": {"trafficRoutings": null}}}});
    let verdict = deployment(&old, &new, &[rollout(&unrouted)], &two_revisions());
    assert!(
        words(&verdict).contains("h0"),
        "the oldest revision that is not the new one: {}",
        words(&verdict)
    );
}

#[test]
fn a_push_without_a_uid_gets_the_stored_one() {
    let old = object(workload(&json!({})));
    let new = object(workload(&json!({"metadata": {"uid": ""}})));
    assert_eq!(words(&deployment(&old, &new, &[], &[])), r#"/metadata/uid = "u-web""#);
}

#[rstest]
#[case::nothing(json!({}), "untouched")]
#[case::unpaused(json!({"spec": {"paused": null}}), "/spec/paused = true")]
#[case::a_third_image(image("v3"), "untouched")]
#[case::back(image("v1"), "untouched")]
#[case::recreate(json!({"spec": {"strategy": {"type": "Recreate"}}}), r#"/spec/strategy = {"type":"RollingUpdate"}"#)]
#[case::scaled(json!({"spec": {"replicas": 9}}), "untouched")]
fn a_workload_in_a_release_stays_frozen(#[case] change: Value, #[case] says: &str) {
    let old = object(workload(&marked()));
    let new = object(workload(&merged(marked(), &change)));
    let verdict = deployment(&old, &new, &[rollout(&json!({}))], &one_revision());
    assert_eq!(words(&verdict), says);
}

fn status(phase: &str, reason: &str) -> Value {
    json!({"status": {"phase": phase, "currentStepIndex": 1, "currentStepState": "StepPaused", "conditions": [
        {"type": "Progressing", "status": "True", "reason": reason, "message": ""}]}})
}

#[rstest]
#[case::not_seen_yet(json!({}), true)]
#[case::rolling(status("Progressing", "InRolling"), true)]
#[case::held(status("Progressing", "Paused"), true)]
#[case::closing(status("Progressing", "Finalising"), false)]
#[case::going_back(status("Progressing", "Cancelling"), false)]
#[case::disabling(status("Disabling", "InRolling"), false)]
fn marks_that_an_update_leaves_out_stay_until_the_workload_is_given_back(#[case] patch: Value, #[case] stay: bool) {
    let old = object(workload(&marked()));
    // As `kubectl replace` sends it: the manifest as the user wrote it.
    let new = object(workload(&image("v2")));
    let verdict = deployment(&old, &new, &[rollout(&patch)], &one_revision());
    let says = words(&verdict);
    assert_eq!(says.contains("in-progressing"), stay, "{says}");
    assert_eq!(says.contains("/spec/paused = true"), stay, "{says}");
    assert_eq!(says.contains("control-info"), stay, "{says}");
    assert_eq!(says.contains(r#""h1""#), stay, "{says}");
}

#[rstest]
#[case::new_template(image("v2"), true)]
#[case::only_replicas(json!({"spec": {"replicas": 9}}), false)]
fn a_rollout_that_cannot_lead_lets_no_version_pass_unseen(#[case] change: Value, #[case] denied: bool) {
    let in_place = json!({"spec": {"strategy": {"canary": {"enableExtraWorkloadForCanary": false}}}});
    let old = object(workload(&json!({})));
    let new = object(workload(&change));
    let verdict = deployment(&old, &new, &[rollout(&in_place)], &one_revision());
    match denied {
        false => assert_eq!(verdict, Admission::Untouched),
        true => {
            insta::assert_snapshot!(words(&verdict), @"denied: Deployment shop/web: its template cannot be changed, since Rollout demo watches it and cannot lead the release: releasing a Deployment in place (partition) is not served yet; set spec.strategy.canary.enableExtraWorkloadForCanary: true; correct the Rollout, or release without steps by spec.disabled: true on it")
        }
    }
    let disabled = merged(in_place, &json!({"spec": {"disabled": true}}));
    assert_eq!(
        deployment(&old, &new, &[rollout(&disabled)], &one_revision()),
        Admission::Untouched
    );
}

//! What a person reads and asks for where metrics are judged.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]

use api::v1alpha1::AnalysisRun;
use api::v1beta1::Rollout;
use rstest::rstest;
use serde_json::{Value, json};

use super::because;
use crate::change::{self, Change};
use crate::runs::{self, Shown};
use crate::view::{self, Verdict};

fn block(more: Value) -> Value {
    let mut block = json!({ "templates": [{ "templateName": "success-rate" }] });
    for (key, value) in more.as_object().unwrap() {
        block[key] = value.clone();
    }
    block
}

/// A release at its second of three steps. `gate` and `background` are blocks, with `run` as the phase that the status tells of them.
fn rollout(state: &str, gate: Value, background: Value) -> Rollout {
    let run = |name: &str, block: &Value| match block.get("run") {
        Some(phase) => json!({ "name": name, "phase": phase, "message": "because" }),
        None => Value::Null,
    };
    let written = |given: &Value| match given {
        Value::Null => Value::Null,
        given => {
            let mut given = block(given.clone());
            given.as_object_mut().unwrap().remove("run");
            given
        }
    };
    let mut step = json!({ "traffic": "20%", "replicas": 1, "pause": { "duration": 600 } });
    step["analysis"] = written(&gate);
    serde_json::from_value(json!({
        "metadata": { "name": "demo", "namespace": "default", "generation": 1 },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "demo" },
            "strategy": { "canary": {
                "enableExtraWorkloadForCanary": true,
                "analysis": written(&background),
                "steps": [{ "traffic": "5%", "replicas": 1 }, step, { "traffic": "50%", "replicas": 1 }],
                "trafficRoutings": [{ "service": "demo", "ingress": { "name": "demo" } }],
            } },
        },
        "status": {
            "observedGeneration": 1, "phase": "Progressing", "message": "text", "currentStepIndex": 2, "currentStepState": state,
            "canaryStatus": {
                "currentStepIndex": 2, "nextStepIndex": 3, "currentStepState": state, "finalisingStep": "", "podTemplateHash": "h",
                "stableRevision": "old", "canaryRevision": "new", "canaryReplicas": 1, "canaryReadyReplicas": 1,
                "currentStepAnalysis": run("demo-new-2", &gate), "backgroundAnalysis": run("demo-new.1", &background),
            },
        },
    }))
    .unwrap()
}

fn operations(change: Result<Change, change::Refused>) -> String {
    match change {
        Ok(Change::Status { operations, said }) => format!("{said}\n{operations}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn approving_against_a_verdict_names_it() {
    let held = rollout("StepPaused", json!({ "run": "Failed" }), json!({ "run": "Error" }));
    assert_eq!(
        change::approve(&held, None, None).unwrap().said(),
        "approved, overruling AnalysisRun demo-new-2 (Failed) and AnalysisRun demo-new.1 (Error)"
    );
    let good = rollout(
        "StepPaused",
        json!({ "run": "Successful" }),
        json!({ "run": "Running" }),
    );
    assert_eq!(change::approve(&good, None, None).unwrap().said(), "approved");
}

#[test]
fn trying_again_tests_what_was_looked_at() {
    let held = rollout("StepPaused", json!({ "run": "Failed" }), Value::Null);
    insta::assert_snapshot!(operations(change::retry(&held)), @r#"
    measures again, after AnalysisRun demo-new-2 (Failed)
    [{"op":"test","path":"/status/canaryStatus/currentStepIndex","value":2},{"op":"test","path":"/status/canaryStatus/canaryRevision","value":"new"},{"op":"test","path":"/status/canaryStatus/currentStepState","value":"StepPaused"},{"op":"replace","path":"/status/canaryStatus/currentStepState","value":"StepMetricsAnalysis"}]
    "#);
    let background = rollout("StepPaused", Value::Null, json!({ "run": "Inconclusive" }));
    insta::assert_snapshot!(operations(change::retry(&background)), @r#"
    measures again, after AnalysisRun demo-new.1 (Inconclusive)
    [{"op":"test","path":"/status/canaryStatus/currentStepIndex","value":2},{"op":"test","path":"/status/canaryStatus/canaryRevision","value":"new"},{"op":"test","path":"/status/canaryStatus/currentStepState","value":"StepPaused"},{"op":"replace","path":"/status/canaryStatus/currentStepState","value":"StepUpgrade"}]
    "#);
    let aborted = rollout(
        "StepAborted",
        json!({ "run": "Failed", "onFailure": "Rollback" }),
        Value::Null,
    );
    insta::assert_snapshot!(operations(change::retry(&aborted)), @r#"
    tries again from step 1
    [{"op":"test","path":"/status/canaryStatus/currentStepIndex","value":2},{"op":"test","path":"/status/canaryStatus/canaryRevision","value":"new"},{"op":"test","path":"/status/canaryStatus/currentStepState","value":"StepAborted"},{"op":"replace","path":"/status/canaryStatus/currentStepIndex","value":1},{"op":"replace","path":"/status/canaryStatus/nextStepIndex","value":2},{"op":"replace","path":"/status/canaryStatus/currentStepState","value":"BeforeStepUpgrade"}]
    "#);
}

#[rstest]
#[case::good(rollout("StepPaused", json!({ "run": "Successful" }), Value::Null), "no verdict stands against step 2/3 (StepPaused) of revision new; use approve to let it go on")]
#[case::no_matter(rollout("StepPaused", Value::Null, json!({ "run": "Failed", "onFailure": "Continue" })), "no verdict stands against step 2/3 (StepPaused) of revision new; use approve to let it go on")]
#[case::under_way(rollout("StepMetricsAnalysis", json!({ "run": "Running" }), Value::Null), "metrics are being judged at step 2/3 (StepMetricsAnalysis) of revision new")]
#[case::works(
    rollout("StepUpgrade", Value::Null, Value::Null),
    "it is at step 2/3 (StepUpgrade) of revision new"
)]
#[case::nothing(Rollout::default(), "no release is under way")]
fn trying_again_without_a_verdict_says_why_not(#[case] rollout: Rollout, #[case] why: &str) {
    assert_eq!(because(change::retry(&rollout)), format!("has nothing to retry: {why}"));
}

#[rstest]
#[case::held(rollout("StepPaused", json!({ "run": "Failed" }), Value::Null), Verdict::Paused)]
#[case::held_in_the_background(rollout("StepPaused", Value::Null, json!({ "run": "Failed" })), Verdict::Paused)]
#[case::timed(rollout("StepPaused", json!({ "run": "Successful" }), Value::Null), Verdict::UnderWay)]
#[case::taken_back(rollout("StepAborted", json!({ "run": "Failed", "onFailure": "Rollback" }), Value::Null), Verdict::Aborted)]
fn verdicts(#[case] rollout: Rollout, #[case] verdict: Verdict) {
    assert_eq!(view::verdict(&rollout), verdict);
}

fn run(spec: Value, status: Value) -> AnalysisRun {
    serde_json::from_value(json!({ "metadata": { "name": "demo-new-2" }, "spec": spec, "status": status })).unwrap()
}

fn success_rate() -> Value {
    json!({
        "name": "success-rate", "interval": "1m", "count": 3, "failureLimit": 1, "successCondition": "result[0] >= {{args.least}}",
        "minSamples": { "query": "q", "atLeast": 100 },
        "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "q" } },
    })
}

fn spec(metrics: Value) -> Value {
    json!({ "args": [{ "name": "least", "value": "0.95" }], "metrics": metrics })
}

fn text(run: &AnalysisRun) -> String {
    runs::run_lines("AnalysisRun demo-new-2", run).join("\n")
}

#[test]
fn a_bad_version_is_told_by_its_values() {
    let found = json!({ "phase": "Failed", "message": "Metric \"success-rate\" assessed Failed due to failed (2) > failureLimit (1)", "metricResults": [
        { "name": "success-rate", "phase": "Failed", "count": 2, "failed": 2, "measurements": [
            { "phase": "Failed", "value": "[0.91]" }, { "phase": "Failed", "value": "[0.2]" },
        ] },
    ] });
    insta::assert_snapshot!(text(&run(spec(json!([success_rate()])), found)), @r#"
    AnalysisRun demo-new-2: Failed: Metric "success-rate" assessed Failed due to failed (2) > failureLimit (1)
      success-rate: Failed, last value [0.2]
        good if result[0] >= 0.95
        with 100 requests of the new version at least
        2 of 3 measured: 0 good, 2 bad (limit 1), 0 neither (limit 0), 0 errors (0 in a row, limit 4)
    "#);
}

#[test]
fn an_outage_of_the_metric_server_is_no_bad_version() {
    let found = json!({ "phase": "Running", "metricResults": [
        { "name": "success-rate", "phase": "Running", "count": 1, "successful": 1, "error": 3, "consecutiveError": 3, "measurements": [
            { "phase": "Error", "message": "Prometheus metric: no answer:\n\u{1b}[31m connection refused", "metadata": { "reason": "MetricServerUnavailable" } },
        ] },
    ] });
    insta::assert_snapshot!(text(&run(spec(json!([success_rate()])), found)), @"
    AnalysisRun demo-new-2: Running
      success-rate: Running
        good if result[0] >= 0.95
        with 100 requests of the new version at least
        1 of 3 measured: 1 good, 0 bad (limit 1), 0 neither (limit 0), 3 errors (3 in a row, limit 4)
        the metric server is out, which says nothing about the new version: Prometheus metric: no answer:  [31m connection refused
    ");
}

#[test]
fn a_comparison_tells_how_near_each_verdict_is() {
    let arm = json!({ "errors": "e", "total": "t" });
    let metric = json!({
        "name": "errors", "interval": "15s", "count": 240, "comparison": { "stable": arm, "canary": arm },
        "provider": { "prometheus": { "address": "http://prometheus:9090" } },
    });
    let found = json!({ "phase": "Running", "metricResults": [
        { "name": "errors", "phase": "Running", "count": 8, "inconclusive": 8, "measurements": [{ "phase": "Inconclusive", "message": "not decided yet" }],
          "comparison": { "logEvidence": 2.5, "pValue": 0.0815, "nearFail": 0.5428, "nearPass": 0.128 } },
    ] });
    insta::assert_snapshot!(text(&run(spec(json!([metric.clone()])), found)), @"
    AnalysisRun demo-new-2: Running
      errors: Running
        against stable: M 12.2 (Failed at 100), p 0.0815, 54 % of the way to Failed, 12 % of the way to Successful
        8 of 240 slices, 0 errors (0 in a row, limit 4)
        not decided yet
    ");
    insta::assert_snapshot!(text(&run(spec(json!([metric])), Value::Null)), @"
    AnalysisRun demo-new-2: Pending
      errors: Pending
        against stable: nothing compared yet (Failed at M 100)
        0 of 240 slices, 0 errors (0 in a row, limit 4)
    ");
}

#[test]
fn runs_stand_under_their_step() {
    let rollout = rollout("StepPaused", json!({ "run": "Failed" }), json!({ "run": "Running" }));
    let found = json!({ "phase": "Failed", "metricResults": [{ "name": "success-rate", "phase": "Failed", "count": 2, "failed": 2, "measurements": [{ "phase": "Failed", "value": "[0.2]" }] }] });
    let run = run(spec(json!([success_rate()])), found);
    let mut runs = vec![Ok(run), Err("it is not there yet, or no longer".to_owned())].into_iter();
    let shown: Vec<Shown> = rollout::judging(&rollout)
        .into_iter()
        .zip(runs.by_ref())
        .map(|(judging, run)| runs::shown(judging, run))
        .collect();
    insta::assert_snapshot!(view::description(&rollout, &shown), @"
    Name:              demo
    Namespace:         default
    Status:            Progressing
    Message:           text
    Workload:          Deployment/demo (apps/v1)
    Strategy:          Canary
     Step:             2/3
     Steps:
                       - replicas 1, traffic 5%, until approved
                       * replicas 1, traffic 20%, for 600 s  StepPaused
                         AnalysisRun demo-new-2 (gate of step 2): Failed
                           success-rate: Failed, last value [0.2]
                             good if result[0] >= 0.95
                             with 100 requests of the new version at least
                             2 of 3 measured: 0 good, 2 bad (limit 1), 0 neither (limit 0), 0 errors (0 in a row, limit 4)
                         AnalysisRun demo-new.1 (background): Running; it is not there yet, or no longer
                       - replicas 1, traffic 50%, until approved
    Traffic Routings:  Service demo
                       Ingress demo (nginx)
    Current Revision:  old
    Update Revision:   new
    ");
}

//! A template measured once by hand, against a metric server of this process; and runs in a line.

use std::fmt::Write as _;

use env::sim::run;
use env::{Body, HttpService, Trace, full};
use http::{Request, Response};
use rstest::rstest;
use serde_json::json;

use crate::Connect;

const TEMPLATE: &str = r#"
apiVersion: rollouts.kruise.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate}
spec:
  args: [{name: service-name}]
  metrics:
  - name: success-rate
    interval: 5m
    failureLimit: 3
    initialDelay: 1h
    successCondition: result[0] >= 0.95
    provider: {prometheus: {address: "http://prometheus:9090", query: 'rate({service="{{args.service-name}}"}[5m])'}}
"#;

/// What `analysis run` prints on this template, with a metric server that answers so, and its exit code.
fn by_hand(template: &str, arguments: &str, answer: (u16, &str)) -> String {
    let file = std::env::temp_dir().join(format!(
        "by-hand-{}-{:?}.yaml",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&file, template).unwrap();
    let (status, body) = (answer.0, answer.1.to_owned());
    let line = format!("kubectl-tidegate analysis run -f {} {arguments}", file.display());
    let told = run(1, Trace::off(), |world| async move {
        let service = HttpService::new(move |_: Request<Body>| {
            let body = body.clone();
            async move { Ok(Response::builder().status(status).body(full(body))?) }
        });
        let _served = world.network.serve("prometheus:9090", service);
        let client = super::by_hand::nowhere();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let words = line.split_whitespace().map(str::to_owned);
        let code = crate::run(&world.env, Connect::Ready(client), words, &mut out, &mut err).await;
        let mut told: String = [out, err].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let _ = write!(told, "({code})");
        told
    });
    std::fs::remove_file(&file).unwrap();
    told
}

fn vector(values: &[&str]) -> String {
    let result: Vec<_> = values
        .iter()
        .map(|value| json!({ "metric": {}, "value": [0, value] }))
        .collect();
    json!({ "status": "success", "data": { "resultType": "vector", "result": result } }).to_string()
}

#[test]
fn the_articles_template() {
    let answers = [
        (200, vector(&["0.99"])),
        (200, vector(&["0.2"])),
        (200, vector(&[])),
        (200, vector(&["NaN"])),
        (503, "overloaded".to_owned()),
        (
            400,
            r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#.to_owned(),
        ),
    ];
    let told = answers.map(|(status, body)| by_hand(TEMPLATE, "--arg service-name=shop", (status, &body)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    success-rate: Successful
      value [0.99]
      good if result[0] >= 0.95
      successCondition holds
    (0)
    success-rate: Failed
      value [0.2]
      good if result[0] >= 0.95
      successCondition does not hold
    (3)
    success-rate: Error
      value []
      good if result[0] >= 0.95
      the metric server has no data, which says nothing about the new version: could not evaluate successCondition "result[0] >= 0.95": metric result is nil or empty: no data returned from the metric provider
    (4)
    success-rate: Failed
      value [NaN]
      good if result[0] >= 0.95
      successCondition does not hold
    (3)
    success-rate: Error
      good if result[0] >= 0.95
      the metric server is out, which says nothing about the new version: query http://prometheus:9090: the server cannot answer now, 503: overloaded
    (4)
    success-rate: Error
      good if result[0] >= 0.95
      the metric server refuses the query, which says nothing about the new version: query http://prometheus:9090: refused with 400: bad_data: parse error; correct the query, the same one will be refused again
    (4)
    "#);
}

#[rstest]
#[case::unnamed("", "args.service-name was not resolved")]
#[case::unknown(
    "--arg service=shop",
    "the template has no argument service; its arguments are: service-name"
)]
#[case::no_metric(
    "--arg service-name=shop --metric errors",
    "there is no metric errors; the metrics are: success-rate"
)]
fn what_cannot_be_measured_is_refused(#[case] arguments: &str, #[case] says: &str) {
    let told = by_hand(TEMPLATE, arguments, (200, ""));
    assert!(
        told.starts_with(&format!("error: {says}")) && told.ends_with("(1)"),
        "{told}"
    );
}

#[rstest]
#[case::nothing("", "the file holds no AnalysisTemplate")]
#[case::another("kind: Rollout", "the file holds a \"Rollout\"")]
#[case::twice(
    "{kind: AnalysisTemplate, metadata: {name: a}}\n---\n{kind: AnalysisTemplate, metadata: {name: a}}",
    "the file holds AnalysisTemplate a twice; keep one"
)]
#[case::job(
    "{kind: AnalysisTemplate, metadata: {name: a}, spec: {metrics: [{name: a, provider: {job: {spec: {template: {spec: {containers: [{name: a, image: a}]}}}}}}]}}",
    "metric a is measured by a Job"
)]
#[case::elsewhere(
    "{kind: AnalysisTemplate, metadata: {name: a}, spec: {templates: [{templateName: b}]}}",
    "template b, which is not in the file, cannot be read from the cluster"
)]
fn files(#[case] text: &str, #[case] says: &str) {
    let told = by_hand(text, "", (200, ""));
    assert!(
        told.starts_with(&format!("error: {says}")) && told.ends_with("(1)"),
        "{told}"
    );
}

#[test]
fn the_worst_of_several_metrics_is_the_verdict() {
    let two = format!(
        "{TEMPLATE}  - name: again\n    failureCondition: result[0] < 0.99\n    provider: {{prometheus: {{address: \"http://prometheus:9090\", query: up}}}}\n  \
         - name: errors\n    interval: 15s\n    count: 100\n    comparison: {{stable: {{errors: a, total: b}}, canary: {{errors: c, total: d}}}}\n    provider: {{prometheus: {{address: \"http://prometheus:9090\"}}}}\n"
    );
    let told = by_hand(&two, "--arg service-name=shop", (200, &vector(&["0.98"])));
    insta::assert_snapshot!(told, @"
    success-rate: Successful
      value [0.98]
      good if result[0] >= 0.95
      successCondition holds
    again: Failed
      value [0.98]
      bad if result[0] < 0.99
      failureCondition holds
    errors: Inconclusive
      value canary 0.98 errors of 0.98, stable 0.98 errors of 0.98
      a comparison is decided by what these counters grow by; one look tells nothing
    (3)
    ");
}

#[test]
fn runs_in_a_line() {
    let run = serde_json::from_value(json!({
        "metadata": {
            "name": "demo-new-2", "labels": { "rollout-type": "Step", "step-index": "2" },
            "ownerReferences": [{ "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "name": "demo", "uid": "u" }],
        },
        "spec": {}, "status": { "phase": "Error", "message": "why" },
    }))
    .unwrap();
    assert_eq!(super::line(&run), "Error, gate of step 2 of rollout/demo: why");
    assert_eq!(super::line(&Default::default()), "Pending");
}

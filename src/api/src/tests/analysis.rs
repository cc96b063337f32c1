//! What is measured: types that drop nothing, and the rules for templates one by one.

use rstest::rstest;
use serde_json::{Value, json};

use crate::field_error::aggregate;
use crate::v1alpha1::{AnalysisPhase, AnalysisRun, AnalysisTemplate, AnalysisTemplateSpec, Semantics};
use crate::validate;

/// A template with one metric from Prometheus that `patch` is put over.
fn metric(patch: &Value) -> Value {
    let mut metric = json!({
        "name": "m",
        "successCondition": "result[0] > 1",
        "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "up" } },
    });
    json_patch::merge(&mut metric, patch);
    json!({ "metrics": [metric] })
}

fn argo(patch: &Value) -> Value {
    let mut spec = metric(patch);
    spec["semantics"] = "Argo".into();
    spec
}

fn from(provider: &Value) -> Value {
    metric(&json!({ "provider": { "prometheus": null }, "successCondition": "result" }))
        .as_object()
        .map(|spec| {
            let mut spec = Value::Object(spec.clone());
            spec["metrics"][0]["provider"] = provider.clone();
            spec
        })
        .unwrap()
}

fn compared(patch: &Value) -> Value {
    let mut comparison =
        json!({ "stable": { "errors": "a", "total": "b" }, "canary": { "errors": "c", "total": "d" } });
    json_patch::merge(&mut comparison, patch);
    metric(&json!({
        "interval": "15s", "successCondition": null, "comparison": comparison,
        "provider": { "prometheus": { "query": null } },
    }))
}

fn verdict(spec: &Value) -> String {
    let spec: AnalysisTemplateSpec = serde_json::from_value(spec.clone()).unwrap();
    let errors = validate::analysis_template(&spec);
    if errors.is_empty() {
        String::new()
    } else {
        aggregate(&errors)
    }
}

#[rstest]
#[case::plain(metric(&json!({})), "")]
#[case::nothing(json!({}), "spec.metrics: Required value: a template measures something")]
#[case::of_others(json!({ "templates": [{ "templateName": "t" }] }), "")]
#[case::of_nobody(json!({ "templates": [{ "templateName": "" }] }), "spec.templates[0].templateName: Required value")]
#[case::twice(json!({ "metrics": [metric(&json!({}))["metrics"][0], metric(&json!({}))["metrics"][0]] }), "spec.metrics[1].name: Invalid value: \"m\": another metric has this name")]
#[case::unnamed(metric(&json!({ "name": "" })), "spec.metrics[0].name: Required value")]
#[case::argument_twice(json!({ "args": [{ "name": "a" }, { "name": "a" }], "templates": [{ "templateName": "t" }] }), "spec.args[1].name: Invalid value: \"a\"")]
#[case::argument_from_a_field(json!({ "args": [{ "name": "a", "valueFrom": { "fieldRef": { "fieldPath": "x" } } }], "templates": [{ "templateName": "t" }] }), "a template takes values from secretKeyRef only")]
#[case::argument_from_a_secret(json!({ "args": [{ "name": "a", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }], "templates": [{ "templateName": "t" }] }), "")]
#[case::interval_in_words(metric(&json!({ "interval": "five minutes" })), "spec.metrics[0].interval: Invalid value: \"five minutes\": \"five minutes\" is not a duration")]
#[case::interval_by_argument(metric(&json!({ "interval": "{{args.often}}" })), "")]
#[case::delay_below(metric(&json!({ "initialDelay": "-5m" })), "initialDelay: Invalid value: \"-5m\": \"-5m\" is below zero")]
#[case::count_in_words(metric(&json!({ "count": "many" })), "count: Invalid value: \"many\": write a whole number, 0 or more")]
#[case::count_as_text(metric(&json!({ "count": "3", "interval": "1s" })), "")]
#[case::count_by_argument(metric(&json!({ "count": "{{args.n}}", "failureLimit": 3 })), "")]
#[case::count_without_interval(metric(&json!({ "count": 3 })), "spec.metrics[0].interval: Required value: 3 measurements need a time between them")]
#[case::failure_limit_below(metric(&json!({ "failureLimit": -2 })), "failureLimit: Invalid value: -2: write a whole number, -1 or more")]
#[case::error_limit_below(metric(&json!({ "consecutiveErrorLimit": -1 })), "consecutiveErrorLimit: Invalid value: -1")]
#[case::nothing_decides(metric(&json!({ "failureLimit": -1 })), "without a failureLimit nothing decides")]
#[case::successes_decide(metric(&json!({ "failureLimit": -1, "consecutiveSuccessLimit": 3, "count": 5, "interval": "1s" })), "")]
#[case::count_below_both(metric(&json!({ "failureLimit": 2, "consecutiveSuccessLimit": 3, "count": 4, "interval": "1s" })), "count: Invalid value: 4: count must be at least failureLimit and consecutiveSuccessLimit together; write 5 or more")]
#[case::count_below_inconclusive(metric(&json!({ "inconclusiveLimit": 4, "count": 3, "interval": "1s" })), "count: Invalid value: 3: count must be at least inconclusiveLimit")]
#[case::v4_strict(metric(&json!({ "failureLimit": 3, "count": 3, "interval": "1s" })), "failureLimit: Invalid value: 3: of 3 measurements never more than 3 can be so")]
#[case::v4_argo(argo(&json!({ "failureLimit": 3, "count": 3, "interval": "1s" })), "")]
#[case::v4_argo_still_refuses_less(argo(&json!({ "failureLimit": 4, "count": 3, "interval": "1s" })), "count: Invalid value: 3")]
#[case::one_measurement_that_cannot_fail(metric(&json!({ "failureLimit": 1 })), "failureLimit: Invalid value: 1: of 1 measurements")]
#[case::never_inconclusive(metric(&json!({ "inconclusiveLimit": 3, "count": 3, "interval": "1s" })), "inconclusiveLimit: Invalid value: 3: of 3")]
#[case::never_enough_successes(metric(&json!({ "consecutiveSuccessLimit": 3 })), "consecutiveSuccessLimit: Invalid value: 3: of 1 measurements never 3 in a row")]
#[case::as_long_as_there_is_time(metric(&json!({ "failureLimit": 3, "interval": "5m" })), "")]
#[case::nothing_says_what_is_good(metric(&json!({ "successCondition": null })), "spec.metrics[0].successCondition: Required value: nothing says which values are good")]
#[case::nothing_says_what_is_good_argo(argo(&json!({ "successCondition": null })), "")]
#[case::a_failure_condition(metric(&json!({ "successCondition": null, "failureCondition": "result[0] < 1" })), "")]
#[case::compared(compared(&json!({})), "")]
#[case::compared_without_interval({ let mut spec = compared(&json!({})); spec["metrics"][0].as_object_mut().unwrap().remove("interval"); spec }, "spec.metrics[0].interval: Required value: a comparison looks")]
#[case::compared_and_conditioned({ let mut spec = compared(&json!({})); spec["metrics"][0]["successCondition"] = "true".into(); spec }, "successCondition: Forbidden: a comparison judges by itself")]
#[case::compared_to_nothing(compared(&json!({ "stable": { "total": " " } })), "comparison.stable.total: Required value")]
#[case::as_sure_as_can_be(compared(&json!({ "alpha": 0.0 })), "comparison.alpha: Invalid value: 0.0: write a number above 0 and below 1")]
#[case::harm_below_null(compared(&json!({ "nullRatio": 1.5, "harmRatio": 1.5 })), "comparison.harmRatio: Invalid value: 1.5: write a number above 1.5 and below 1000")]
#[case::null_as_bad_as_harm(compared(&json!({ "nullRatio": 2.0 })), "comparison.harmRatio: Required value")]
#[case::an_end_before_the_begin(compared(&json!({ "maxSamples": 99 })), "comparison.maxSamples: Invalid value: 99: write 100 or more")]
#[case::compared_elsewhere({ let mut spec = compared(&json!({})); spec["metrics"][0]["provider"] = json!({ "web": { "url": "http://a" } }); spec }, "spec.metrics[0].comparison: Forbidden: its queries go to a Prometheus server")]
#[case::samples(metric(&json!({ "minSamples": { "query": "n", "atLeast": 50 } })), "")]
#[case::no_samples(metric(&json!({ "minSamples": { "query": "", "atLeast": 0 } })), "minSamples.query: Required value")]
#[case::samples_elsewhere({ let mut spec = from(&json!({ "web": { "url": "http://a" } })); spec["metrics"][0]["minSamples"] = json!({ "query": "n", "atLeast": 1 }); spec }, "spec.metrics[0].minSamples: Forbidden")]
#[case::no_provider(from(&json!({})), "spec.metrics[0].provider: Invalid value: {}: give exactly one of prometheus, web and job")]
#[case::two_providers(from(&json!({ "web": { "url": "http://a" }, "job": { "spec": { "template": { "spec": {} } } } })), "give exactly one of prometheus, web and job")]
#[case::unserved_provider(from(&json!({ "datadog": { "query": "q" } })), "provider.datadog: Invalid value: \"datadog\": this provider is not served")]
#[case::no_address(metric(&json!({ "provider": { "prometheus": { "address": null } } })), "prometheus.address: Required value")]
#[case::address_without_scheme(metric(&json!({ "provider": { "prometheus": { "address": "prometheus:9090" } } })), "prometheus.address: Invalid value: \"prometheus:9090\": this is no URL")]
#[case::address_in_words(metric(&json!({ "provider": { "prometheus": { "address": "the usual one" } } })), "this is no URL")]
#[case::address_of_files(metric(&json!({ "provider": { "prometheus": { "address": "file:///etc/passwd" } } })), "this is no URL")]
#[case::address_with_password(metric(&json!({ "provider": { "prometheus": { "address": "http://me:secret@a" } } })), "a URL here holds no user and no password")]
#[case::address_by_argument(metric(&json!({ "provider": { "prometheus": { "address": "{{args.where}}" } } })), "")]
#[case::no_query(metric(&json!({ "provider": { "prometheus": { "query": " " } } })), "prometheus.query: Required value")]
#[case::a_step_of_nothing(metric(&json!({ "provider": { "prometheus": { "rangeQuery": { "start": "now()", "end": "now()", "step": "0s" } } } })), "rangeQuery.step: Invalid value: \"0s\": a step takes time")]
#[case::time_below(metric(&json!({ "provider": { "prometheus": { "timeout": -1 } } })), "prometheus.timeout: Invalid value: -1")]
#[case::two_ways_in(metric(&json!({ "provider": { "prometheus": { "authentication": {
    "basic": { "username": { "secretKeyRef": { "name": "s", "key": "u" } }, "password": { "secretKeyRef": { "name": "s", "key": "p" } } },
    "bearer": { "secretKeyRef": { "name": "s", "key": "t" } },
} } } })), "authentication.bearer: Forbidden: there is basic already")]
#[case::an_unserved_way_in(metric(&json!({ "provider": { "prometheus": { "authentication": { "sigv4": {} } } } })), "authentication.sigv4: Invalid value: \"sigv4\": this way to authenticate is not served")]
#[case::any_and_one(metric(&json!({ "provider": { "prometheus": { "insecure": true, "caFrom": { "secretKeyRef": { "name": "s", "key": "ca" } } } } })), "prometheus.caFrom: Forbidden: insecure accepts any certificate")]
#[case::web(from(&json!({ "web": { "url": "https://a/b", "method": "POST", "jsonBody": { "a": 1 }, "jsonPath": "{$.ok}" } })), "")]
#[case::web_delete(from(&json!({ "web": { "url": "https://a", "method": "DELETE" } })), "web.method: Invalid value: \"DELETE\"")]
#[case::web_get_with_body(from(&json!({ "web": { "url": "https://a", "body": "x" } })), "web.body: Forbidden: a GET has no body")]
#[case::web_two_bodies(from(&json!({ "web": { "url": "https://a", "method": "PUT", "body": "x", "jsonBody": {} } })), "web.jsonBody: Forbidden")]
#[case::job(from(&json!({ "job": { "spec": { "template": { "spec": { "containers": [] } } } } })), "")]
#[case::job_without_pod(from(&json!({ "job": { "spec": {} } })), "job.spec.template.spec: Required value")]
fn a_template_is_judged(#[case] spec: Value, #[case] says: &str) {
    let verdict = verdict(&spec);
    assert!(
        verdict.contains(says) && verdict.is_empty() == says.is_empty(),
        "{verdict}"
    );
}

/// As Argo Rollouts writes one, with fields that only it knows.
#[test]
fn a_run_is_written_as_it_was_read() {
    let written = json!({
        "apiVersion": "rollouts.kruise.io/v1alpha1", "kind": "AnalysisRun", "metadata": { "name": "r" },
        "spec": {
            "args": [{ "name": "a", "value": "1" }, { "name": "b", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }],
            "metrics": [
                { "name": "m", "count": "{{args.a}}", "provider": { "web": { "url": "u", "jsonBody": { "a": [1] } } } },
                { "name": "n", "provider": { "datadog": { "query": "q" } } },
                { "name": "j", "provider": { "job": { "metadata": { "labels": { "a": "b" } }, "spec": { "backoffLimit": 1 } } } },
            ],
            "terminate": true, "ttlStrategy": { "secondsAfterCompletion": 10 }, "dryRun": [{ "metricName": ".*" }],
        },
        "status": {
            "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "runSummary": { "count": 1, "error": 1 },
            "metricResults": [{
                "name": "m", "phase": "Error", "count": 2, "consecutiveError": 1, "dryRun": true, "metadata": { "q": "up" },
                "measurements": [{ "phase": "Successful", "value": "[1]", "finishedAt": "2026-01-01T00:00:00Z", "resumeAt": "2026-01-01T00:00:10Z" }],
            }],
        },
    });
    let read: AnalysisRun = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
}

#[rstest]
#[case(json!({}), None)]
#[case(json!({ "semantics": "Argo" }), Some(Semantics::Argo))]
#[case::a_word_past_the_schema(json!({ "semantics": "argo" }), Some(Semantics::Strict))]
fn semantics_are_strict_unless_said(#[case] spec: Value, #[case] expected: Option<Semantics>) {
    let read: AnalysisTemplateSpec = serde_json::from_value(spec).unwrap();
    assert_eq!(read.semantics, expected);
    assert_eq!(
        AnalysisTemplate::default().spec.semantics.unwrap_or_default(),
        Semantics::Strict
    );
}

#[test]
fn four_phases_are_final() {
    let words = [
        "",
        "Pending",
        "Running",
        "Successful",
        "Failed",
        "Error",
        "Inconclusive",
        "Odd",
    ];
    let finals: Vec<&str> = words
        .into_iter()
        .filter(|word| AnalysisPhase::from(*word).is_final())
        .collect();
    assert_eq!(finals, ["Successful", "Failed", "Error", "Inconclusive"]);
}

//! What a webhook sees, what it can do, and what the client reads when it fails.

use std::time::Duration;

use base64::Engine as _;
use env::sim::{self, SimEnv};
use env::{Env, HttpService, Trace};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{Embedded, Options};

/// A webhook that answers every review with `response`, after `delay`.
fn webhook(env: &Env, delay: Duration, response: Value) -> HttpService {
    let env = env.clone();
    HttpService::new(move |request| {
        let (env, mut response) = (env.clone(), response.clone());
        async move {
            let bytes = env::read_all(request.into_body(), 1 << 20).await?;
            let review: Value = serde_json::from_slice(&bytes)?;
            env.sleep(delay).await;
            response["uid"] = review["request"]["uid"].clone();
            let answer = json!({ "apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response });
            Ok(http::Response::new(env::full(answer.to_string())))
        }
    })
}

fn configuration(kind: &str, change: &Value) -> Value {
    let mut webhook = json!({
        "name": "check.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 5,
        "failurePolicy": "Fail",
        "clientConfig": { "service": { "namespace": "hooks", "name": "check", "path": "/admit" } },
        "rules": [{ "operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"] }],
    });
    json_patch::merge(&mut webhook, change);
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": "c" }, "webhooks": [webhook],
    })
}

fn patch(operations: &Value) -> Value {
    let text = base64::engine::general_purpose::STANDARD.encode(operations.to_string());
    json!({ "allowed": true, "patchType": "JSONPatch", "patch": text })
}

/// Creates a config map in a cluster with one webhook; the answer is its data, or the error's text.
fn outcome(kind: &'static str, change: Value, delay: u64, response: Option<Value>) -> String {
    sim::run(1, Trace::off(), |SimEnv { env, network }| async move {
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let served = response.map(|response| {
            network.serve(
                "check.hooks.svc:443",
                webhook(&env, Duration::from_secs(delay), response),
            )
        });
        let client = kube::Client::new(cluster.api(), "default");
        let plural = if kind.starts_with('M') {
            "mutatingwebhookconfigurations"
        } else {
            "validatingwebhookconfigurations"
        };
        let request = http::Request::post(format!("/apis/admissionregistration.k8s.io/v1/{plural}"))
            .body(configuration(kind, &change).to_string().into_bytes())
            .expect("request");
        client.request::<Value>(request).await.expect("configuration");
        let map = json!({ "metadata": { "name": "a", "labels": { "team": "x" } }, "data": { "k": "1" } });
        let map: ConfigMap = serde_json::from_value(map).expect("config map");
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let outcome = match maps.create(&PostParams::default(), &map).await {
            Ok(map) => format!("{:?}", map.data.unwrap_or_default()),
            Err(kube::Error::Api(status)) => format!("{} {} {}", status.code, status.reason, status.message),
            Err(other) => other.to_string(),
        };
        drop(served);
        outcome
    })
}

const UNTOUCHED: &str = r#"{"k": "1"}"#;

#[rstest]
#[case::allowed("Validating", json!({}), 0, Some(json!({ "allowed": true })), UNTOUCHED)]
#[case::denied("Validating", json!({}), 0, Some(json!({ "allowed": false, "status": { "message": "not on Fridays" } })),
    r#"400  admission webhook "check.example.com" denied the request: not on Fridays"#)]
#[case::denied_with_code("Validating", json!({}), 0,
    Some(json!({ "allowed": false, "status": { "code": 403, "reason": "Forbidden", "message": "no" } })),
    r#"403 Forbidden admission webhook "check.example.com" denied the request: no"#)]
#[case::unexplained("Mutating", json!({}), 0, Some(json!({ "allowed": false })),
    r#"400  admission webhook "check.example.com" denied the request without explanation"#)]
#[case::patched("Mutating", json!({}), 0, Some(patch(&json!([{ "op": "add", "path": "/data/k", "value": "2" }]))),
    r#"{"k": "2"}"#)]
#[case::down("Validating", json!({}), 0, None,
    r#"500 InternalError Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://check.hooks.svc:443/admit?timeout=5s": dial check.hooks.svc:443: connection refused; check that the address is right and that something listens there"#)]
#[case::down_and_ignored("Validating", json!({ "failurePolicy": "Ignore" }), 0, None, UNTOUCHED)]
#[case::slow("Mutating", json!({}), 6, Some(json!({ "allowed": true })),
    r#"500 InternalError Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://check.hooks.svc:443/admit?timeout=5s": context deadline exceeded"#)]
#[case::slow_but_in_time("Mutating", json!({}), 4, Some(json!({ "allowed": true })), UNTOUCHED)]
#[case::other_resource("Validating", json!({ "rules": [{ "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["pods"] }] }),
    0, None, UNTOUCHED)]
#[case::other_operation("Validating", json!({ "rules": [{ "operations": ["UPDATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"] }] }),
    0, None, UNTOUCHED)]
#[case::cluster_scope("Validating", json!({ "rules": [{ "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster" }] }),
    0, None, UNTOUCHED)]
#[case::other_labels("Validating", json!({ "objectSelector": { "matchLabels": { "team": "y" } } }), 0, None, UNTOUCHED)]
#[case::these_labels("Validating", json!({ "objectSelector": { "matchLabels": { "team": "x" } } }), 0,
    Some(json!({ "allowed": false, "status": { "message": "seen" } })),
    r#"400  admission webhook "check.example.com" denied the request: seen"#)]
#[case::other_namespace("Validating",
    json!({ "namespaceSelector": { "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["default"] }] } }),
    0, None, UNTOUCHED)]
fn a_webhook_decides(
    #[case] phase: &str,
    #[case] change: Value,
    #[case] delay: u64,
    #[case] response: Option<Value>,
    #[case] expected: &str,
) {
    let kind = if phase == "Mutating" {
        "MutatingWebhookConfiguration"
    } else {
        "ValidatingWebhookConfiguration"
    };
    assert_eq!(outcome(kind, change, delay, response), expected);
}

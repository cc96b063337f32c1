//! What a person with kubectl meets: questions about permissions, logs, explanations, refusals of what cannot be.

use std::time::Duration;

use env::HttpService;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};
use crate::Embedded;

const JSON: &str = "application/json";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

async fn post(cluster: &Embedded, path: &str, body: Value) -> (u16, Value) {
    raw(&cluster.api(), "POST", path, JSON, body.to_string()).await
}

async fn get(cluster: &Embedded, path: &str) -> (u16, Value) {
    raw(&cluster.api(), "GET", path, JSON, "").await
}

async fn run(cluster: &Embedded, name: &str, image: &str) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "containers": [{ "name": "c", "image": image }] },
    });
    let (code, answer) = post(cluster, "/api/v1/namespaces/default/pods", pod).await;
    assert_eq!(code, 201, "{answer}");
    cluster.cluster().env().sleep(Duration::from_secs(5)).await;
}

fn definition(schema: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "gates.tide.dev" },
        "spec": {
            "group": "tide.dev", "scope": "Namespaced", "names": { "plural": "gates", "kind": "Gate" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema },
                "additionalPrinterColumns": [{ "name": "Weight", "type": "integer", "jsonPath": ".spec.weight" }],
            }],
        },
    })
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

#[test]
fn everything_may_be_done_and_no_question_is_stored() {
    with_cluster(|cluster| async move {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = json!({ "spec": { "resourceAttributes": { "verb": "create", "resource": "pods" } } });
        let (code, answer) = post(&cluster, path, review).await;
        assert_eq!((code, &answer["status"]), (201, &json!({ "allowed": true })));
        assert_eq!(get(&cluster, path).await.0, 405);
        let (_, answer) = post(&cluster, "/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})).await;
        assert_eq!(answer["status"]["userInfo"]["username"], "kubernetes-admin");
        cluster.stop().await;
    });
}

#[test]
fn a_pod_has_a_log_with_what_it_answered() {
    with_cluster(|cluster| async move {
        run(&cluster, "web", "echo:1").await;
        let (_, pod) = get(&cluster, "/api/v1/namespaces/default/pods/web").await;
        let ip = pod["status"]["podIP"].as_str().expect("address");
        let env = cluster.cluster().env().clone();
        let service = env.dial(&format!("{ip}:80")).await.expect("pod");
        let request = Request::get("/hello").body(env::full("")).expect("request");
        service.send(request).await.expect("answer");
        let log = "/api/v1/namespaces/default/pods/web/log";
        let (code, text) = get(&cluster, &format!("{log}?tailLines=1")).await;
        assert_eq!((code, text), (200, json!("GET /hello 200\n")));
        let (_, text) = get(&cluster, &format!("{log}?timestamps=true&limitBytes=20")).await;
        assert_eq!(text.as_str().map(str::len), Some(20));
        let (code, refused) = get(&cluster, &format!("{log}?container=x")).await;
        assert_eq!(
            (code, &refused["message"]),
            (400, &json!("container x is not valid for pod web"))
        );
        let (code, refused) = get(&cluster, &format!("{log}?previous=true")).await;
        let why = "previous terminated container \"c\" in pod \"web\" not found";
        assert_eq!((code, &refused["message"]), (400, &json!(why)));
        cluster.stop().await;
    });
}

#[test]
fn a_log_that_is_followed_ends_with_its_pod() {
    with_cluster(|cluster| async move {
        run(&cluster, "web", "echo:1").await;
        let request = Request::get("/api/v1/namespaces/default/pods/web/log?follow=true")
            .body(env::full(""))
            .expect("request");
        let response = cluster.api().send(request).await.expect("answer");
        let path = "/api/v1/namespaces/default/pods/web";
        let (code, _) = raw(&cluster.api(), "DELETE", path, JSON, r#"{"gracePeriodSeconds":0}"#).await;
        assert_eq!(code, 200);
        let bytes = env::read_all(response.into_body(), 1 << 16).await.expect("log");
        assert!(String::from_utf8_lossy(&bytes).starts_with("Listening on "));
        cluster.stop().await;
    });
}

#[rstest]
#[case("exec", 501)]
#[case("portforward", 501)]
#[case("nothing", 404)]
fn what_has_no_process_cannot_be_entered(#[case] name: &str, #[case] expected: u16) {
    let name = name.to_owned();
    with_cluster(|cluster| async move {
        run(&cluster, "web", "echo:1").await;
        let (code, refused) = get(&cluster, &format!("/api/v1/namespaces/default/pods/web/{name}")).await;
        assert_eq!(code, expected, "{refused}");
        cluster.stop().await;
    });
}

#[test]
fn schemas_are_there_for_built_in_and_custom_types() {
    with_cluster(|cluster| async move {
        let schema = json!({ "type": "object", "properties": {
            "spec": { "type": "object", "properties": { "weight": { "type": "integer", "description": "how much" } } },
        } });
        assert_eq!(post(&cluster, DEFINITIONS, definition(&schema)).await.0, 201);
        let (_, index) = get(&cluster, "/openapi/v3").await;
        let path = "apis/tide.dev/v1";
        assert!(index["paths"][path]["serverRelativeURL"].is_string(), "{index}");
        let (_, document) = get(&cluster, "/openapi/v3/apis/tide.dev/v1").await;
        let gate = &document["components"]["schemas"]["dev.tide.v1.Gate"];
        assert_eq!(
            gate["properties"]["spec"]["properties"]["weight"]["description"],
            "how much"
        );
        let (_, document) = get(&cluster, "/openapi/v3/apis/apps/v1").await;
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        assert_closed(schemas);
        let spec = &schemas["io.k8s.api.apps.v1.DeploymentSpec"];
        assert!(spec["properties"]["strategy"].is_object());
        assert!(spec["properties"]["replicas"]["description"].is_string());
        cluster.stop().await;
    });
}

/// Every reference in the schemas leads to one of them.
fn assert_closed(schemas: &serde_json::Map<String, Value>) {
    let text = Value::Object(schemas.clone()).to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap_or_default();
        assert!(schemas.contains_key(name), "{name} is missing");
    }
}

#[rstest]
#[case::no_type(json!({}), "spec.versions[0].schema.openAPIV3Schema.type: Required value: must not be empty at the root")]
#[case::no_object(json!({ "type": "string" }), "spec.versions[0].schema.openAPIV3Schema.type: Invalid value: \"string\": must be object at the root")]
#[case::untyped_field(
    json!({ "type": "object", "properties": { "spec": { "properties": {} } } }),
    "spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields"
)]
#[case::untyped_item(
    json!({ "type": "object", "properties": { "list": { "type": "array", "items": {} } } }),
    "spec.versions[0].schema.openAPIV3Schema.properties[list].items.type: Required value: must not be empty for specified array items"
)]
#[case::no_items(
    json!({ "type": "object", "properties": { "list": { "type": "array" } } }),
    "spec.versions[0].schema.openAPIV3Schema.properties[list].items: Required value: must be specified"
)]
#[case::type_in_junctor(
    json!({ "type": "object", "anyOf": [{ "type": "object" }] }),
    "spec.versions[0].schema.openAPIV3Schema.anyOf[0].type: Forbidden: must be empty to be structural"
)]
#[case::both(
    json!({ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": { "type": "string" } }),
    "spec.versions[0].schema.openAPIV3Schema.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
)]
#[case::type_beside_a_number_or_text(
    json!({ "type": "object", "properties": { "a": { "x-kubernetes-int-or-string": true, "allOf": [{ "type": "integer", "default": 1 }] } } }),
    "[spec.versions[0].schema.openAPIV3Schema.properties[a].allOf[0].type: Forbidden: must be empty to be structural, spec.versions[0].schema.openAPIV3Schema.properties[a].allOf[0].default: Forbidden: must be undefined to be structural]"
)]
fn a_schema_that_is_not_structural_is_refused(#[case] schema: Value, #[case] why: &str) {
    let why = why.to_owned();
    with_cluster(|cluster| async move {
        let (code, refused) = post(&cluster, DEFINITIONS, definition(&schema)).await;
        let message = refused["message"].as_str().unwrap_or_default();
        assert_eq!(code, 422, "{refused}");
        let prefix = "CustomResourceDefinition.apiextensions.k8s.io \"gates.tide.dev\" is invalid: ";
        assert_eq!(message, format!("{prefix}{why}"));
        cluster.stop().await;
    });
}

#[rstest]
#[case(json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }))]
#[case(json!({ "allOf": [{ "anyOf": [{ "type": "integer" }, { "type": "string" }] }, { "maximum": 5 }] }))]
fn a_number_or_text_may_say_so_in_the_usual_pattern(#[case] mut replicas: Value) {
    replicas["x-kubernetes-int-or-string"] = json!(true);
    with_cluster(|cluster| async move {
        let schema = json!({ "type": "object", "properties": { "replicas": replicas } });
        let (code, answer) = post(&cluster, DEFINITIONS, definition(&schema)).await;
        assert_eq!(code, 201, "{answer}");
        cluster.stop().await;
    });
}

#[test]
fn a_watch_as_table_says_its_columns_once() {
    with_cluster(|cluster| async move {
        let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        assert_eq!(post(&cluster, DEFINITIONS, definition(&schema)).await.0, 201);
        let path = "/apis/tide.dev/v1/namespaces/default/gates";
        for (name, weight) in [("a", 1), ("b", 2)] {
            let gate = json!({
                "apiVersion": "tide.dev/v1", "kind": "Gate", "metadata": { "name": name }, "spec": { "weight": weight },
            });
            assert_eq!(post(&cluster, path, gate).await.0, 201);
        }
        let lines = watched(
            &cluster.api(),
            &format!("{path}?watch=true&timeoutSeconds=1&includeObject=None"),
        )
        .await;
        let columns = |line: &Value| line["object"]["columnDefinitions"].as_array().map(Vec::len);
        assert_eq!(lines.iter().map(columns).collect::<Vec<_>>(), [Some(2), None]);
        let cells: Vec<&Value> = lines.iter().map(|line| &line["object"]["rows"][0]["cells"]).collect();
        assert_eq!(cells, [&json!(["a", 1]), &json!(["b", 2])]);
        assert_eq!(lines[0]["object"]["rows"][0]["object"], Value::Null);
        let (code, refused) = tabled(&cluster.api(), &format!("{path}?includeObject=Half")).await;
        assert_eq!((code, &refused["reason"]), (422, &json!("Invalid")));
        cluster.stop().await;
    });
}

#[test]
fn a_scale_is_printed_in_its_own_columns() {
    with_cluster(|cluster| async move {
        let deployment = json!({
            "metadata": { "name": "web" },
            "spec": {
                "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{ "name": "c", "image": "echo:1" }] },
                },
            },
        });
        let path = "/apis/apps/v1/namespaces/default/deployments";
        assert_eq!(post(&cluster, path, deployment).await.0, 201);
        cluster.cluster().env().sleep(Duration::from_secs(5)).await;
        let (_, table) = tabled(&cluster.api(), &format!("{path}/web/scale")).await;
        assert_eq!(table["rows"][0]["cells"], json!(["web", 2, 2, "5s"]));
        cluster.stop().await;
    });
}

async fn tabled(api: &HttpService, path: &str) -> (u16, Value) {
    let request = Request::get(path)
        .header("accept", TABLE)
        .body(env::full(""))
        .expect("request");
    let response = api.send(request).await.expect("answer");
    let code = response.status().as_u16();
    let bytes = env::read_all(response.into_body(), 1 << 20).await.expect("body");
    (code, serde_json::from_slice(&bytes).expect("json"))
}

async fn watched(api: &HttpService, path: &str) -> Vec<Value> {
    let request = Request::get(path)
        .header("accept", TABLE)
        .body(env::full(""))
        .expect("request");
    let response = api.send(request).await.expect("answer");
    let bytes = env::read_all(response.into_body(), 1 << 20).await.expect("body");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("json"))
        .collect()
}

#[test]
fn a_deployment_that_says_nothing_is_told_what_is_missing() {
    with_cluster(|cluster| async move {
        let path = "/apis/apps/v1/namespaces/default/deployments";
        let (code, refused) = post(&cluster, path, json!({ "metadata": { "name": "x" } })).await;
        assert_eq!(code, 422);
        insta::assert_snapshot!(refused["message"].as_str().unwrap_or_default(), @r#"Deployment.apps "x" is invalid: [spec.selector: Required value, spec.template.spec.containers: Required value]"#);
        cluster.stop().await;
    });
}

#[rstest]
#[case::conditions(
    json!({ "matchConditions": [{ "name": "a", "expression": "true" }] }),
    "webhooks[0].matchConditions: Forbidden: this cluster evaluates no CEL expressions; narrow the rules or the selectors instead"
)]
#[case::authority(
    json!({ "clientConfig": { "url": "https://x", "caBundle": "bm90aGluZw==" } }),
    "webhooks[0].clientConfig.caBundle: Invalid value: \"bm90aGluZw==\": unable to load root certificates: unable to parse bytes as PEM block"
)]
fn a_webhook_that_cannot_be_obeyed_is_refused(#[case] part: Value, #[case] why: &str) {
    let why = why.to_owned();
    with_cluster(|cluster| async move {
        let mut webhook = json!({
            "name": "a.tide.dev", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": { "url": "https://x" },
        });
        for (field, value) in part.as_object().expect("part") {
            webhook[field] = value.clone();
        }
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
        let (code, refused) = post(
            &cluster,
            path,
            json!({ "metadata": { "name": "w" }, "webhooks": [webhook] }),
        )
        .await;
        assert_eq!(code, 422, "{refused}");
        let message = refused["message"].as_str().unwrap_or_default();
        assert!(message.ends_with(&why), "{message}");
        cluster.stop().await;
    });
}

#[test]
fn what_kubectl_creates_in_its_own_encoding_is_taken() {
    use base64::Engine as _;
    // `kubectl create namespace demo`, version 1.32.
    let body = "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEZGVtbxIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==";
    let bytes = base64::engine::general_purpose::STANDARD.decode(body).expect("base64");
    with_cluster(|cluster| async move {
        let kind = "application/vnd.kubernetes.protobuf";
        let (code, answer) = raw(&cluster.api(), "POST", "/api/v1/namespaces", kind, bytes).await;
        assert_eq!((code, &answer["metadata"]["name"]), (201, &json!("demo")), "{answer}");
        let (code, _) = raw(&cluster.api(), "POST", "/api/v1/namespaces", kind, "k8s").await;
        assert_eq!(code, 400);
        cluster.stop().await;
    });
}

#[test]
fn a_selector_that_cannot_be_read_is_refused() {
    with_cluster(|cluster| async move {
        let selector = json!({ "matchExpressions": [{ "key": "a", "operator": "Foo" }] });
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": "web" },
            "webhooks": [{
                "name": "web.tide.dev", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": { "url": "https://127.0.0.1:1" }, "namespaceSelector": selector,
            }],
        });
        let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        let (code, refused) = post(&cluster, path, configuration).await;
        assert_eq!(code, 422, "{refused}");
        let message = refused["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("webhooks[0].namespaceSelector.matchExpressions: "),
            "{message}"
        );
        assert!(
            message.ends_with("\"Foo\" is not a valid label selector operator"),
            "{message}"
        );
        cluster.stop().await;
    });
}

#[test]
fn a_scale_is_not_patched_by_what_is_no_object() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": {
                "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{ "name": "c", "image": "echo:1" }] },
                },
            },
        });
        let path = "/apis/apps/v1/namespaces/default/deployments";
        assert_eq!(post(&cluster, path, deployment).await.0, 201);
        let scale = format!("{path}/web/scale");
        let (code, refused) = raw(&api, "PATCH", &scale, "application/merge-patch+json", "5").await;
        assert_eq!(code, 400, "{refused}");
        let (_, found) = get(&cluster, &scale).await;
        assert_eq!(found["spec"]["replicas"], 2);
        cluster.stop().await;
    });
}

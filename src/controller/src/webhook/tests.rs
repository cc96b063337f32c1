//! Webhook handlers as values: a request in, an answer out, without a server.

use env::sim::{SimEnv, run};
use env::{HttpService, Trace, full, read_all};
use http::{Method, Request, Response, StatusCode, header};
use rstest::rstest;
use serde_json::{Value, json};

use super::{CONVERT, MUTATE_DEPLOYMENT, VALIDATE_ANALYSIS_TEMPLATE, VALIDATE_ROLLOUT, webhooks};

/// An API server that lists nothing but the given rollouts, and nothing at all when there are none to give.
fn cluster(rollouts: Option<Value>) -> kube::Client {
    let api = HttpService::new(move |request: Request<env::Body>| {
        let items = match (&rollouts, request.uri().path().ends_with("/rollouts")) {
            (Some(rollouts), true) => rollouts.clone(),
            (Some(_), false) => json!([]),
            (None, _) => json!(null),
        };
        async move {
            let mut response = Response::new(full(
                json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": "1" }, "items": items })
                    .to_string(),
            ));
            if items.is_null() {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            Ok(response)
        }
    });
    kube::Client::new(api, "default")
}

async fn send(service: &HttpService, method: Method, path: &str, body: impl Into<bytes::Bytes>) -> (u16, String) {
    let mut request = Request::new(full(body));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("a path");
    let response = service.send(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = read_all(response.into_body(), 1 << 20).await.expect("a short body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

fn ask(path: &'static str, body: impl Into<bytes::Bytes>, rollouts: Option<Value>) -> (u16, String) {
    let body = body.into();
    run(1, Trace::off(), |world: SimEnv| async move {
        let service = webhooks(&world.env, cluster(rollouts));
        send(&service, Method::POST, path, body).await
    })
}

fn review(request: &Value) -> String {
    json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request }).to_string()
}

fn answered(answer: &(u16, String)) -> Value {
    assert_eq!(answer.0, 200, "{}", answer.1);
    let review: Value = serde_json::from_str(&answer.1).expect("JSON");
    review["response"].clone()
}

#[rstest]
#[case::malformed(MUTATE_DEPLOYMENT, "{\"kind\": ", 400, "body is not JSON: EOF while parsing a value")]
#[case::no_review(VALIDATE_ROLLOUT, "{}", 400, "expected apiVersion admission.k8s.io/v1, got none")]
#[case::beta_review(
    VALIDATE_ROLLOUT,
    r#"{"apiVersion":"admission.k8s.io/v1beta1","request":{}}"#,
    400,
    "expected apiVersion admission.k8s.io/v1, got admission.k8s.io/v1beta1"
)]
#[case::no_request(
    MUTATE_DEPLOYMENT,
    r#"{"apiVersion":"admission.k8s.io/v1"}"#,
    400,
    "it has no request"
)]
#[case::no_uid(
    MUTATE_DEPLOYMENT,
    r#"{"apiVersion":"admission.k8s.io/v1","request":{}}"#,
    400,
    "it has no request.uid"
)]
#[case::elsewhere("/mutate", "{}", 404, "nothing here; webhooks are at /mutate-apps-v1-deployment")]
#[case::no_objects(
    CONVERT,
    r#"{"apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"1","desiredAPIVersion":"rollouts.kruise.io/v1beta1"}}"#,
    400,
    "it has no request.objects"
)]
fn what_is_no_review_is_told_why(
    #[case] path: &'static str,
    #[case] body: &'static str,
    #[case] status: u16,
    #[case] text: &str,
) {
    let answer = ask(path, body, None);
    assert_eq!(answer.0, status);
    assert!(answer.1.starts_with(path) && answer.1.contains(text), "{}", answer.1);
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let deep = "[".repeat(100_000);
    let (status, text) = ask(CONVERT, deep, None);
    assert_eq!(status, 400);
    assert!(text.contains("recursion limit exceeded"), "{text}");
}

#[test]
fn a_get_is_told_to_post() {
    run(1, Trace::off(), |world: SimEnv| async move {
        let service = webhooks(&world.env, cluster(None));
        let (status, text) = send(&service, Method::GET, CONVERT, "").await;
        assert_eq!(
            (status, text.as_str()),
            (405, "GET /convert: use POST with a review as JSON")
        );
    });
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused_after_its_first_part() {
    run(1, Trace::off(), |world: SimEnv| async move {
        let service = webhooks(&world.env, cluster(None));
        let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = taken.clone();
        let parts = futures::stream::iter((0..100).map(move |_| {
            counter.fetch_add(1 << 20, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, env::BoxError>(hyper::body::Frame::data(bytes::Bytes::from(vec![b' '; 1 << 20])))
        }));
        let body = http_body_util::BodyExt::boxed_unsync(http_body_util::StreamBody::new(parts));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = VALIDATE_ROLLOUT.parse().expect("a path");
        let response = service.send(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(taken.load(std::sync::atomic::Ordering::Relaxed), 8 << 20);
    });
}

#[test]
fn a_body_that_announces_too_much_is_not_read_at_all() {
    run(1, Trace::off(), |world: SimEnv| async move {
        let service = webhooks(&world.env, cluster(None));
        let never = futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<_, env::BoxError>>> {
            panic!("it was read: {:?}", hyper::body::Frame::data(bytes::Bytes::new()))
        });
        let never = futures::StreamExt::map(never, |frame: Result<hyper::body::Frame<bytes::Bytes>, _>| frame);
        let mut request = Request::new(http_body_util::BodyExt::boxed_unsync(http_body_util::StreamBody::new(
            never,
        )));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = VALIDATE_ROLLOUT.parse().expect("a path");
        request
            .headers_mut()
            .insert(header::CONTENT_LENGTH, http::HeaderValue::from_static("104857600"));
        let response = service.send(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let text = read_all(response.into_body(), 1 << 10).await.expect("a short text");
        assert_eq!(
            text,
            "/validate-rollouts-kruise-io-rollout: body is longer than 7340032 bytes; send a smaller object or fewer of them"
        );
    });
}

fn rollout(name: &str, strategy: &Value) -> Value {
    json!({
        "apiVersion": "rollouts.kruise.io/v1beta1",
        "kind": "Rollout",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "echoserver" },
            "strategy": strategy,
        },
    })
}

fn two_steps() -> Value {
    json!({ "canary": {
        "enableExtraWorkloadForCanary": true,
        "steps": [{ "traffic": "20%", "replicas": "20%", "pause": {} }, { "traffic": "100%", "replicas": "100%" }],
        "trafficRoutings": [{ "service": "echoserver", "ingress": { "classType": "nginx", "name": "echoserver" } }],
    }})
}

fn create(object: &Value) -> String {
    review(&json!({ "uid": "42", "operation": "CREATE", "namespace": "default", "object": object }))
}

#[test]
fn a_rollout_that_can_work_is_allowed() {
    let answer = answered(&ask(
        VALIDATE_ROLLOUT,
        create(&rollout("demo", &two_steps())),
        Some(json!([])),
    ));
    assert_eq!(answer, json!({ "uid": "42", "allowed": true }));
}

#[test]
fn a_rollout_that_cannot_is_denied_with_what_and_where() {
    let object = rollout("demo", &json!({ "canary": { "steps": [{ "traffic": "400%" }] } }));
    let answer = answered(&ask(VALIDATE_ROLLOUT, create(&object), Some(json!([]))));
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["status"]["code"], 422);
    let message = answer["status"]["message"].as_str().expect("a message");
    assert!(message.contains("steps[0]") && message.contains("400%"), "{message}");
}

#[test]
fn a_second_rollout_for_one_workload_is_denied_by_a_live_read() {
    let other = json!([rollout("first", &two_steps())]);
    let answer = answered(&ask(
        VALIDATE_ROLLOUT,
        create(&rollout("second", &two_steps())),
        Some(other.clone()),
    ));
    assert_eq!(answer["allowed"], false);
    let message = answer["status"]["message"].as_str().expect("a message");
    assert!(message.contains("first"), "{message}");
    // It is no conflict with itself.
    let answer = answered(&ask(
        VALIDATE_ROLLOUT,
        create(&rollout("first", &two_steps())),
        Some(other),
    ));
    assert_eq!(answer["allowed"], true);
}

#[test]
fn what_cannot_be_checked_is_denied_for_now() {
    let answer = answered(&ask(VALIDATE_ROLLOUT, create(&rollout("demo", &two_steps())), None));
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["status"]["code"], 503);
    let message = answer["status"]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("read the other rollouts of namespace default: "),
        "{message}"
    );
}

/// An API server with no rollouts and one AnalysisTemplate, `rate`, whose only metric is this one; every other template is missing.
fn with_template(metric: Value) -> kube::Client {
    let api = HttpService::new(move |request: Request<env::Body>| {
        let path = request.uri().path().to_owned();
        let (status, body) = match path.rsplit('/').next() {
            Some("rollouts") => (
                200,
                json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": [] }),
            ),
            Some("rate") => (200, template(&metric)),
            _ => (
                404,
                json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": path }),
            ),
        };
        async move {
            let mut response = Response::new(full(body.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            Ok(response)
        }
    });
    kube::Client::new(api, "default")
}

fn template(metric: &Value) -> Value {
    json!({
        "apiVersion": "rollouts.kruise.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": { "name": "rate", "namespace": "default" },
        "spec": { "args": [{ "name": "service" }], "metrics": [metric] },
    })
}

fn metric(count: Option<i32>, condition: &str) -> Value {
    json!({
        "name": "rate", "interval": "1m", "count": count, "successCondition": condition,
        "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "up{s=\"{{args.service}}\"}" } },
    })
}

#[rstest]
#[case::good(metric(Some(3), "result[0] >= 0.95"), "")]
#[case::a_condition_that_is_none(metric(Some(3), "result[0] >="), "spec.metrics[0].successCondition: Invalid value")]
#[case::an_unknown_name(metric(Some(3), "results[0] > 1"), "results")]
#[case::a_bad_limit(metric(Some(-1), "true"), "spec.metrics[0].count: Invalid value: -1")]
#[case::no_template(json!({ "name": 7 }), "cannot read the template: ")]
fn an_analysis_template_is_judged_before_it_is_stored(#[case] metric: Value, #[case] says: &str) {
    let request = json!({ "uid": "42", "operation": "CREATE", "namespace": "default", "object": template(&metric) });
    let answer = answered(&ask(VALIDATE_ANALYSIS_TEMPLATE, review(&request), Some(json!([]))));
    assert_eq!(answer["allowed"], says.is_empty(), "{answer}");
    let message = answer["status"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(says), "{message}");
}

#[rstest]
#[case::ends("rate", Some(3), "")]
#[case::never_ends(
    "rate",
    None,
    "spec.strategy.canary.steps[0].analysis.templates: Invalid value: \"rate\": metric rate has an interval and no count"
)]
#[case::not_there_yet("later", None, "")]
fn a_rollout_is_judged_with_the_templates_that_it_names(
    #[case] name: &str,
    #[case] count: Option<i32>,
    #[case] says: &str,
) {
    let gate = json!({ "templates": [{ "templateName": name }], "args": [{ "name": "service", "value": "web" }] });
    let mut object = rollout("demo", &two_steps());
    object["spec"]["strategy"]["canary"]["steps"][0]["analysis"] = gate;
    let answer = run(1, Trace::off(), |world: SimEnv| async move {
        let service = webhooks(&world.env, with_template(metric(count, "result[0] >= 0.95")));
        send(&service, Method::POST, VALIDATE_ROLLOUT, create(&object)).await
    });
    let answer = answered(&answer);
    assert_eq!(answer["allowed"], says.is_empty(), "{answer}");
    let message = answer["status"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(says), "{message}");
}

#[test]
fn a_rollout_on_its_way_out_may_go_whatever_it_holds() {
    let mut object = rollout("demo", &json!({ "canary": { "steps": [{ "traffic": "400%" }] } }));
    object["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    let request =
        json!({ "uid": "42", "operation": "UPDATE", "namespace": "default", "object": object, "oldObject": object });
    assert_eq!(
        answered(&ask(VALIDATE_ROLLOUT, review(&request), None))["allowed"],
        true
    );
}

#[test]
fn a_deployment_without_a_rollout_is_left_alone() {
    let object =
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "default" } });
    let request =
        json!({ "uid": "42", "operation": "UPDATE", "namespace": "default", "object": object, "oldObject": object });
    let answer = answered(&ask(MUTATE_DEPLOYMENT, review(&request), Some(json!([]))));
    assert_eq!(answer, json!({ "uid": "42", "allowed": true }));
}

fn conversion(objects: &Value, to: &str) -> String {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "ConversionReview",
        "request": { "uid": "7", "desiredAPIVersion": to, "objects": objects },
    })
    .to_string()
}

#[test]
fn any_number_of_objects_is_converted_in_order_with_metadata_verbatim() {
    let mut objects: Vec<Value> = (0..50).map(|i| rollout(&format!("r{i}"), &two_steps())).collect();
    objects[3]["metadata"]["managedFields"] = json!([{ "manager": "kubectl", "unheard-of": [1, 2] }]);
    let answer = answered(&ask(
        CONVERT,
        conversion(&json!(objects), "rollouts.kruise.io/v1beta1"),
        None,
    ));
    assert_eq!(answer["uid"], "7");
    assert_eq!(answer["result"], json!({ "status": "Success" }));
    assert_eq!(
        answer["convertedObjects"],
        json!(objects),
        "they have the version already"
    );
    let answer = answered(&ask(
        CONVERT,
        conversion(&json!(objects), "rollouts.kruise.io/v1alpha1"),
        None,
    ));
    let converted = answer["convertedObjects"].as_array().expect("objects");
    for (before, after) in objects.iter().zip(converted) {
        assert_eq!(after["apiVersion"], "rollouts.kruise.io/v1alpha1");
        assert_eq!(before["metadata"]["name"], after["metadata"]["name"]);
        assert_eq!(before["metadata"]["managedFields"], after["metadata"]["managedFields"]);
    }
}

#[test]
fn one_object_that_cannot_be_converted_fails_the_review_by_name() {
    let objects =
        json!([rollout("good", &two_steps()), { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" } }]);
    let answer = answered(&ask(CONVERT, conversion(&objects, "rollouts.kruise.io/v1alpha1"), None));
    assert_eq!(answer["result"]["status"], "Failure");
    assert_eq!(answer["convertedObjects"], json!([]));
    let message = answer["result"]["message"].as_str().expect("a message");
    assert!(message.contains("Pod"), "{message}");
}

#[rstest]
#[case::unknown_version(json!([rollout("demo", &two_steps())]), "rollouts.kruise.io/v9", "v9")]
#[case::another_group(json!([rollout("demo", &two_steps())]), "argoproj.io/v1alpha1", "argoproj.io/v1alpha1")]
#[case::no_object(json!([7]), "rollouts.kruise.io/v1alpha1", "")]
#[case::no_version(json!([{ "kind": "Rollout", "metadata": { "name": "demo" } }]), "rollouts.kruise.io/v1alpha1", "")]
#[case::a_spec_that_is_none(
    json!([{ "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": { "name": "demo" }, "spec": 7 }]),
    "rollouts.kruise.io/v1alpha1",
    "demo"
)]
fn a_conversion_that_cannot_be_is_answered_with_why(#[case] objects: Value, #[case] to: &str, #[case] named: &str) {
    let answer = answered(&ask(CONVERT, conversion(&objects, to), None));
    assert_eq!(answer["uid"], "7");
    assert_eq!(answer["result"]["status"], "Failure", "{answer}");
    assert_eq!(answer["convertedObjects"], json!([]));
    let message = answer["result"]["message"].as_str().expect("a message");
    assert!(!message.is_empty() && message.contains(named), "{message}");
}

#[rstest]
#[case::a_text(json!("words"))]
#[case::nothing(json!(null))]
#[case::a_list(json!([]))]
#[case::no_spec(json!({ "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": { "name": "demo" } }))]
#[case::another_kind(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "demo" } }))]
fn a_review_of_something_that_is_no_rollout_is_denied(#[case] object: Value) {
    let answer = answered(&ask(VALIDATE_ROLLOUT, create(&object), Some(json!([]))));
    assert_eq!(answer["allowed"], false, "{answer}");
    let message = answer["status"]["message"].as_str().expect("a message");
    assert!(!message.is_empty(), "{answer}");
}

#[rstest]
#[case::a_text(json!("words"))]
#[case::nothing(json!(null))]
#[case::metadata_of_another_shape(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": 7 }))]
fn a_review_of_something_that_is_no_deployment_is_denied(#[case] object: Value) {
    let request =
        json!({ "uid": "42", "operation": "UPDATE", "namespace": "default", "object": object, "oldObject": object });
    let answer = answered(&ask(MUTATE_DEPLOYMENT, review(&request), Some(json!([]))));
    assert_eq!(answer["allowed"], false, "{answer}");
    assert_eq!(answer["status"]["code"], 400);
    let message = answer["status"]["message"].as_str().expect("a message");
    assert!(message.starts_with("read the Deployment under review: "), "{message}");
}

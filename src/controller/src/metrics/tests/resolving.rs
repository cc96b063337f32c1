//! From templates to providers: what is filled in, what is taken when nothing is written, and what cannot be.

use std::time::Duration;

use api::v1alpha1::{Provider, SecretKeyRef};
use rstest::rstest;
use serde_json::{Value, json};

use crate::metrics::resolve::{self, Values};
use crate::metrics::web::{Payload, Sent};
use crate::metrics::{Certificates, Credentials};

fn provider(json: Value) -> Provider {
    serde_json::from_value(json).expect("a provider")
}

fn from(name: &str, key: &str) -> Value {
    json!({ "secretKeyRef": { "name": name, "key": key } })
}

fn values() -> Values {
    let value = |name: &str, key: &str, value: &str| {
        let place = SecretKeyRef {
            name: name.to_owned(),
            key: key.to_owned(),
        };
        (place, value.to_owned())
    };
    Values::from([
        value("p", "ca", "PEM"),
        value("p", "user", "tom"),
        value("p", "password", "word"),
        value("p", "token", "tok.en"),
    ])
}

#[test]
fn a_whole_prometheus_metric() {
    let provider = provider(json!({ "prometheus": {
        "address": "https://prometheus", "query": "up", "timeout": 5, "headers": [{ "key": "X-Scope-OrgID", "value": "a" }],
        "rangeQuery": { "start": "now() - duration(\"5m\")", "end": "now()", "step": "1m" }, "caFrom": from("p", "ca"), "onWarnings": "Ignore",
        "authentication": { "basic": { "username": from("p", "user"), "password": from("p", "password") } },
    } }));
    let needed: Vec<String> = resolve::needed(&provider).into_iter().map(|place| place.key).collect();
    assert_eq!(needed, ["ca", "user", "password"]);
    let asks = provider.prometheus.expect("it is there");
    let made = resolve::prometheus(&asks, None, &values()).expect("it can be made");
    assert_eq!(
        made.range.as_ref().map(|range| range.step),
        Some(Duration::from_secs(60))
    );
    assert_eq!(made.manner.timeout, Duration::from_secs(5));
    assert_eq!(made.manner.certificates, Certificates::Roots(b"PEM".to_vec()));
    assert_eq!(made.manner.headers, [("X-Scope-OrgID".to_owned(), "a".to_owned())]);
    let tom = Credentials::Basic {
        user: "tom".to_owned(),
        password: "word".to_owned(),
    };
    assert!(made.manner.credentials == tom);

    let counts = resolve::prometheus(&asks, Some("count"), &values()).expect("it can be made");
    assert_eq!((counts.query.as_str(), counts.range), ("count", None));
}

#[test]
fn what_is_not_written_has_a_default() {
    let provider = provider(json!({ "prometheus": { "address": "http://p", "query": "up", "timeout": 0 } }));
    let asks = provider.prometheus.expect("it is there");
    let made = resolve::prometheus(&asks, None, &Values::new()).expect("it can be made");
    assert_eq!(made.manner.timeout, Duration::from_secs(30));
    assert_eq!(made.manner.certificates, Certificates::System);
}

#[rstest]
#[case::get(json!({ "url": "http://w" }), Sent::Get)]
#[case::post(json!({ "url": "http://w", "method": "POST" }), Sent::Post(Payload::Empty))]
#[case::text(json!({ "url": "http://w", "method": "PUT", "body": "x" }), Sent::Put(Payload::Text("x".to_owned())))]
#[case::json(json!({ "url": "http://w", "method": "POST", "jsonBody": { "a": 1 } }), Sent::Post(Payload::Json(json!({ "a": 1 }))))]
fn a_web_metric_sends(#[case] asks: Value, #[case] expected: Sent) {
    let asks = provider(json!({ "web": asks })).web.expect("it is there");
    let made = resolve::web(&asks, &Values::new()).expect("it can be made");
    assert_eq!((made.body, made.manner.timeout), (expected, Duration::from_secs(10)));
}

#[rstest]
#[case::missing(
    json!({ "caFrom": from("p", "nothing") }),
    "there is no key nothing in a Secret p of the run's namespace; create it, or correct the reference"
)]
#[case::missing_token(
    json!({ "authentication": { "bearer": from("q", "token") } }),
    "there is no key token in a Secret q of the run's namespace; create it, or correct the reference"
)]
#[case::both_ways(
    json!({ "authentication": { "bearer": from("p", "token"), "basic": { "username": from("p", "user"), "password": from("p", "password") } } }),
    "authentication has basic and bearer; keep one"
)]
#[case::another_way(json!({ "authentication": { "sigv4": {} } }), "authentication.sigv4 is not served; write basic or bearer")]
#[case::insecure(json!({ "insecure": true, "caFrom": from("p", "ca") }), "there are insecure and caFrom; keep one")]
#[case::timeout(json!({ "timeout": -1 }), "timeout is below zero; write seconds, or leave it out")]
#[case::step(
    json!({ "rangeQuery": { "start": "now()", "end": "now()", "step": "1 minute" } }),
    "rangeQuery.step: \"1 minute\" is not a duration; write a number and a unit (ms, s, m, h), as in 30s, 5m or 1h30m"
)]
fn what_cannot_be_is_told(#[case] mut asks: Value, #[case] expected: &str) {
    asks["address"] = json!("http://p");
    let asks = provider(json!({ "prometheus": asks })).prometheus.expect("it is there");
    let error = resolve::prometheus(&asks, None, &values()).expect_err("it cannot be");
    assert_eq!(error.to_string(), format!("Prometheus metric: {expected}"));
}

#[rstest]
#[case::two_bodies(json!({ "method": "POST", "body": "x", "jsonBody": {} }), "there are a body and a jsonBody; keep one")]
#[case::get_with_a_body(json!({ "body": "x" }), "a GET has no body; write method: POST, or leave the body out")]
#[case::method(json!({ "method": "DELETE" }), "method \"DELETE\": write GET, POST or PUT")]
fn a_web_metric_that_cannot_be_is_told(#[case] mut asks: Value, #[case] expected: &str) {
    asks["url"] = json!("http://w");
    let asks = provider(json!({ "web": asks })).web.expect("it is there");
    let error = resolve::web(&asks, &Values::new()).expect_err("it cannot be");
    assert_eq!(error.to_string(), format!("web metric: {expected}"));
}

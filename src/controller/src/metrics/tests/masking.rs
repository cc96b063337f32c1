//! Secrets that a server echoes, in whatever form, reach nobody.

use std::time::Duration;

use analysis::value::Value;
use env::sim::run;
use env::{HttpService, Trace, full};
use http::Response;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{measure, prometheus, real, told};
use crate::metrics::prometheus::Prometheus;
use crate::metrics::{Credentials, Manner, Network, Provider, Secrets};

#[rstest]
#[case::as_it_is("token is s3cr3t!", "token is *****")]
#[case::twice("s3cr3t!s3cr3t!", "*****")]
#[case::in_a_url("GET /?q=s3cr3t%21&x", "GET /?q=*****&x")]
#[case::in_base64("Authorization: Basic czNjcjN0IQ==", "Authorization: Basic *****")]
#[case::in_json("{\"a\":\"new\\nline\"}", "{\"a\":\"*****\"}")]
#[case::none("nothing to hide", "nothing to hide")]
fn every_form_of_a_secret_is_masked(#[case] text: &str, #[case] expected: &str) {
    let secrets = Secrets::new(["s3cr3t!", "new\nline", ""]);
    assert_eq!(secrets.mask(text).as_str(), expected);
}

#[test]
fn secrets_that_overlap_are_masked_as_one() {
    assert_eq!(
        Secrets::new(["abcdef", "defghi"]).mask("xabcdefghiy").as_str(),
        "x*****y"
    );
}

#[test]
fn the_beginning_of_a_secret_is_masked_where_a_text_was_cut() {
    let secrets = Secrets::new(["abcdefghi"]);
    assert_eq!(secrets.mask_cut("token=abcde").as_str(), "token=*****");
    assert_eq!(secrets.mask_cut("token=abc").as_str(), "token=abc");
}

proptest! {
    #[test]
    fn no_text_keeps_a_secret(
        secrets in prop::collection::vec("[a-d]{3,6}", 1..4),
        pieces in prop::collection::vec(prop_oneof![Just(0_usize), Just(1), Just(2), Just(9)], 0..12),
        noise in "[a-d :]{0,8}",
    ) {
        let piece = |n: &usize| secrets.get(*n).map_or(noise.as_str(), String::as_str);
        let text: String = pieces.iter().map(piece).collect();
        let masked = Secrets::new(&secrets).mask(&text);
        for secret in &secrets {
            prop_assert!(!masked.as_str().contains(secret.as_str()), "{masked} keeps {secret}");
        }
    }
}

/// A query by somebody with a password and a token, with an argument from a Secret in it.
fn confidential(address: &str, credentials: Credentials) -> Prometheus {
    Prometheus {
        query: "up{key=\"arg-secret\"}".to_owned(),
        manner: Manner {
            credentials,
            ..Manner::within(Duration::from_secs(30))
        },
        ..prometheus(address)
    }
}

const SECRETS: [&str; 3] = ["arg-secret", "pass-word", "dG9tOnBhc3Mtd29yZA=="];

fn tom() -> Credentials {
    Credentials::Basic {
        user: "tom".to_owned(),
        password: "pass-word".to_owned(),
    }
}

#[rstest]
#[case::error(
    400,
    r#"{"status":"error","errorType":"bad_data","error":"arg-secret dG9tOnBhc3Mtd29yZA== pass-word"}"#
)]
#[case::no_json(200, "you sent Basic dG9tOnBhc3Mtd29yZA== and arg-secret")]
#[case::server_error(500, "query=up%7Bkey%3D%22arg-secret%22%7D pass-word")]
#[case::result_type(200, r#"{"status":"success","data":{"resultType":"arg-secret","result":[]}}"#)]
#[case::value(
    200,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"pass-word"]}]}}"#
)]
#[case::status(200, r#"{"status":"pass-word"}"#)]
#[case::labels(
    200,
    r#"{"status":"success","warnings":["arg-secret"],"infos":["pass-word"],"data":{"resultType":"vector","result":[
        {"metric":{"key":"arg-secret","pass-word":"x"},"value":[0,"1"]}]}}"#
)]
fn nothing_of_an_answer_keeps_a_secret(#[case] status: u16, #[case] body: &'static str) {
    let came = run(1, Trace::off(), |world| async move {
        let service =
            HttpService::new(move |_| async move { Ok(Response::builder().status(status).body(full(body))?) });
        let _served = world.network.serve("prometheus:9090", service);
        let network = Network::new(world.env.clone());
        let secrets = Secrets::new(["arg-secret"]);
        let query = confidential("http://prometheus:9090", tom());
        format!("{:?} {query:?}", query.measure(&network, &secrets).await)
    });
    // The query itself is the template's, and its debug output is for developers.
    let came = came.replace(r#"query: "up{key=\"arg-secret\"}""#, "");
    for secret in SECRETS {
        let kept = came.contains(secret);
        assert!(
            !kept || secret == "pass-word" && came.contains("password"),
            "{came} keeps {secret}"
        );
    }
}

#[test]
fn a_value_that_echoes_a_secret_is_judged_without_it() {
    let secrets = Secrets::new(["tok.en", "0.25"]);
    let masked = |json| secrets.mask_value(Value::from_json(&json));
    assert_eq!(
        masked(json!({"said": ["Bearer tok.en", 0.25, 1.5], "tok.en": true})),
        Value::from_json(&json!({"said": ["Bearer *****", "*****", 1.5], "*****": true}))
    );
}

#[test]
fn a_redirect_that_carries_the_token_is_told_without_it() {
    let came = run(1, Trace::off(), |world| async move {
        let service = HttpService::new(|_| async {
            let elsewhere = Response::builder()
                .status(302)
                .header("location", "https://evil/?t=tok.en");
            Ok(elsewhere.body(full(""))?)
        });
        let _served = world.network.serve("prometheus:9090", service);
        let query = confidential("http://prometheus:9090", Credentials::Bearer("tok.en".to_owned()));
        told(measure(&query, &world.env).await)
    });
    let (_, message) = came.expect_err("it leads elsewhere");
    assert!(message.contains("302 to https://evil/?t=*****"), "{message}");
}

#[tokio::test]
async fn a_secret_echoed_over_sockets_is_masked() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(
            ResponseTemplate::new(401).set_body_string("no user for Basic dG9tOnBhc3Mtd29yZA== (tom, pass-word)"),
        )
        .mount(&server)
        .await;
    let (_, message) = told(measure(&confidential(&server.uri(), tom()), &real()).await).expect_err("401");
    assert!(
        message
            .ends_with("refused with 401: no user for Basic ***** (*****, *****); check the metric's authentication"),
        "{message}"
    );
}

#[tokio::test]
async fn an_error_of_the_transport_does_not_show_the_query() {
    let query = confidential("http://127.0.0.1:1", tom());
    let (_, message) = told(measure(&query, &real()).await).expect_err("nobody is there");
    assert!(
        !message.contains("arg-secret") && !message.contains("up%7B"),
        "{message}"
    );
}

//! The web provider: what is sent, what is found in the answer, and what is not.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use rstest::rstest;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Class, Heard, measure, real, told};
use crate::metrics::Manner;
use crate::metrics::web::{Payload, Sent, TIMEOUT, Web};

fn web(url: &str, json_path: &str) -> Web {
    Web {
        url: url.to_owned(),
        body: Sent::Get,
        json_path: json_path.to_owned(),
        manner: Manner::within(TIMEOUT),
    }
}

/// What a measurement makes of an answer.
fn came(path: &str, status: u16, body: &str) -> Result<String, (Class, String)> {
    let (path, body) = (path.to_owned(), body.to_owned());
    run(1, Trace::off(), |world| async move {
        let service = Heard::default().service(move |_| (status, body.clone()));
        let _served = world.network.serve("web", service);
        told(measure(&web("http://web/measure", &path), &world.env).await)
    })
}

const ANSWER: &str =
    r#"{"data":{"ok":true,"rate":0.95,"my-name":"x","a.b":7,"items":[{"n":1,"type":"Ready"},{"n":2,"type":"Other"}]}}"#;

#[rstest]
#[case::all(
    "",
    r#"{"data":{"a.b":7,"items":[{"n":1,"type":"Ready"},{"n":2,"type":"Other"}],"my-name":"x","ok":true,"rate":0.95}}"#
)]
#[case::root("{$.data.ok}", "true")]
#[case::without_root("{.data.rate}", "0.95")]
#[case::without_braces("$.data.rate", "0.95")]
#[case::blanks("{ $.data.rate }", "0.95")]
#[case::name_with_a_dash("{$.data.my-name}", "x")]
#[case::escaped_point("{$.data.a\\.b}", "7")]
#[case::in_brackets("{$.data['a.b']}", "7")]
#[case::index("{$.data.items[1].n}", "2")]
#[case::from_the_end("{$.data.items[-1].n}", "2")]
#[case::every_gives_the_first("{$.data.items[*].n}", "1")]
#[case::filter("{$.data.items[?(@.type==\"Other\")].n}", "2")]
#[case::anywhere("{$..rate}", "0.95")]
#[case::whole(
    "{$}",
    r#"{"data":{"a.b":7,"items":[{"n":1,"type":"Ready"},{"n":2,"type":"Other"}],"my-name":"x","ok":true,"rate":0.95}}"#
)]
fn a_path_finds_a_value(#[case] path: &str, #[case] expected: &str) {
    assert_eq!(came(path, 200, ANSWER), Ok(expected.to_owned()));
}

#[rstest]
#[case::open("{$.data", "it opens a brace and does not close it")]
#[case::text("{$.a}{$.b}", "it is more than one path; write one, as {$.data.value}")]
#[case::no_path("{data}", "\"d\" is not expected; write one path, as {$.data.value}")]
#[case::no_name("{$.data.}", "a name is missing after a point")]
#[case::two_descents("{$..a..b}", "more than one .. in a path")]
#[case::descent_in_a_filter("{$..[?(@..a)]}", ".. in a filter; name the field")]
#[case::root_in_a_filter("{$.a[?(@.b==$.c)]}", "$ in a filter; compare with what is below @")]
#[case::several("{$.a[0,1]}", "several names or indexes in one bracket; write one")]
#[case::open_bracket("{$.a[0}", "a bracket is not closed")]
fn a_path_that_cannot_be_followed_is_refused(#[case] path: &str, #[case] expected: &str) {
    let (class, message) = came(path, 200, ANSWER).expect_err("no path");
    assert_eq!(class, Class::Misconfigured);
    let start = format!("GET http://web/measure: jsonPath \"{path}\": {expected}");
    assert!(message.starts_with(&start), "{message}");
}

#[rstest]
#[case::nothing_there(
    "{$.missing}",
    200,
    ANSWER,
    Class::NoValue,
    "the answer has nothing at {$.missing}: {\"data\""
)]
#[case::no_json(
    "",
    200,
    "OK",
    Class::Malformed,
    "the answer cannot be read: it is no type and not JSON (expected value at line 1 column 1): OK"
)]
#[case::truncated(
    "",
    200,
    "{\"a\":",
    Class::Malformed,
    "the answer cannot be read: it is no type and not JSON (EOF"
)]
#[case::nothing(
    "",
    204,
    "",
    Class::Malformed,
    "the answer cannot be read: it is no type and not JSON (EOF"
)]
#[case::refused(
    "",
    404,
    "who?",
    Class::QueryRefused,
    "refused with 404: who?; check the address and its path"
)]
#[case::broken(
    "",
    502,
    "bad gateway",
    Class::ServerError,
    "the server cannot answer now, 502: bad gateway"
)]
#[case::elsewhere("", 301, "", Class::Redirect, "the answer leads elsewhere (301 to nowhere)")]
fn an_answer_without_the_value_is_trouble(
    #[case] path: &str,
    #[case] status: u16,
    #[case] body: &str,
    #[case] class: Class,
    #[case] expected: &str,
) {
    let (kind, message) = came(path, status, body).expect_err("no value");
    assert_eq!(kind, class, "{message}");
    assert!(
        message.starts_with(&format!("GET http://web/measure: {expected}")),
        "{message}"
    );
}

#[test]
fn json_deeper_than_is_read_is_refused() {
    let (class, _) = came("", 200, &"[".repeat(100_000)).expect_err("too deep");
    assert_eq!(class, Class::Malformed);
}

#[test]
fn more_than_one_megabyte_is_refused() {
    let (class, message) = came("", 200, &" ".repeat((1 << 20) + 1)).expect_err("too large");
    assert_eq!(class, Class::TooLarge, "{message}");
}

#[test]
fn ten_seconds_are_waited() {
    run(1, Trace::off(), |world| async move {
        let never = env::HttpService::new(|_| std::future::pending());
        let _served = world.network.serve("web", never);
        let came = told(measure(&web("http://web/measure", ""), &world.env).await);
        assert_eq!(came.expect_err("no answer").0, Class::Timeout);
        assert_eq!(world.env.clock().elapsed().0, Duration::from_secs(10));
    });
}

#[tokio::test]
async fn what_is_sent_over_sockets_is_what_the_metric_says() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/measure"))
        .and(query_param("since", "1h"))
        .and(header("content-type", "application/json"))
        .and(header("x-team", "a"))
        .and(body_json(json!({ "service": "web" })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "ok": 1 })))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(header("content-type", "text/csv"))
        .and(wiremock::matchers::body_string("a,b"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "ok": 2 })))
        .mount(&server)
        .await;
    let with = |body, name: &str, value: &str| Web {
        body,
        manner: Manner {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..Manner::within(TIMEOUT)
        },
        ..web(&format!("{}/measure?since=1h", server.uri()), "{$.ok}")
    };
    let env = real();
    let posted = with(Sent::Post(Payload::Json(json!({ "service": "web" }))), "x-team", "a");
    assert_eq!(told(measure(&posted, &env).await), Ok("1".to_owned()));
    let put = with(Sent::Put(Payload::Text("a,b".to_owned())), "content-type", "text/csv");
    assert_eq!(told(measure(&put, &env).await), Ok("2".to_owned()));
}

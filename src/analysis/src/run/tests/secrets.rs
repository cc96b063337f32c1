//! Secret values go into a metric's provider and into no text.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;

use super::play::{Play, measured, metric};
use crate::run::{Fault, Outcome, Secrets};

fn secrets(values: &[(&str, &str)]) -> Secrets {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Secrets::of(values.collect::<BTreeMap<_, _>>())
}

#[rstest]
#[case::plain("401 for Bearer hunter2", "401 for Bearer *****")]
#[case::often("hunter2 hunter2", "***** *****")]
#[case::in_json(r#"{"t":"a\"b"}"#, r#"{"t":"*****"}"#)]
#[case::in_a_url("GET /?t=a%22b&u=1", "GET /?t=*****&u=1")]
#[case::longest_first("hunter22", "*****")]
#[case::none("all is well", "all is well")]
fn v26_a_text_without_secrets(#[case] text: &str, #[case] expected: &str) {
    let secrets = secrets(&[
        ("a", "hunter2"),
        ("b", "a\"b"),
        ("c", "hunter22"),
        ("d", ""),
        ("e", " \n"),
    ]);
    assert_eq!(secrets.mask(text), expected);
}

#[test]
fn a_line_end_that_a_file_left_is_no_way_around() {
    let mut secrets = secrets(&[("a", "hunter2\n")]);
    secrets.hide("pass");
    assert_eq!(secrets.mask("hunter2 and pass"), "***** and *****");
    assert_eq!(format!("{secrets:?}"), "Secrets(2)");
}

#[test]
fn v26_nothing_of_a_secret_is_in_the_status() {
    let args = json!([{ "name": "s", "valueFrom": { "secretKeyRef": { "name": "n", "key": "k" } } }]);
    let provider = json!({ "web": { "url": "http://a", "headers": [{ "key": "k", "value": "{{args.s}}" }] } });
    let spec =
        json!({ "args": args, "metrics": [metric("m", &json!({ "provider": provider, "consecutiveErrorLimit": 0 }))] });
    let mut play = Play::of(spec, &[]);
    let request = play.step(&[]).due.remove(0);
    let secrets = secrets(&[("s", "hunter2")]);
    let sent = secrets.fill(&request.metric).unwrap();
    assert_eq!(sent.provider.web.unwrap().headers.unwrap()[0].value, "hunter2");
    let echo = Outcome::Error {
        fault: Fault::Refused,
        message: secrets.mask("401: no such token hunter2"),
    };
    let answer = measured("m", 1, play.now, echo);
    play.step(&[answer]);
    let (phase, message) = play.said();
    assert_eq!(phase, "Error");
    assert!(
        message.ends_with("\"Error Message: 401: no such token *****\""),
        "{message}"
    );
    assert!(!serde_json::to_string(&play.status).unwrap().contains("hunter2"));
}

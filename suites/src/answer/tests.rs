//! The pod is found in every shape of answer that echo servers give.

use http::HeaderMap;
use rstest::rstest;

use super::pod_of;

#[rstest]
#[case(r#"{"pod":"web-1"}"#)]
#[case(r#"{"pod":{"name":"web-1","namespace":"default"}}"#)]
#[case(r#"{"pod":"default/web-1"}"#)]
#[case(r#"{"host":{"hostname":"web-1"}}"#)]
#[case(r#"{"environment":{"HOSTNAME":"web-1"}}"#)]
#[case("\nHostname: web-1\n\nPod Information:\n")]
fn the_body_names_the_pod(#[case] body: &str) {
    assert_eq!(pod_of(&HeaderMap::new(), body.as_bytes()).as_deref(), Some("web-1"));
}

#[test]
fn a_header_wins_and_nothing_is_nothing() {
    let mut headers = HeaderMap::new();
    headers.insert("x-pod-name", "web-2".parse().unwrap());
    assert_eq!(pod_of(&headers, br#"{"pod":"web-1"}"#).as_deref(), Some("web-2"));
    assert_eq!(pod_of(&HeaderMap::new(), b"hello"), None);
}

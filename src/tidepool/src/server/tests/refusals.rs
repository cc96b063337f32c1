//! Requests that are refused, and the words of the refusal.

use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[rstest]
#[case::missing(
    "GET",
    "/api/v1/namespaces/default/configmaps/x",
    "",
    404,
    r#"configmaps "x" not found"#
)]
#[case::grouped(
    "GET",
    "/apis/apps/v1/namespaces/default/deployments/x",
    "",
    404,
    r#"deployments.apps "x" not found"#
)]
#[case::unknown_type(
    "GET",
    "/apis/apps/v1/things",
    "",
    404,
    "the server could not find the requested resource"
)]
#[case::malformed(
    "POST",
    MAPS,
    "{",
    400,
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
)]
#[case::no_value(
    "POST",
    MAPS,
    "{\"a\":}",
    400,
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character '}' looking for beginning of value ({\"a\":})"
)]
#[case::no_colon(
    "POST",
    MAPS,
    "{\"a\" 1}",
    400,
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character '1' after object key ({\"a\" 1})"
)]
#[case::no_json(
    "POST",
    MAPS,
    "metadata: {}",
    400,
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 'm' looking for beginning of value (6d657461646174613a207b7d)"
)]
#[case::no_name(
    "POST",
    MAPS,
    r#"{"metadata":{}}"#,
    422,
    r#"ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required"#
)]
#[case::bad_name("POST", MAPS, r#"{"metadata":{"name":"A_b"}}"#, 422,
    r#"ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#)]
#[case::wrong_kind(
    "POST",
    MAPS,
    r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}"#,
    400,
    r#"Pod in version "v1" cannot be handled as a ConfigMap: the kind in the data does not match the expected kind"#
)]
#[case::wrong_version(
    "POST",
    MAPS,
    r#"{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}"#,
    400,
    "the API version in the data (v2) does not match the expected API version (v1)"
)]
#[case::wrong_namespace(
    "POST",
    MAPS,
    r#"{"metadata":{"name":"a","namespace":"other"}}"#,
    400,
    "the namespace of the provided object does not match the namespace sent on the request"
)]
#[case::no_namespace(
    "POST",
    "/api/v1/namespaces/nowhere/configmaps",
    r#"{"metadata":{"name":"a"}}"#,
    404,
    r#"namespaces "nowhere" not found"#
)]
#[case::field_selector(
    "GET",
    "/api/v1/namespaces/default/configmaps?fieldSelector=data.a%3Db",
    "",
    400,
    r#""data.a" is not a known field selector: only "metadata.name", "metadata.namespace""#
)]
#[case::dry_run(
    "POST",
    "/api/v1/namespaces/default/configmaps?dryRun=Some",
    r#"{"metadata":{"name":"a"}}"#,
    400,
    r#"dryRun: Unsupported value: "Some": supported values: "All""#
)]
#[case::put_elsewhere(
    "PUT",
    "/api/v1/namespaces/default/configmaps/a",
    r#"{"metadata":{"name":"b"}}"#,
    400,
    "the name of the object (b) does not match the name on the URL (a)"
)]
fn a_refusal_says_why(
    #[case] method: &'static str,
    #[case] path: &'static str,
    #[case] body: &'static str,
    #[case] code: u16,
    #[case] message: &'static str,
) {
    with_cluster(move |cluster| async move {
        let (status, value) = raw(&cluster.api(), method, path, "application/json", body).await;
        assert_eq!((status, value["message"].as_str()), (code, Some(message)), "{value}");
        assert_eq!(value["status"], "Failure");
    });
}

#[rstest]
#[case::json("application/json", json!({ "metadata": { "name": "a" }, "data": { "k": "v" } }).to_string(), 201)]
#[case::yaml("application/yaml", "metadata:\n  name: a\ndata:\n  k: v\n".to_owned(), 201)]
#[case::protobuf("application/vnd.kubernetes.protobuf", "k8s".to_owned(), 400)]
#[case::cbor("application/cbor", "k8s".to_owned(), 415)]
#[case::bomb("application/yaml", bomb(), 400)]
#[case::huge("application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20)), 413)]
fn a_body_is_read_within_bounds(#[case] content_type: &'static str, #[case] body: String, #[case] code: u16) {
    with_cluster(move |cluster| async move {
        let (status, value) = raw(&cluster.api(), "POST", MAPS, content_type, body).await;
        assert_eq!(status, code, "{value}");
    });
}

/// Ten lists, each of ten aliases of the one before.
fn bomb() -> String {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn a_namespace_that_goes_away_takes_its_content_along_and_takes_nothing_new() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let json = "application/json";
        let made = raw(&api, "POST", "/api/v1/namespaces", json, r#"{"metadata":{"name":"n"}}"#).await;
        assert_eq!(made.0, 201);
        let held = r#"{"metadata":{"name":"a","finalizers":["example.com/hold"]}}"#;
        raw(&api, "POST", "/api/v1/namespaces/n/configmaps", json, held).await;
        raw(
            &api,
            "POST",
            "/api/v1/namespaces/n/configmaps",
            json,
            r#"{"metadata":{"name":"b"}}"#,
        )
        .await;
        let (code, gone) = raw(&api, "DELETE", "/api/v1/namespaces/n", json, "").await;
        assert_eq!((code, gone["status"]["phase"].as_str()), (200, Some("Terminating")));
        let (code, refused) = raw(
            &api,
            "POST",
            "/api/v1/namespaces/n/configmaps",
            json,
            r#"{"metadata":{"name":"c"}}"#,
        )
        .await;
        assert_eq!(code, 403);
        assert_eq!(
            refused["message"],
            r#"configmaps "c" is forbidden: unable to create new content in namespace n because it is being terminated"#
        );
        cluster.cluster().env().sleep(std::time::Duration::from_secs(5)).await;
        let (_, left) = raw(&api, "GET", "/api/v1/namespaces/n/configmaps", json, "").await;
        let names: Vec<&Value> = left["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|map| &map["metadata"]["name"])
            .collect();
        assert_eq!(names, ["a"]);
        let free = r#"[{"op":"remove","path":"/metadata/finalizers"}]"#;
        raw(
            &api,
            "PATCH",
            "/api/v1/namespaces/n/configmaps/a",
            "application/json-patch+json",
            free,
        )
        .await;
        cluster.cluster().env().sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(raw(&api, "GET", "/api/v1/namespaces/n", json, "").await.0, 404);
        cluster.stop().await;
    });
}

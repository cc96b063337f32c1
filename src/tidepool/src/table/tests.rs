//! Tables as a person sees them, durations, and paths.

mod columns;
mod custom;

use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use super::age::human;
use super::{Column, Include, table};

/// The time of all tables here.
pub(super) fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("time")
}

/// What `kubectl get -o wide` prints of such a table.
pub(super) fn shown(columns: &[Column], objects: &[Value]) -> String {
    let objects: Vec<&Value> = objects.iter().collect();
    let table = table(columns, &objects, now(), Include::None, true);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let headings = table["columnDefinitions"].as_array().expect("columns").iter();
    let headings = headings.map(|column| text(&column["name"]).to_uppercase()).collect();
    let rows = table["rows"].as_array().expect("rows").iter();
    let mut lines: Vec<Vec<String>> = vec![headings];
    lines.extend(rows.map(|row| row["cells"].as_array().expect("cells").iter().map(text).collect()));
    let texts: Vec<String> = lines
        .iter()
        .map(|line| line.join(" | ").trim_end().to_owned())
        .collect();
    texts.join("\n")
}

#[rstest]
#[case(-2, "<invalid>")]
#[case(-1, "0s")]
#[case(0, "0s")]
#[case(119, "119s")]
#[case(120, "2m")]
#[case(121, "2m1s")]
#[case(600, "10m")]
#[case(10_799, "179m")]
#[case(10_800, "3h")]
#[case(10_860, "3h1m")]
#[case(28_800, "8h")]
#[case(172_799, "47h")]
#[case(172_800, "2d")]
#[case(176_400, "2d1h")]
#[case(691_200, "8d")]
#[case(31_536_000, "365d")]
#[case(63_072_000, "2y")]
#[case(63_158_400, "2y1d")]
#[case(252_288_000, "8y")]
fn durations_are_shortened_as_kubernetes_does(#[case] seconds: i64, #[case] text: &str) {
    assert_eq!(human(seconds), text);
}

#[rstest]
#[case(Include::None, json!(null))]
#[case(Include::Metadata, json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": { "name": "a" } }))]
#[case(Include::Object, json!({ "metadata": { "name": "a" }, "data": {} }))]
fn rows_carry_what_was_asked_for(#[case] include: Include, #[case] carried: Value) {
    let object = json!({ "metadata": { "name": "a" }, "data": {} });
    let table = table(super::PLAIN, &[&object], now(), include, false);
    assert_eq!(table["rows"][0]["object"], carried);
    assert_eq!(table["columnDefinitions"], Value::Null);
}

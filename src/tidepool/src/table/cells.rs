//! Words that several printers share: lists that are cut short, labels, selectors, access modes.
//!
//! Pure; as `kubectl` has shown them for years.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object;

/// What stands for nothing.
pub(super) const NONE: &str = "<none>";

/// The texts joined by commas; [`NONE`] when there are none.
pub(super) fn joined(texts: &[String]) -> String {
    if texts.is_empty() {
        NONE.to_owned()
    } else {
        texts.join(",")
    }
}

/// The first three texts, and how many more there are.
pub(super) fn first_three(texts: &[String], otherwise: &str) -> String {
    match texts.len() {
        0 => otherwise.to_owned(),
        1..=3 => texts.join(","),
        all => format!("{} + {} more...", texts[..3].join(","), all - 3),
    }
}

/// A map of labels, `a=b,c=d`.
pub(super) fn labels(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    let texts: Vec<String> = pairs
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    joined(&texts)
}

/// A LabelSelector as text.
pub(super) fn selector(selector: &Value) -> String {
    let mut parts: BTreeSet<(String, String)> = BTreeSet::new();
    for (key, value) in object::at(selector, &["matchLabels"]).as_object().into_iter().flatten() {
        parts.insert((key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())));
    }
    for expression in object::items(selector, &["matchExpressions"]) {
        let key = object::text(expression, &["key"]);
        let values: BTreeSet<&str> = object::items(expression, &["values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let values = values.into_iter().collect::<Vec<_>>().join(",");
        let text = match object::text(expression, &["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.insert((key.to_owned(), text));
    }
    let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    joined(&texts)
}

/// One field of every item of a list.
pub(super) fn each(items: &[Value], field: &str) -> Vec<String> {
    items
        .iter()
        .map(|item| object::text(item, &[field]).to_owned())
        .collect()
}

fn template(object: &Value, field: &str) -> Value {
    let nested = object::items(
        object,
        &["spec", "jobTemplate", "spec", "template", "spec", "containers"],
    );
    let containers = match object::items(object, &["spec", "template", "spec", "containers"]) {
        [] => nested,
        own => own,
    };
    json!(each(containers, field).join(","))
}

/// The names of a workload's containers.
pub(super) fn containers(object: &Value, _: Timestamp) -> Value {
    template(object, "name")
}

/// The images of a workload's containers.
pub(super) fn images(object: &Value, _: Timestamp) -> Value {
    template(object, "image")
}

/// A workload's label selector.
pub(super) fn spec_selector(object: &Value, _: Timestamp) -> Value {
    json!(selector(&object["spec"]["selector"]))
}

/// `RWO,ROX` for a list of access modes.
pub(super) fn access_modes(modes: &[Value]) -> String {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let texts: Vec<&str> = modes.iter().filter_map(Value::as_str).map(short).collect();
    texts.join(",")
}

/// The condition of that type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object::items(object, &["status", "conditions"]);
    let found = conditions.iter().find(|condition| condition["type"] == kind);
    found.unwrap_or(&Value::Null)
}

/// Whether the condition of that type is true.
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind)["status"] == "True"
}

//! Whether a definition's OpenAPI schema is structural, in the words of the real server.
//!
//! A structural schema gives every value a type outside of `allOf`, `anyOf`, `oneOf` and `not`, and says nothing inside of those but rules about
//! values. Only such a schema can be pruned and defaulted, so a definition with another one is refused. Pure.

use serde_json::{Value, json};

use crate::object;
use crate::server::refusal::Cause;

/// How deep a schema may nest: deeper ones are refused by what is asked after this.
const DEEPEST: usize = 100;

/// What may not stand below a junctor, and what it would have to be instead.
const FORBIDDEN_BELOW: &[(&str, &str)] = &[
    ("type", "must be empty to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("default", "must be undefined to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("nullable", "must be false to be structural"),
    (
        "x-kubernetes-preserve-unknown-fields",
        "must be undefined to be structural",
    ),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
];

/// What is wrong with the schema at `path`.
pub(super) fn causes(schema: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    match object::text(schema, &["type"]) {
        "object" => {}
        "" => causes.push(Cause::required(format!("{path}.type"), "must not be empty at the root")),
        other => causes.push(Cause::invalid(
            format!("{path}.type"),
            &json!(other),
            "must be object at the root",
        )),
    }
    value(schema, path, 0, &mut causes);
    causes
}

/// A schema outside of junctors.
fn value(schema: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    if schema["$ref"].is_string() {
        causes.push(Cause::forbidden(format!("{path}.$ref"), "$ref is not supported"));
    }
    if schema["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        causes.push(Cause::forbidden(format!("{path}.uniqueItems"), why));
    }
    let named = schema["properties"].as_object().is_some_and(|named| !named.is_empty());
    if named && !matches!(schema["additionalProperties"], Value::Null | Value::Bool(_)) {
        let why = "additionalProperties and properties are mutual exclusive";
        causes.push(Cause::forbidden(format!("{path}.additionalProperties"), why));
    }
    if schema["type"] == "array" && !schema["items"].is_object() {
        causes.push(Cause::required(format!("{path}.items"), "must be specified"));
    }
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.properties[{name}]");
        typed(child, &path, "must not be empty for specified object fields", causes);
        value(child, &path, depth + 1, causes);
    }
    for (field, why) in [
        ("items", "must not be empty for specified array items"),
        ("additionalProperties", "must not be empty for specified object fields"),
    ] {
        let child = &schema[field];
        if child.is_object() {
            let path = format!("{path}.{field}");
            typed(child, &path, why, causes);
            value(child, &path, depth + 1, causes);
        }
    }
    below(schema, path, depth, causes);
}

/// Every value has a type, unless it may be anything or a number or text.
fn typed(schema: &Value, path: &str, why: &str, causes: &mut Vec<Cause>) {
    let free = ["x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"]
        .iter()
        .any(|field| schema[*field] == true);
    if object::text(schema, &["type"]).is_empty() && !free {
        causes.push(Cause::required(format!("{path}.type"), why));
    }
}

/// The parts of a schema's junctors.
fn below(schema: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    let number_or_text = schema["x-kubernetes-int-or-string"] == true;
    for field in ["allOf", "anyOf", "oneOf"] {
        if number_or_text && field == "anyOf" && names_both_types(schema) {
            continue;
        }
        for (index, part) in object::items(schema, &[field]).iter().enumerate() {
            let mut part = part.clone();
            if number_or_text && (field, index) == ("allOf", 0) && names_both_types(&part) {
                part["anyOf"].take();
            }
            junction(&part, &format!("{path}.{field}[{index}]"), depth + 1, causes);
        }
    }
    if schema["not"].is_object() {
        junction(&schema["not"], &format!("{path}.not"), depth + 1, causes);
    }
}

/// The one pattern in which types may be named below a junctor.
fn names_both_types(schema: &Value) -> bool {
    schema["anyOf"] == json!([{ "type": "integer" }, { "type": "string" }])
}

fn junction(schema: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    if depth > DEEPEST {
        return;
    }
    for (field, why) in FORBIDDEN_BELOW {
        let said = match &schema[*field] {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            _ => true,
        };
        if said {
            causes.push(Cause::forbidden(format!("{path}.{field}"), why));
        }
    }
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        junction(child, &format!("{path}.properties[{name}]"), depth + 1, causes);
    }
    if schema["items"].is_object() {
        junction(&schema["items"], &format!("{path}.items"), depth + 1, causes);
    }
    below(schema, path, depth, causes);
}

//! Whether an applied configuration is of its type: apply takes no field that the schema does not know, in the words of Kubernetes. Pure.

use serde_json::Value;

use super::form::{Form, Place, edge};
use super::set::words as edge_words;
use crate::object;
use crate::patch::go;
use crate::schema::node::{Cursor, Kind};

/// Everything that is wrong with a configuration: path and message.
pub(super) fn check(place: Place<'_>, config: &Value) -> Result<(), Vec<(String, String)>> {
    let mut errors = Vec::new();
    walk(place, config, "", &mut errors);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The errors as one message.
pub(super) fn words(config: &Value, errors: &[(String, String)]) -> String {
    let (api_version, kind) = (object::text(config, &["apiVersion"]), object::text(config, &["kind"]));
    let version = if api_version.contains('/') {
        api_version.to_owned()
    } else {
        format!("/{api_version}")
    };
    let lines: Vec<String> = errors
        .iter()
        .map(|(path, message)| {
            if path.is_empty() {
                message.clone()
            } else {
                format!("{path}: {message}")
            }
        })
        .collect();
    let list = match &lines[..] {
        [only] => only.clone(),
        lines => format!("errors:\n  {}", lines.join("\n  ")),
    };
    format!(
        "failed to create typed patch object ({}/{}; {version}, Kind={kind}): {list}",
        object::namespace(config),
        object::name(config)
    )
}

fn walk(place: Place<'_>, value: &Value, path: &str, errors: &mut Vec<(String, String)>) {
    let Place::Known(cursor) = place else { return };
    if value.is_null() {
        return;
    }
    let mut wrong = |message: String| errors.push((path.to_owned(), message));
    match (cursor.kind(), value) {
        (Kind::Any, _) => {}
        (Kind::Struct { open, rest, .. }, Value::Object(map)) => {
            for (name, value) in map {
                let below = format!("{path}.{name}");
                match cursor.child(name) {
                    Some(child) => walk(Place::Known(child), value, &below, errors),
                    None if *open || rest.is_some() => {}
                    None => {
                        errors.push((below, "field not declared in schema".to_owned()));
                        // Kubernetes stops at the first of one object.
                        return;
                    }
                }
            }
        }
        (Kind::Map { values }, Value::Object(map)) => {
            for (name, value) in map {
                walk(
                    Place::Known(cursor.at(*values)),
                    value,
                    &format!("{path}.{name}"),
                    errors,
                );
            }
        }
        (Kind::List { .. }, Value::Array(list)) => walk_list(place, cursor, list, path, errors),
        (Kind::Struct { .. } | Kind::Map { .. }, value) => {
            wrong(format!("expected map, got &{{{}}}", go::print(value)))
        }
        (Kind::List { .. }, value) => wrong(format!("expected list, got &{{{}}}", go::print(value))),
        (Kind::Integer(_) | Kind::Number, value) if !value.is_number() => {
            wrong(format!("expected numeric (int or float), got {}", go_type(value)));
        }
        (Kind::Boolean, value) if !value.is_boolean() => {
            wrong(format!("expected boolean, got &{{{}}}", go::print(value)));
        }
        (Kind::Text(_), value) if !value.is_string() => {
            wrong(format!(
                "expected string, got &value.valueUnstructured{{Value:{value}}}"
            ));
        }
        (Kind::IntOrString | Kind::Quantity, value) if value.is_object() || value.is_array() => {
            wrong(format!("expected any scalar, got &{{{}}}", go::print(value)));
        }
        _ => {}
    }
}

fn walk_list(place: Place<'_>, cursor: Cursor<'_>, list: &[Value], path: &str, errors: &mut Vec<(String, String)>) {
    let Some(items) = cursor.items() else { return };
    let keys = match place.form(&Value::Null) {
        Form::Items(keys) => Some(keys),
        Form::Leaf | Form::Fields => None,
    };
    let mut seen = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let below = match keys {
            None => format!("{path}[{index}]"),
            Some(keys) => match edge(Place::Known(items), keys, item) {
                Ok(edge) => {
                    let words = edge_words(&edge);
                    if seen.contains(&edge) {
                        errors.push((path.to_owned(), format!("duplicate entries for key {words}")));
                    }
                    seen.push(edge);
                    format!("{path}{words}")
                }
                Err(why) => {
                    errors.push((path.to_owned(), format!("element {index}: {why}")));
                    return;
                }
            },
        };
        walk(Place::Known(items), item, &below, errors);
    }
}

/// The Go type of a decoded JSON value.
const fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

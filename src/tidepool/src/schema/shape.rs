//! The shape of values: fields that nobody knows, and values that Go's decoder would not take.

use serde_json::{Map, Value};

use super::node::{Cursor, Kind, TextForm};

/// Paths of unknown fields.
pub(super) fn unknown(cursor: Cursor<'_>, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(cursor, value, &mut String::new(), &mut found);
    found
}

fn walk(cursor: Cursor<'_>, value: &Value, path: &mut String, found: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            let (known, open) = match cursor.kind() {
                Kind::Struct { open, .. } => (true, *open),
                Kind::Map { .. } => (true, false),
                _ => (false, true),
            };
            if !known {
                return;
            }
            for (name, value) in map {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                match cursor.child(name) {
                    Some(child) => walk(child, value, path, found),
                    None if !open => found.push(path.clone()),
                    None => {}
                }
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            let Some(items) = cursor.items() else { return };
            for (index, value) in list.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(items, value, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Drops unknown fields.
pub(super) fn prune(cursor: Cursor<'_>, value: &mut Value) {
    match (cursor.kind(), value) {
        (Kind::Struct { open, .. }, Value::Object(map)) => {
            if !open {
                map.retain(|name, _| cursor.child(name).is_some());
            }
            for (name, value) in map.iter_mut() {
                if let Some(child) = cursor.child(name) {
                    prune(child, value);
                }
            }
        }
        (Kind::Map { values }, Value::Object(map)) => {
            map.values_mut().for_each(|value| prune(cursor.at(*values), value));
        }
        (Kind::List { items, .. }, Value::Array(list)) => {
            list.iter_mut().for_each(|value| prune(cursor.at(*items), value));
        }
        _ => {}
    }
}

/// What Go writes of a struct of which nothing is set: structs that are part of it, and a null for each list or map that is always there.
pub(super) fn zero(cursor: Cursor<'_>) -> Value {
    let mut map = Map::new();
    if let (Kind::Struct { fields, required, .. }, true) = (cursor.kind(), cursor.arena.go) {
        for (name, field) in fields {
            let child = cursor.through(field);
            let part = child
                .default()
                .is_some_and(|default| default.as_object().is_some_and(Map::is_empty));
            if part && matches!(child.kind(), Kind::Struct { .. }) {
                map.insert(name.clone(), zero(child));
            } else if required.contains(name) {
                map.insert(name.clone(), Value::Null);
            }
        }
    }
    Value::Object(map)
}

/// What Go's decoder says about the first value that it cannot take.
pub(super) fn decode_error(cursor: Cursor<'_>, value: &Value) -> Option<String> {
    if !cursor.arena.go {
        return None;
    }
    decode(cursor, value, "", &mut Vec::new())
}

fn decode(cursor: Cursor<'_>, value: &Value, of: &str, path: &mut Vec<String>) -> Option<String> {
    match (cursor.kind(), value) {
        (_, Value::Null) | (Kind::Any, _) => None,
        (Kind::Struct { .. }, Value::Object(map)) => {
            let name = cursor.node().name.rsplit('.').next().unwrap_or_default();
            map.iter().find_map(|(key, value)| {
                path.push(key.clone());
                let found = cursor.child(key).and_then(|child| decode(child, value, name, path));
                path.pop();
                found
            })
        }
        (Kind::Map { values }, Value::Object(map)) => map
            .values()
            .find_map(|value| decode(cursor.at(*values), value, of, path)),
        (Kind::List { items, .. }, Value::Array(list)) => {
            list.iter().find_map(|value| decode(cursor.at(*items), value, of, path))
        }
        (Kind::Text(TextForm::Time), Value::String(text)) => text.parse::<jiff::Timestamp>().err().map(|_| {
            format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\"")
        }),
        (Kind::Quantity, Value::String(text)) => (!super::format::is_quantity(text)).then(|| {
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned()
        }),
        (Kind::Text(_), Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Number | Kind::Quantity, Value::Number(_))
        | (Kind::IntOrString, Value::String(_) | Value::Number(_)) => None,
        (Kind::Integer(bits), Value::Number(number)) => {
            let fits = number
                .as_i64()
                .is_some_and(|number| *bits == 64 || i32::try_from(number).is_ok());
            (!fits).then(|| refused(&format!("number {number}"), cursor, of, path))
        }
        (_, value) => Some(refused(named(value), cursor, of, path)),
    }
}

fn refused(what: &str, cursor: Cursor<'_>, of: &str, path: &[String]) -> String {
    format!(
        "json: cannot unmarshal {what} into Go struct field {of}.{} of type {}",
        path.join("."),
        go_type(cursor)
    )
}

const fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn go_type(cursor: Cursor<'_>) -> String {
    match cursor.kind() {
        Kind::Text(TextForm::Bytes) => "[]uint8".to_owned(),
        Kind::Integer(bits) => format!("int{bits}"),
        Kind::Number => "float64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::IntOrString => "intstr.IntOrString".to_owned(),
        Kind::Quantity => "resource.Quantity".to_owned(),
        Kind::List { items, .. } => format!("[]{}", go_type(cursor.at(*items))),
        Kind::Map { values } => format!("map[string]{}", go_type(cursor.at(*values))),
        Kind::Struct { .. } => {
            let mut parts = cursor.node().name.rsplit('.');
            let name = parts.next().unwrap_or_default();
            format!("{}.{name}", parts.next().unwrap_or_default())
        }
        Kind::Text(_) | Kind::Any => "string".to_owned(),
    }
}

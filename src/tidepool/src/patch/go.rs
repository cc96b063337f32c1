//! Values as Go's `%v` prints them, for messages that quote a value. Pure; used by patches and their refusals.

use serde_json::{Map, Value};

/// One value.
pub(crate) fn print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => print_map(map),
    }
}

/// A map, its keys sorted.
pub(crate) fn print_map(map: &Map<String, Value>) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key}:{}", print(value)))
        .collect();
    format!("map[{}]", pairs.join(" "))
}

//! Filling in defaults: those of the schema, and those that depend on other fields.

use serde_json::{Map, Value};

use super::node::{Cursor, Kind, Rule, Test};

/// Fills in what is missing at and below the cursor.
pub(super) fn complete(cursor: Cursor<'_>, value: &mut Value) {
    if !cursor.node().completes {
        return;
    }
    match (cursor.kind(), value) {
        (Kind::Struct { fields, required, .. }, Value::Object(map)) => {
            for (name, field) in fields {
                let child = cursor.through(field);
                if map.get(name).is_some_and(|value| is_unset(child, value)) {
                    map.remove(name);
                }
                if let Some(default) = child.default() {
                    if !map.contains_key(name) && !is_alias(child, default) {
                        map.insert(name.clone(), default.clone());
                    }
                } else if cursor.arena.go && required.contains(name) {
                    zero(child, name, map);
                }
            }
            for rule in &cursor.node().rules {
                apply(rule, map);
            }
            for (name, value) in map.iter_mut() {
                if let Some(child) = cursor.child(name) {
                    complete(child, value);
                }
            }
        }
        (Kind::Map { values }, Value::Object(map)) => {
            for value in map.values_mut() {
                complete(cursor.at(*values), value);
            }
        }
        (Kind::List { items, .. }, Value::Array(list)) => {
            for value in list {
                complete(cursor.at(*items), value);
            }
        }
        _ => {}
    }
}

/// A null where none is allowed counts as left out.
fn is_unset(child: Cursor<'_>, value: &Value) -> bool {
    value.is_null() && (child.arena.go || (!child.node().nullable && child.default().is_some()))
}

/// An empty object given as the default of what is no struct (as a time) says nothing.
fn is_alias(child: Cursor<'_>, default: &Value) -> bool {
    child.arena.go && default.as_object().is_some_and(Map::is_empty) && !matches!(child.kind(), Kind::Struct { .. })
}

/// Go writes required numbers and switches out, even when they are zero.
fn zero(child: Cursor<'_>, name: &str, map: &mut Map<String, Value>) {
    let zero = match child.kind() {
        Kind::Integer(_) => Value::from(0),
        Kind::Boolean => Value::from(false),
        _ => return,
    };
    map.entry(name).or_insert(zero);
}

fn apply(rule: &Rule, map: &mut Map<String, Value>) {
    if !rule.when.iter().all(|(path, test)| holds(test, find(map, path))) {
        return;
    }
    if let Value::Object(set) = &rule.set {
        fill(map, set);
    }
    for (to, from) in &rule.copy {
        if !map.contains_key(to)
            && let Some(value) = map.get(from).cloned()
        {
            map.insert(to.clone(), value);
        }
    }
}

fn find<'a>(map: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(map.get(first)?, |value, key| value.get(key))
}

fn holds(test: &Test, value: Option<&Value>) -> bool {
    match test {
        Test::Absent => value.is_none_or(Value::is_null),
        Test::Present => value.is_some_and(|value| !value.is_null()),
        Test::Among(values) => value.is_some_and(|value| values.contains(value)),
        Test::Like(pattern) => value.and_then(Value::as_str).is_some_and(|text| pattern.is_match(text)),
    }
}

fn fill(map: &mut Map<String, Value>, set: &Map<String, Value>) {
    for (name, wanted) in set {
        match (map.get_mut(name), wanted) {
            (None, _) => {
                map.insert(name.clone(), wanted.clone());
            }
            (Some(Value::Object(inner)), Value::Object(wanted)) => fill(inner, wanted),
            (Some(Value::Null), _) => {
                map.insert(name.clone(), wanted.clone());
            }
            // Go leaves an empty text out, so it counts as left out.
            (Some(Value::String(text)), Value::String(_)) if text.is_empty() => {
                map.insert(name.clone(), wanted.clone());
            }
            _ => {}
        }
    }
}

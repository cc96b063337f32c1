//! Putting what somebody applies into what there is, and taking fields out again. Pure.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::FieldSet;
use super::form::{Form, Place, edge, indexed, is_empty};
use super::set::field;

/// The live value with the applied one laid over it.
pub(super) fn merge(place: Place<'_>, live: &Value, applied: &Value) -> Value {
    let form = place.form(if applied.is_null() { live } else { applied });
    if is_empty(Some(live)) && is_empty(Some(applied)) {
        return applied.clone();
    }
    match form {
        Form::Leaf => applied.clone(),
        Form::Fields => {
            let mut merged = live.as_object().cloned().unwrap_or_default();
            for (name, value) in applied.as_object().into_iter().flatten() {
                let value = match merged.get(name) {
                    Some(live) => merge(place.child(name).0, live, value),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        Form::Items(keys) => merge_items(place.items(), keys, live, applied),
    }
}

/// Applied items keep their order; live ones that are not applied keep their place between those that are in both.
fn merge_items(items: Place<'_>, keys: &[String], live: &Value, applied: &Value) -> Value {
    let (live, applied) = (indexed(items, keys, Some(live)), indexed(items, keys, Some(applied)));
    let mut olds: BTreeMap<&str, &Value> = BTreeMap::new();
    for (edge, item) in &live {
        olds.entry(edge).or_insert(*item);
    }
    let is_applied = |edge: &str| applied.iter().any(|(other, _)| other == edge);
    // What is in both, in the order of the applied list: the live items before the next of these come before it.
    let mut shared: VecDeque<&str> = applied
        .iter()
        .map(|(edge, _)| edge.as_str())
        .filter(|edge| olds.contains_key(edge))
        .collect();
    let together = |edge: &str, item: &Value| match olds.get(edge) {
        Some(old) => merge(items, old, item),
        None => item.clone(),
    };
    let mut merged = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < applied.len() {
        if let (Some((old, _)), Some((new, item))) = (live.get(left), applied.get(right)) {
            if old == new {
                merged.push(together(new, item));
                done.push(new);
                left += 1;
                right += 1;
                shared.pop_front();
                continue;
            }
            if is_applied(old) && shared.front().is_some_and(|next| next != old) {
                left += 1;
                continue;
            }
        }
        if let Some((old, item)) = live.get(left) {
            if !is_applied(old) {
                merged.push((*item).clone());
                left += 1;
                continue;
            }
            if done.contains(&old.as_str()) {
                left += 1;
            }
        }
        if let Some((new, item)) = applied.get(right) {
            merged.push(together(new, item));
            done.push(new);
            right += 1;
            if shared.front() == Some(&new.as_str()) {
                shared.pop_front();
            }
        }
    }
    Value::Array(merged)
}

/// The value without the fields and items of the set; null where nothing is left.
pub(super) fn remove(place: Place<'_>, value: &Value, set: &FieldSet) -> Value {
    match (place.form(value), value) {
        (Form::Fields, Value::Object(map)) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter(|(name, _)| !set.has(&field(name)))
                .map(|(name, value)| {
                    let left = match set.below(&field(name)) {
                        Some(below) => remove(place.child(name).0, value, below),
                        None => value.clone(),
                    };
                    (name.clone(), left)
                })
                .collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
        (Form::Items(keys), Value::Array(list)) => {
            let items = place.items();
            let kept: Vec<Value> = list
                .iter()
                .filter_map(|item| {
                    let Ok(edge) = edge(items, keys, item) else {
                        return Some(item.clone());
                    };
                    if set.has(&edge) {
                        return None;
                    }
                    Some(match set.below(&edge) {
                        Some(below) => remove(items, item, below),
                        None => item.clone(),
                    })
                })
                .collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Array(kept)
            }
        }
        (_, value) => value.clone(),
    }
}

/// The set in which every field that the schema names, and below which something is a member, is a member itself.
pub(super) fn with_named(place: Place<'_>, set: &FieldSet) -> FieldSet {
    set.map(|edge, member, below| {
        let (child, named) = place.behind(edge);
        (member || (named && !below.is_empty()), with_named(child, below))
    })
}

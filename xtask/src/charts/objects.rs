//! Manifests as objects, and in what two sets of them differ. Pure; used by `charts`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// Objects by kind and name, which name each of an installation's whatever its namespace.
pub(super) type Objects = BTreeMap<String, Value>;

/// The objects of a YAML text of several documents.
///
/// # Errors
/// When the text is no YAML, or two objects have one kind and name.
pub(super) fn read(text: &str) -> Result<Objects> {
    let mut objects = Objects::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let object = Value::deserialize(document).context("parse the YAML")?;
        if object.is_null() {
            continue;
        }
        let name = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let key = format!("{} {}", name(&object["kind"]), name(&object["metadata"]["name"]));
        ensure!(objects.insert(key.clone(), object).is_none(), "{key} is there twice");
    }
    Ok(objects)
}

/// What Helm installs of `install.yaml`: it makes the namespace by itself, and leaves the definitions behind when it is told to uninstall.
pub(super) fn installed_by_helm(installed: &Objects) -> Objects {
    let mut objects = installed.clone();
    objects.retain(|_, object| object["kind"] != "Namespace");
    for definition in objects
        .values_mut()
        .filter(|object| object["kind"] == "CustomResourceDefinition")
    {
        definition["metadata"]["annotations"] = json!({ "helm.sh/resource-policy": "keep" });
    }
    objects
}

/// The same objects installed in another namespace: every field of that name says so, and nothing else differs.
pub(super) fn moved(objects: &Objects, from: &str, to: &str) -> Objects {
    let mut objects = objects.clone();
    for object in objects.values_mut() {
        rename(object, from, to);
    }
    objects
}

fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "namespace" && field == from {
                    *field = json!(to);
                }
                rename(field, from, to);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// In what `new` differs from `old`, as lines `<kind> <name> /path: <old> → <new>`, sorted.
pub(super) fn differences(old: &Objects, new: &Objects) -> Vec<String> {
    let mut lines = Vec::new();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => compare(&format!("{name} "), old, new, &mut lines),
            (Some(_), None) => lines.push(format!("{name} is missing")),
            (None, _) => lines.push(format!("{name} is too many")),
        }
    }
    lines.sort();
    lines
}

fn compare(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = format!("{path}/{name}");
                match (before.get(name), after.get(name)) {
                    (Some(before), Some(after)) => compare(&path, before, after, lines),
                    (before, after) => lines.push(change(&path, before, after)),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                let path = format!("{path}/{index}");
                match (before.get(index), after.get(index)) {
                    (Some(before), Some(after)) => compare(&path, before, after, lines),
                    (before, after) => lines.push(change(&path, before, after)),
                }
            }
        }
        _ if old == new => {}
        _ => lines.push(change(path, Some(old), Some(new))),
    }
}

fn change(path: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    let said = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!("{path}: {} → {}", said(old), said(new))
}

//! The built-in types' schemas as OpenAPI again: what `kubectl explain` reads. Unpacked when somebody asks for the first time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::catalog;
use crate::object;

/// What Kubernetes' types say of themselves, from the data file that `cargo xtask openapi` makes.
const WORDS: &[u8] = include_bytes!("../../data/descriptions-1.36.json.gz");
/// Where one schema names another.
const REFERENCE: &str = "#/components/schemas/";

/// What never changes is read once; it holds neither time, chance nor order.
static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(read);

/// The schemas, each with what Kubernetes says of it and of its fields.
fn read() -> Map<String, Value> {
    let mut schemas = catalog::schemas();
    let Value::Object(words) = catalog::unpacked(WORDS) else {
        return schemas;
    };
    for (name, words) in words {
        let Some(schema) = schemas.get_mut(&name) else { continue };
        for (field, text) in words.as_object().into_iter().flatten() {
            let path: &[&str] = if field.is_empty() { &[] } else { &["properties", field] };
            object::entry(schema, path).insert("description".to_owned(), text.clone());
        }
    }
    schemas
}

/// The schemas of the given kinds of one version, by their names, with everything that they refer to.
pub(crate) fn schemas(group: &str, version: &str, kinds: &[&str]) -> Map<String, Value> {
    let wanted = |of: &Value| {
        of["group"] == group
            && of["version"] == version
            && of["kind"].as_str().is_some_and(|kind| kinds.contains(&kind))
    };
    let roots = SCHEMAS.iter().filter(|(_, schema)| {
        let says = schema["x-kubernetes-group-version-kind"].as_array();
        says.is_some_and(|says| says.iter().any(wanted))
    });
    closure(roots.map(|(name, _)| name.clone()).collect())
}

/// The name of the schema of a built-in kind.
pub(crate) fn name_of(group: &str, version: &str, kind: &str) -> Option<String> {
    let wanted = json!({ "group": group, "version": version, "kind": kind });
    let mut schemas = SCHEMAS.iter();
    let found = schemas.find(|(_, schema)| {
        let says = schema["x-kubernetes-group-version-kind"].as_array();
        says.is_some_and(|says| says.contains(&wanted))
    });
    found.map(|(name, _)| name.clone())
}

/// The metadata of every object, with everything that it refers to.
pub(crate) fn metadata() -> Map<String, Value> {
    closure(vec![catalog::OBJECT_META.to_owned()])
}

/// A reference to the metadata of every object.
pub(crate) fn metadata_reference() -> Value {
    json!({ "allOf": [{ "$ref": format!("{REFERENCE}{}", catalog::OBJECT_META) }] })
}

fn closure(mut names: Vec<String>) -> Map<String, Value> {
    let mut found = Map::new();
    while let Some(name) = names.pop() {
        let Some(schema) = SCHEMAS.get(&name).filter(|_| !found.contains_key(&name)) else {
            continue;
        };
        let mut references = BTreeSet::new();
        references_of(schema, &mut references);
        names.extend(references);
        found.insert(name, schema.clone());
    }
    found
}

fn references_of(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (field, value) in fields {
                match value.as_str().and_then(|text| text.strip_prefix(REFERENCE)) {
                    Some(name) if field == "$ref" => {
                        found.insert(name.to_owned());
                    }
                    _ => references_of(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references_of(item, found)),
        _ => {}
    }
}

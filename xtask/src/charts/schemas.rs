//! JSON schemas for kubeconform, one file for each kind of Kubernetes, from the catalogue that tidepool reads (`cargo xtask openapi` takes it from
//! Kubernetes' own module). Pure; used by `charts`.
//!
//! A file holds every definition that its kind reaches, since definitions may refer to themselves. Objects are closed: a field that no definition
//! has is an error, as it is for an API server that validates strictly.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Where references of OpenAPI lead.
const OPENAPI: &str = "#/components/schemas/";

/// The files by name, `<group>-<kind>-<version>.json` with the kind in lower case. kubeconform takes what stands before an apiVersion's slash for
/// the group, so that the core group is called as its version is.
pub(super) fn of(catalogue: &Value) -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    for group in list(&catalogue["groups"]) {
        for version in list(&group["versions"]) {
            for resource in list(&version["resources"]) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let Some(definition) = resource["schema"].as_str() else {
                    continue;
                };
                let kind = text(&resource["kind"]).to_lowercase();
                let version = text(&version["version"]);
                let group = match text(&group["group"]) {
                    core if core.is_empty() => version.clone(),
                    named => named,
                };
                let name = format!("{group}-{kind}-{version}.json");
                files.insert(name, file(definition, &catalogue["schemas"]));
            }
        }
    }
    files
}

/// One kind's schema with everything that it refers to.
fn file(definition: &str, schemas: &Value) -> Value {
    let mut definitions = Map::new();
    let mut reached = BTreeSet::from([definition.to_owned()]);
    while let Some(name) = reached.pop_first() {
        let mut schema = schemas[&name].clone();
        rewrite(&mut schema, &mut |referred| {
            if !definitions.contains_key(referred) && referred != name {
                reached.insert(referred.to_owned());
            }
        });
        definitions.insert(name, schema);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [{ "$ref": format!("#/definitions/{definition}") }],
        "definitions": definitions,
    })
}

/// Closes objects and turns references, each of which is told, into those of a JSON schema.
fn rewrite(schema: &mut Value, told: &mut dyn FnMut(&str)) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if let Some(reference) = fields.get_mut("$ref")
        && let Some(name) = reference.as_str().and_then(|text| text.strip_prefix(OPENAPI))
    {
        told(name);
        *reference = json!(format!("#/definitions/{name}"));
    }
    if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    for (name, value) in fields.iter_mut() {
        match name.as_str() {
            "properties" => value
                .as_object_mut()
                .into_iter()
                .flatten()
                .for_each(|(_, property)| rewrite(property, told)),
            "items" | "additionalProperties" | "not" => rewrite(value, told),
            "allOf" | "anyOf" | "oneOf" => value
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|part| rewrite(part, told)),
            _ => {}
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

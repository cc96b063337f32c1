//! Turns a Rust type into the structural schema of a CustomResourceDefinition: everything inline, no `null` alternatives, no defaults but those that
//! a field states itself. Used by [`crate::crds`].

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of one type.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    structural(&mut schema);
    schema
}

/// The schema of a whole object: `apiVersion`, `kind` and `metadata` around what the kind has. Neither spec nor status is required.
pub(crate) fn object(description: &str, spec: Value, status: Option<Value>) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "apiVersion".to_owned(),
        json!({ "type": "string", "description": "Version of the schema of this object." }),
    );
    properties.insert(
        "kind".to_owned(),
        json!({ "type": "string", "description": "Kind of this object." }),
    );
    properties.insert("metadata".to_owned(), json!({ "type": "object" }));
    properties.insert("spec".to_owned(), spec);
    if let Some(status) = status {
        properties.insert("status".to_owned(), status);
    }
    json!({ "type": "object", "description": description, "properties": properties })
}

/// Rewrites a schema in place until Kubernetes accepts it as structural.
fn structural(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.remove("title");
    if let Some(Value::String(text)) = fields.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(Value::Array(alternatives)) = fields.remove("anyOf") {
        let described = fields.remove("description");
        let present = alternatives
            .into_iter()
            .find(|alternative| *alternative != json!({ "type": "null" }));
        if let Some(Value::Object(present)) = present {
            for (key, value) in present {
                fields.entry(key).or_insert(value);
            }
        }
        if let Some(text) = described {
            fields.insert("description".to_owned(), text);
        }
    }
    if let Some(Value::Array(types)) = fields.get("type") {
        let present = types.iter().find(|name| **name != json!("null")).cloned();
        if let Some(present) = present {
            fields.insert("type".to_owned(), present);
        }
    }
    if fields.contains_key("x-kubernetes-int-or-string") {
        fields.remove("type");
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(structural);
    }
    for key in ["items", "additionalProperties"] {
        match fields.get_mut(key) {
            Some(inner @ Value::Object(_)) => structural(inner),
            // `true` and `false` say nothing that a structural schema may say.
            Some(Value::Bool(_)) => {
                fields.remove(key);
            }
            _ => {}
        }
    }
    // What serde fills in when it reads is not what the API server fills in when it stores: only a field's own word, number or path counts.
    let serdes = match fields.get("default") {
        Some(Value::String(text)) => !["Exact", "PathPrefix", "/"].contains(&text.as_str()),
        Some(Value::Object(default)) => !default.contains_key("type"),
        Some(Value::Null) => true,
        _ => false,
    };
    if serdes {
        fields.remove("default");
    }
}

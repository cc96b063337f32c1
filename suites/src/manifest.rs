//! Manifests: YAML documents made ready for one cluster, in its namespace, with its hosts and with pauses of its length.
//!
//! Pure. Used by stages; the manifests themselves are files under `fixtures/`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::object::text;

/// The documents of `manifest`, in `namespace`; the gateway knows each host as `host` says, and every pause of a plan is as long as `pause` says.
///
/// # Errors
/// The sentence for a report, when the manifest is no YAML.
pub fn documents(
    manifest: &str,
    namespace: &str,
    host: &dyn Fn(&str) -> String,
    pause: &dyn Fn(Duration) -> Duration,
) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(manifest) {
        let mut object = Value::deserialize(document).map_err(|error| format!("read a manifest: {error}"))?;
        if object.is_null() {
            continue;
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        for rule in object
            .pointer_mut("/spec/rules")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(known) = rule.get_mut("host")
                && let Some(written) = known.as_str()
            {
                *known = json!(host(written));
            }
        }
        let steps = object
            .pointer_mut("/spec/strategy/canary/steps")
            .and_then(Value::as_array_mut);
        for step in steps.into_iter().flatten() {
            if let Some(duration) = step.pointer_mut("/pause/duration")
                && let Some(asked) = duration.as_u64()
            {
                *duration = json!(pause(Duration::from_secs(asked)).as_secs());
            }
        }
        documents.push(object);
    }
    Ok(documents)
}

/// The Host and the path that an Ingress document is the first to route.
pub fn route(documents: &[Value]) -> Option<(String, String)> {
    documents
        .iter()
        .find(|object| text(object, "/kind") == "Ingress")
        .map(|ingress| {
            (
                text(ingress, "/spec/rules/0/host").to_owned(),
                text(ingress, "/spec/rules/0/http/paths/0/path").to_owned(),
            )
        })
}

/// The name of the first document of a kind.
pub fn name_of(documents: &[Value], kind: &str) -> Option<String> {
    documents
        .iter()
        .find(|object| text(object, "/kind") == kind)
        .map(|object| text(object, "/metadata/name").to_owned())
}

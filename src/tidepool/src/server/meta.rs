//! The metadata that the server itself writes: what is checked of a body, what is stamped, what cannot be changed.

use serde_json::{Map, Value, json};

use super::refusal::Cause;
use super::request::Request;
use super::types::TypeInfo;
use super::{Server, Target, names};
use crate::object;
use crate::status::Status;

/// Checks what a body says of itself against the path it was sent to, and fills in what it leaves out.
pub(super) fn accept(request: &Request, kind: &TypeInfo, body: &mut Value) -> Result<(), Status> {
    let Some(map) = body.as_object_mut() else {
        return Err(Status::bad_request(
            "the object provided is unrecognized (must be of type object)",
        ));
    };
    let wanted = kind.resource.api_version();
    match map.get("apiVersion").and_then(Value::as_str) {
        None | Some("") => {
            map.insert("apiVersion".to_owned(), json!(wanted));
        }
        Some(given) if given == wanted => {}
        Some(given) => {
            return Err(Status::bad_request(format!(
                "the API version in the data ({given}) does not match the expected API version ({wanted})"
            )));
        }
    }
    match map.get("kind").and_then(Value::as_str) {
        None | Some("") => {
            map.insert("kind".to_owned(), json!(kind.resource.kind));
        }
        Some(given) if given == kind.resource.kind => {}
        Some(given) => {
            return Err(Status::bad_request(format!(
                "{given} in version \"{}\" cannot be handled as a {}: the kind in the data does not match the expected kind",
                kind.resource.version, kind.resource.kind
            )));
        }
    }
    let given = object::namespace(body).to_owned();
    if kind.resource.namespaced {
        if given.is_empty() {
            object::entry(body, &["metadata"]).insert("namespace".to_owned(), json!(request.namespace));
        } else if given != request.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    } else if !given.is_empty() {
        object::entry(body, &["metadata"]).remove("namespace");
    }
    drop_empty(body);
    Ok(())
}

/// Lists and maps of the metadata that are empty are not stored: the real server's encoding omits them, for custom types too.
fn drop_empty(body: &mut Value) {
    let metadata = object::entry(body, &["metadata"]);
    for field in ["annotations", "labels", "finalizers", "ownerReferences"] {
        let empty = match metadata.get(field) {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            _ => false,
        };
        if empty {
            metadata.remove(field);
        }
    }
}

impl Server {
    /// Stamps a new object.
    pub(super) fn stamp(&self, body: &mut Value, generation: bool) {
        let uid = self.0.uids.uuid();
        let now = object::seconds(self.env().now());
        let metadata = object::entry(body, &["metadata"]);
        for field in [
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "resourceVersion",
        ] {
            metadata.remove(field);
        }
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(now));
        if generation {
            metadata.insert("generation".to_owned(), json!(1));
        }
    }

    /// The name of an object that only has a generateName.
    pub(super) fn generated(&self, prefix: &str) -> String {
        let kept: String = prefix.chars().take(58).collect();
        format!("{kept}{}", self.0.suffixes.name_suffix(5))
    }
}

/// Puts back what a writer cannot change, and says what is wrong with the rest of the metadata.
pub(super) fn keep(old: &Value, new: &mut Value) {
    let before = old["metadata"].clone();
    let metadata = object::entry(new, &["metadata"]);
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "namespace",
        "generateName",
    ] {
        put_back(&before, metadata, field);
    }
    metadata.remove("selfLink");
}

fn put_back(before: &Value, now: &mut Map<String, Value>, field: &str) {
    match before.get(field) {
        Some(value) => {
            now.insert(field.to_owned(), value.clone());
        }
        None => {
            now.remove(field);
        }
    }
}

/// What is wrong with the metadata of a new value.
pub(super) fn check(server: &Server, target: &Target, old: Option<&Value>, new: &Value) -> Vec<Cause> {
    let strategy = server.strategy(&target.kind);
    let mut causes = Vec::new();
    let name = object::name(new);
    match old {
        None => causes.extend(names::check(strategy.names, name, "metadata.name")),
        Some(old) => {
            if object::name(old) != name {
                causes.push(Cause::invalid("metadata.name", &json!(name), "field is immutable"));
            }
            if object::is_deleting(old) {
                causes.extend(added_finalizers(old, new));
            }
        }
    }
    causes.extend(names::check_labels(new));
    for (index, owner) in object::items(new, &["metadata", "ownerReferences"]).iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if object::text(owner, &[field]).is_empty() {
                causes.push(Cause::invalid(
                    format!("metadata.ownerReferences[{index}].{field}"),
                    &json!(""),
                    "must not be empty",
                ));
            }
        }
    }
    let controllers = object::items(new, &["metadata", "ownerReferences"])
        .iter()
        .filter(|owner| owner["controller"] == true)
        .count();
    if controllers > 1 {
        causes.push(Cause::invalid(
            "metadata.ownerReferences",
            &new["metadata"]["ownerReferences"],
            "Only one reference can have Controller set to true",
        ));
    }
    causes
}

fn added_finalizers(old: &Value, new: &Value) -> Option<Cause> {
    let had = object::items(old, &["metadata", "finalizers"]);
    let added: Vec<&Value> = object::items(new, &["metadata", "finalizers"])
        .iter()
        .filter(|finalizer| !had.contains(finalizer))
        .collect();
    (!added.is_empty()).then(|| {
        let names: Vec<String> = added.iter().map(ToString::to_string).collect();
        Cause::forbidden(
            "metadata.finalizers",
            &format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                names.join(", ")
            ),
        )
    })
}

/// Whether nothing holds an object that is being deleted any more.
pub(super) fn is_released(server: &Server, kind: &TypeInfo, object: &Value) -> bool {
    object::is_deleting(object)
        && object::number(object, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0) == 0
        && object::items(object, &["metadata", "finalizers"]).is_empty()
        && (!server.strategy(kind).spec_finalizers || object::items(object, &["spec", "finalizers"]).is_empty())
}

//! The annotation of client-side apply, which kubectl's server-side apply takes over: it counts as a claim, and is kept up to date. Pure.

use serde_json::{Value, json};

use super::FieldSet;
use super::Writer;
use super::compare::compare;
use super::form::{Place, fields_of};
use crate::object;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The only field manager for which the annotation counts.
const KUBECTL: &str = "kubectl";

/// The fields that kubectl applied by itself and that are still as it applied them: no conflict for it.
pub(super) fn agreed(place: Place<'_>, writer: &Writer<'_>, live: &Value) -> FieldSet {
    let applied = object::annotation(live, ANNOTATION)
        .filter(|_| writer.name == KUBECTL)
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .filter(|applied| object::text(applied, &["apiVersion"]) == writer.api_version);
    let Some(applied) = applied else {
        return FieldSet::default();
    };
    let found = compare(place, &applied, live);
    fields_of(place, &applied)
        .difference(&found.written)
        .difference(&found.removed)
}

/// Writes the applied configuration into the annotation, where there is one.
pub(super) fn renew(writer: &Writer<'_>, new: &mut Value, config: &Value) {
    if writer.name != KUBECTL || object::annotation(new, ANNOTATION).is_none_or(str::is_empty) {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = config
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(ANNOTATION);
        if annotations.is_empty() {
            object::entry(&mut config, &["metadata"]).remove("annotations");
        }
    }
    object::entry(new, &["metadata", "annotations"]).insert(ANNOTATION.to_owned(), json!(format!("{config}\n")));
}

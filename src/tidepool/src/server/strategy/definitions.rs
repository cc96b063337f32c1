//! CustomResourceDefinitions: accepted and established as soon as they are written, cleaned up before they go.

use serde_json::{Value, json};

use super::{CUSTOM, Preparing, Strategy, columns, structural, webhooks};
use crate::object;
use crate::schema::Schema;
use crate::server::refusal::Cause;

/// The finalizer that deletion puts on a definition until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub(super) const STRATEGY: Strategy = Strategy {
    status_metadata: true,
    cleanup: Some(CLEANUP),
    prepare: &[complete, establish],
    check: &[check],
    ..CUSTOM
};

/// Fills in the names that can be told from others.
fn complete(_: &Preparing<'_>, definition: &mut Value) {
    let kind = object::text(definition, &["spec", "names", "kind"]).to_owned();
    let names = object::entry(definition, &["spec", "names"]);
    names.entry("singular").or_insert_with(|| json!(kind.to_lowercase()));
    names.entry("listKind").or_insert_with(|| json!(format!("{kind}List")));
    object::entry(definition, &["spec"])
        .entry("conversion")
        .or_insert_with(|| json!({ "strategy": "None" }));
}

/// What the real server's controllers write within milliseconds.
fn establish(preparing: &Preparing<'_>, definition: &mut Value) {
    if preparing.subresource == "status" {
        return;
    }
    let stored: Vec<Value> = object::items(definition, &["spec", "versions"])
        .iter()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let names = definition["spec"]["names"].clone();
    let since = preparing
        .old
        .map(|old| object::items(old, &["status", "conditions"]))
        .and_then(|conditions| conditions.first())
        .map_or_else(
            || json!(preparing.now),
            |condition| condition["lastTransitionTime"].clone(),
        );
    let condition = |kind: &str, reason: &str, message: &str| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since });
    let conditions = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition(
            "Established",
            "InitialNamesAccepted",
            "the initial names have been accepted"
        ),
    ]);
    let status = object::entry(definition, &["status"]);
    status.insert("acceptedNames".to_owned(), names);
    status.insert("conditions".to_owned(), conditions);
    let known = status.entry("storedVersions").or_insert_with(|| json!([]));
    if let Some(known) = known.as_array_mut() {
        for version in stored {
            if !known.contains(&version) {
                known.push(version);
            }
        }
    }
}

fn check(_: &Preparing<'_>, definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = &definition["spec"];
    let wanted = format!(
        "{}.{}",
        object::text(spec, &["names", "plural"]),
        object::text(spec, &["group"])
    );
    if object::name(definition) != wanted {
        causes.push(Cause::invalid(
            "metadata.name",
            &definition["metadata"]["name"],
            "must be spec.names.plural+\".\"+spec.group",
        ));
    }
    if !["Cluster", "Namespaced"].contains(&object::text(spec, &["scope"])) {
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            field: "spec.scope".to_owned(),
            message: format!(
                "Unsupported value: {:?}: supported values: \"Cluster\", \"Namespaced\"",
                object::text(spec, &["scope"])
            ),
        });
    }
    let conversion = &spec["conversion"]["webhook"]["clientConfig"];
    causes.extend(webhooks::authority(conversion, "spec.conversion.webhookClientConfig"));
    let versions = object::items(spec, &["versions"]);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        causes.push(Cause::invalid(
            "spec.versions",
            &spec["versions"],
            "must have exactly one version marked as storage version",
        ));
    }
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        columns::check(version, &path, &mut causes);
        let schema = &version["schema"]["openAPIV3Schema"];
        if !schema.is_object() {
            causes.push(Cause::required(
                format!("{path}.schema.openAPIV3Schema"),
                "schemas are required",
            ));
            continue;
        }
        let unstructured = structural::causes(schema, &format!("{path}.schema.openAPIV3Schema"));
        if !unstructured.is_empty() {
            causes.extend(unstructured);
            continue;
        }
        if let Err(error) = Schema::custom(schema) {
            let field = format!("{path}.schema.openAPIV3Schema");
            causes.push(Cause::invalid(field, &version["name"], &error.to_string()));
        }
    }
    causes
}

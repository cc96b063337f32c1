//! OpenAPI v3 of the served types: what kubectl asks before it applies, and what `kubectl explain` shows.
//!
//! One document for each group and version, made when it is asked for: built-in types from the catalogue, custom ones from their definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::object;
use crate::schema::VERSION;
use crate::schema::described;
use crate::server::{Server, TypeInfo};

/// `/openapi/v3`: where each document is. The hash in its address changes when the document does, since clients keep what they have read.
pub(super) fn index(server: &Server) -> Value {
    let mut paths = Map::new();
    for (path, kinds) in versions(server) {
        let mut digest = Sha256::new();
        digest.update(VERSION);
        for kind in &kinds {
            digest.update(kind.resource.plural.as_bytes());
            let definition = server.definition(kind);
            digest.update(definition.map_or(0, |definition| definition.version).to_be_bytes());
        }
        let hash: String = digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, json!({ "serverRelativeURL": url }));
    }
    json!({ "paths": paths })
}

/// The document of `api/v1` or `apis/group/version`; none when nothing is served there.
pub(super) fn document(server: &Server, path: &str) -> Option<Value> {
    let kinds = versions(server).remove(path)?;
    let mut paths = Map::new();
    for kind in &kinds {
        let scope = if kind.resource.namespaced {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        let collection = format!("/{path}{scope}/{}", kind.resource.plural);
        paths.insert(
            collection.clone(),
            json!({ "get": operation(kind, "list"), "post": operation(kind, "post") }),
        );
        paths.insert(
            format!("{collection}/{{name}}"),
            json!({
                "get": operation(kind, "get"), "put": operation(kind, "put"), "patch": operation(kind, "patch"),
                "delete": operation(kind, "delete"),
            }),
        );
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": VERSION },
        "paths": paths,
        "components": { "schemas": schemas(server, &kinds) },
    }))
}

fn versions(server: &Server) -> BTreeMap<String, Vec<Arc<TypeInfo>>> {
    let mut versions: BTreeMap<String, Vec<Arc<TypeInfo>>> = BTreeMap::new();
    for kind in server.types().all() {
        let root = if kind.resource.group.is_empty() { "api" } else { "apis" };
        let path = format!("{root}/{}", kind.resource.api_version());
        versions.entry(path).or_default().push(kind);
    }
    versions
}

fn operation(kind: &TypeInfo, action: &str) -> Value {
    let parameter =
        |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
    let writes = ["post", "put", "patch"].contains(&action);
    let parameters: Vec<Value> = if writes {
        ["dryRun", "fieldManager", "fieldValidation"].map(parameter).to_vec()
    } else {
        Vec::new()
    };
    json!({
        "parameters": parameters,
        "responses": { "200": { "description": "OK" } },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": group_version_kind(kind),
    })
}

fn group_version_kind(kind: &TypeInfo) -> Value {
    let resource = &kind.resource;
    json!({ "group": resource.group, "version": resource.version, "kind": resource.kind })
}

/// The schemas of some types of one version, and what those refer to.
fn schemas(server: &Server, kinds: &[Arc<TypeInfo>]) -> Map<String, Value> {
    let builtin: Vec<&str> = kinds
        .iter()
        .filter(|kind| !kind.custom)
        .map(|kind| kind.resource.kind.as_ref())
        .collect();
    let mut schemas = match kinds.first() {
        Some(first) => described::schemas(&first.resource.group, &first.resource.version, &builtin),
        None => Map::new(),
    };
    if kinds.iter().any(|kind| kind.custom) {
        schemas.extend(described::metadata());
    }
    for kind in kinds.iter().filter(|kind| kind.custom) {
        schemas.insert(custom_name(kind), custom(server, kind));
    }
    schemas
}

/// `io.kruise.rollouts.v1beta1.Rollout` for a Rollout of `rollouts.kruise.io`.
fn custom_name(kind: &TypeInfo) -> String {
    let resource = &kind.resource;
    let mut group: Vec<&str> = resource.group.split('.').collect();
    group.reverse();
    format!("{}.{}.{}", group.join("."), resource.version, resource.kind)
}

/// A custom type's schema as its definition gives it, with what every object has.
fn custom(server: &Server, kind: &TypeInfo) -> Value {
    let definition = server.definition(kind);
    let versions = definition
        .as_ref()
        .map(|definition| object::items(&definition.value, &["spec", "versions"]))
        .unwrap_or_default();
    let version = versions
        .iter()
        .find(|version| version["name"] == *kind.resource.version);
    let mut schema = version.map_or_else(
        || json!({ "type": "object" }),
        |version| version["schema"]["openAPIV3Schema"].clone(),
    );
    let fields = object::entry(&mut schema, &["properties"]);
    fields.insert("apiVersion".to_owned(), json!({ "type": "string" }));
    fields.insert("kind".to_owned(), json!({ "type": "string" }));
    fields.insert("metadata".to_owned(), described::metadata_reference());
    object::entry(&mut schema, &[]).insert(
        "x-kubernetes-group-version-kind".to_owned(),
        json!([group_version_kind(kind)]),
    );
    schema
}

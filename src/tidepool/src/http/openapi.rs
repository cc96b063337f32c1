//! OpenAPI v3 of the served types: what kubectl asks before it applies, and what `kubectl explain` shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::server::{Server, TypeInfo};

/// `/openapi/v3`: one document for each group and version.
pub(super) fn index(server: &Server) -> Value {
    let mut paths = Map::new();
    for path in versions(server).into_keys() {
        let document = document(server, &path).unwrap_or_default();
        let digest = Sha256::digest(document.to_string());
        let hash: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, json!({ "serverRelativeURL": url }));
    }
    json!({ "paths": paths })
}

/// The document of `api/v1` or `apis/group/version`; none when nothing is served there.
pub(super) fn document(server: &Server, path: &str) -> Option<Value> {
    let kinds = versions(server).remove(path)?;
    let (mut paths, mut schemas) = (Map::new(), Map::new());
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
        schema(kind, &mut schemas);
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "v1.36.0" },
        "paths": paths,
        "components": { "schemas": schemas },
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

/// Adds what the kind's schema says to the document's components.
fn schema(kind: &TypeInfo, schemas: &mut Map<String, Value>) {
    let resource = &kind.resource;
    let group = if resource.group.is_empty() {
        "core"
    } else {
        &resource.group
    };
    schemas.insert(
        format!("{group}.{}.{}", resource.version, resource.kind),
        json!({ "type": "object", "x-kubernetes-group-version-kind": [group_version_kind(kind)] }),
    );
}

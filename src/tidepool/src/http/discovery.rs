//! What the server says of itself: groups, versions and resources, its own version, its health.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::{Body, BoxError};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::negotiate::{Form, Text};
use super::{openapi, plain, respond};
use crate::schema::{Subresource, VERSION};
use crate::server::subresource::SERVED;
use crate::server::{Server, TypeInfo};
use crate::status::Status;

pub(super) fn answer(server: &Server, segments: &[String], text: Text, form: Form) -> Result<Response<Body>, BoxError> {
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let types = server.types().all();
    let found = match &parts[..] {
        ["healthz" | "readyz" | "livez", ..] => return plain(StatusCode::OK, "text/plain; charset=utf-8", "ok"),
        ["version"] => version(),
        ["api"] if form == Form::Discovery => return aggregated(&types, true),
        ["apis"] if form == Form::Discovery => return aggregated(&types, false),
        ["api"] => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "" }],
        }),
        ["apis"] => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": groups(&types).iter().filter(|(name, _)| !name.is_empty())
                .map(|(name, versions)| group(name, versions)).collect::<Vec<_>>(),
        }),
        ["apis", name] => match groups(&types).get(*name) {
            Some(versions) => {
                let mut group = group(name, versions);
                group["kind"] = json!("APIGroup");
                group["apiVersion"] = json!("v1");
                group
            }
            None => return respond::status(text, &Status::no_such_path()),
        },
        ["openapi", "v3"] => openapi::index(server),
        ["openapi", "v3", rest @ ..] => match openapi::document(server, &rest.join("/")) {
            Some(document) => document,
            None => return respond::status(text, &Status::no_such_path()),
        },
        ["api", version] => return resources(&types, "", version, text),
        ["apis", group, version] => return resources(&types, group, version, text),
        [] => {
            json!({ "paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"] })
        }
        _ => return respond::status(text, &Status::no_such_path()),
    };
    respond::value(StatusCode::OK, text, &found)
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-04-22T00:00:00Z", "goVersion": "go1.26.0", "compiler": "gc", "platform": "linux/amd64",
        "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
    })
}

/// The versions of each group, the preferred one first.
fn groups(types: &[Arc<TypeInfo>]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in types {
        let versions = groups.entry(kind.resource.group.to_string()).or_default();
        if !versions.iter().any(|version| *version == kind.resource.version) {
            versions.push(kind.resource.version.to_string());
        }
    }
    for versions in groups.values_mut() {
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    }
    groups
}

/// Kubernetes' order of versions: stable before beta before alpha, then by number; anything else last.
fn rank(version: &str) -> (u8, u64, u64) {
    let number = |text: &str| text.parse::<u64>().ok();
    let Some(rest) = version.strip_prefix('v') else {
        return (0, 0, 0);
    };
    let split = |word: &str| {
        let (major, minor) = rest.split_once(word)?;
        Some((number(major)?, number(minor)?))
    };
    if let Some(major) = number(rest) {
        (3, major, 0)
    } else if let Some((major, minor)) = split("beta") {
        (2, major, minor)
    } else if let Some((major, minor)) = split("alpha") {
        (1, major, minor)
    } else {
        (0, 0, 0)
    }
}

fn group(name: &str, versions: &[String]) -> Value {
    let version = |version: &String| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({
        "name": name,
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version),
    })
}

/// The subresources of a type that are served, in the order of their names.
fn views(kind: &TypeInfo) -> Vec<Subresource> {
    let view = |name: &str, group: &str, version: &str, what: &str| Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: what.to_owned(),
        verbs: ["get", "patch", "update"].map(str::to_owned).to_vec(),
    };
    let others = kind.subresources.iter();
    let mut views: Vec<Subresource> = others
        .filter(|view| SERVED.contains(&view.name.as_str()))
        .cloned()
        .collect();
    if kind.scale.is_some() {
        views.push(view("scale", "autoscaling", "v1", "Scale"));
    }
    if kind.status {
        views.push(view("status", "", "", &kind.resource.kind));
    }
    views.sort_by(|one, other| one.name.cmp(&other.name));
    views
}

fn resources(types: &[Arc<TypeInfo>], group: &str, version: &str, text: Text) -> Result<Response<Body>, BoxError> {
    let mut resources = Vec::new();
    let mut here: Vec<&Arc<TypeInfo>> = types
        .iter()
        .filter(|kind| kind.resource.group == group && kind.resource.version == version)
        .collect();
    here.sort_by(|one, other| one.resource.plural.cmp(&other.resource.plural));
    for kind in here {
        let resource = &kind.resource;
        let mut entry = json!({
            "name": resource.plural, "singularName": kind.singular, "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": kind.verbs,
        });
        if !kind.short_names.is_empty() {
            entry["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            entry["categories"] = json!(kind.categories);
        }
        resources.push(entry);
        for view in views(kind) {
            let mut entry = json!({
                "name": format!("{}/{}", resource.plural, view.name), "singularName": "",
                "namespaced": resource.namespaced, "kind": view.kind, "verbs": view.verbs,
            });
            if !view.version.is_empty() {
                entry["group"] = json!(view.group);
                entry["version"] = json!(view.version);
            }
            resources.push(entry);
        }
    }
    if resources.is_empty() {
        return respond::status(text, &Status::no_such_path());
    }
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
    });
    respond::value(StatusCode::OK, text, &list)
}

fn aggregated(types: &[Arc<TypeInfo>], core: bool) -> Result<Response<Body>, BoxError> {
    let mut items = Vec::new();
    for (name, versions) in groups(types).iter().filter(|(name, _)| name.is_empty() == core) {
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let mut here: Vec<&Arc<TypeInfo>> = types
                    .iter()
                    .filter(|kind| kind.resource.group == *name && kind.resource.version == *version)
                    .collect();
                here.sort_by(|one, other| one.resource.plural.cmp(&other.resource.plural));
                let resources: Vec<Value> = here.iter().map(|kind| aggregated_resource(kind)).collect();
                json!({ "version": version, "resources": resources, "freshness": "Current" })
            })
            .collect();
        let metadata = if core {
            json!({ "creationTimestamp": null })
        } else {
            json!({ "name": name, "creationTimestamp": null })
        };
        items.push(json!({ "metadata": metadata, "versions": versions }));
    }
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    plain(
        StatusCode::OK,
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        serde_json::to_vec(&list)?,
    )
}

fn aggregated_resource(kind: &TypeInfo) -> Value {
    let resource = &kind.resource;
    let scope = if resource.namespaced { "Namespaced" } else { "Cluster" };
    let own = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let mut entry = json!({
        "resource": resource.plural, "responseKind": own, "scope": scope,
        "singularResource": kind.singular, "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    let views: Vec<Value> = views(kind)
        .into_iter()
        .map(|view| {
            let kind = if view.version.is_empty() {
                json!({ "group": resource.group, "version": resource.version, "kind": view.kind })
            } else {
                json!({ "group": view.group, "version": view.version, "kind": view.kind })
            };
            json!({ "subresource": view.name, "responseKind": kind, "verbs": view.verbs })
        })
        .collect();
    if !views.is_empty() {
        entry["subresources"] = json!(views);
    }
    entry
}

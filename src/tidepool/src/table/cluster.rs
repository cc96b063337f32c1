//! What a cluster is made of: nodes, namespaces, events, leases, API services.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{NONE, condition};
use super::{AGE, Cell, Column, NAME, age};
use crate::object;

pub(super) const NODES: &[Column] = &[
    NAME,
    Column::made("Status", |node, _| json!(node_status(node))),
    Column::made("Roles", |node, _| json!(roles(node))),
    AGE,
    Column::text("Version", "status.nodeInfo.kubeletVersion", ""),
    Column::made("Internal-IP", |node, _| address(node, "InternalIP")).wide(),
    Column::made("External-IP", |node, _| address(node, "ExternalIP")).wide(),
    Column::text("OS-Image", "status.nodeInfo.osImage", "<unknown>").wide(),
    Column::text("Kernel-Version", "status.nodeInfo.kernelVersion", "<unknown>").wide(),
    Column::text(
        "Container-Runtime",
        "status.nodeInfo.containerRuntimeVersion",
        "<unknown>",
    )
    .wide(),
];

pub(super) const NAMESPACES: &[Column] = &[NAME, Column::text("Status", "status.phase", ""), AGE];

pub(super) const EVENTS: &[Column] = &[
    Column::made("Last Seen", |event, now| json!(last_seen(event, now))),
    Column::text("Type", "type", ""),
    Column::text("Reason", "reason", ""),
    Column::made("Object", |event, _| {
        let about = about(event);
        let kind = object::text(about, &["kind"]).to_lowercase();
        json!(format!("{kind}/{}", object::text(about, &["name"])))
    }),
    Column::made("Subobject", |event, _| {
        json!(object::text(about(event), &["fieldPath"]))
    })
    .wide(),
    Column::made("Source", |event, _| json!(source(event))).wide(),
    Column::made("Message", |event, _| {
        json!(first(event, &["message", "note"]).as_str().unwrap_or_default().trim())
    }),
    Column::made("First Seen", |event, now| json!(first_seen(event, now))).wide(),
    Column::of("Count", "integer", Cell::Made(|event, _| json!(count(event)))).wide(),
    NAME.wide(),
];

pub(super) const LEASES: &[Column] = &[NAME, Column::text("Holder", "spec.holderIdentity", ""), AGE];

pub(super) const API_SERVICES: &[Column] = &[
    NAME,
    Column::made("Service", |service, _| {
        let to = &service["spec"]["service"];
        json!(if to.is_object() {
            format!("{}/{}", object::text(to, &["namespace"]), object::text(to, &["name"]))
        } else {
            "Local".to_owned()
        })
    }),
    Column::made("Available", |service, _| {
        let available = condition(service, "Available");
        json!(match object::text(available, &["status"]) {
            "" => "Unknown".to_owned(),
            "True" => "True".to_owned(),
            status => format!("{status} ({})", object::text(available, &["reason"])),
        })
    }),
    AGE,
];

fn node_status(node: &Value) -> String {
    let mut status = match condition(node, "Ready")["status"].as_str() {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object();
    let found: BTreeSet<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    if found.is_empty() {
        return NONE.to_owned();
    }
    found.into_iter().collect::<Vec<_>>().join(",")
}

fn address(node: &Value, kind: &str) -> Value {
    let addresses = object::items(node, &["status", "addresses"]);
    let found = addresses.iter().find(|address| address["type"] == kind);
    json!(found.map_or(NONE, |address| object::text(address, &["address"])))
}

/// The first of these fields that the event has: the two API groups name them differently.
fn first<'a>(event: &'a Value, fields: &[&str]) -> &'a Value {
    let mut found = fields.iter().map(|field| &event[*field]);
    found.find(|value| !value.is_null()).unwrap_or(&Value::Null)
}

fn about(event: &Value) -> &Value {
    first(event, &["involvedObject", "regarding"])
}

fn source(event: &Value) -> String {
    let source = first(event, &["source", "deprecatedSource"]);
    let mut parts = vec![object::text(source, &["component"]), object::text(source, &["host"])];
    if parts[0].is_empty() {
        parts = vec![
            first(event, &["reportingComponent", "reportingController"])
                .as_str()
                .unwrap_or_default(),
            object::text(event, &["reportingInstance"]),
        ];
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn first_seen(event: &Value, now: Timestamp) -> String {
    age::since(
        first(event, &["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"]),
        now,
    )
}

fn last_seen(event: &Value, now: Timestamp) -> String {
    let series = &event["series"]["lastObservedTime"];
    let last = first(event, &["lastTimestamp", "deprecatedLastTimestamp"]);
    match (series, last) {
        (Value::Null, Value::Null) => first_seen(event, now),
        (Value::Null, last) => age::since(last, now),
        (series, _) => age::since(series, now),
    }
}

fn count(event: &Value) -> i64 {
    let series = event["series"]["count"].as_i64();
    let counted = first(event, &["count", "deprecatedCount"]).as_i64();
    series.or(counted).filter(|count| *count > 0).unwrap_or(1)
}

//! Configuration and permissions: ConfigMaps, Secrets, service accounts, bindings of roles, webhooks, quotas, classes of priority.

use serde_json::{Value, json};

use super::{AGE, Cell, Column, NAME};
use crate::object;

pub(super) const CONFIG_MAPS: &[Column] = &[
    NAME,
    Column::of("Data", "string", Cell::Count(&["data", "binaryData"])),
    AGE,
];

pub(super) const SECRETS: &[Column] = &[
    NAME,
    Column::text("Type", "type", ""),
    Column::of("Data", "string", Cell::Count(&["data"])),
    AGE,
];

pub(super) const SERVICE_ACCOUNTS: &[Column] = &[NAME, Column::of("Secrets", "string", Cell::Count(&["secrets"])), AGE];

pub(super) const ROLE_BINDINGS: &[Column] = &[
    NAME,
    Column::made("Role", |binding, _| {
        let role = &binding["roleRef"];
        json!(format!(
            "{}/{}",
            object::text(role, &["kind"]),
            object::text(role, &["name"])
        ))
    }),
    AGE,
    Column::made("Users", |binding, _| subjects(binding, "User")).wide(),
    Column::made("Groups", |binding, _| subjects(binding, "Group")).wide(),
    Column::made("ServiceAccounts", |binding, _| subjects(binding, "ServiceAccount")).wide(),
];

pub(super) const WEBHOOKS: &[Column] = &[NAME, Column::of("Webhooks", "integer", Cell::Count(&["webhooks"])), AGE];

pub(super) const ADMISSION_POLICIES: &[Column] = &[
    NAME,
    Column::of("Validations", "integer", Cell::Count(&["spec.validations"])),
    Column::made("ParamKind", |policy, _| {
        let kind = &policy["spec"]["paramKind"];
        json!(if kind.is_object() {
            format!(
                "{}/{}",
                object::text(kind, &["apiVersion"]),
                object::text(kind, &["kind"])
            )
        } else {
            "<unset>".to_owned()
        })
    }),
    AGE,
];

pub(super) const ADMISSION_BINDINGS: &[Column] = &[
    NAME,
    Column::text("PolicyName", "spec.policyName", ""),
    Column::made("ParamRef", |binding, _| {
        let reference = &binding["spec"]["paramRef"];
        let (namespace, name) = (
            object::text(reference, &["namespace"]),
            object::text(reference, &["name"]),
        );
        json!(match (reference.is_object(), namespace.is_empty()) {
            (false, _) => "<unset>".to_owned(),
            (true, true) => format!("*/{name}"),
            (true, false) => format!("{namespace}/{name}"),
        })
    }),
    AGE,
];

pub(super) const QUOTAS: &[Column] = &[
    NAME,
    Column::made("Request", |quota, _| {
        json!(quotas(quota, |resource| !resource.starts_with("limits")))
    }),
    Column::made("Limit", |quota, _| {
        json!(quotas(quota, |resource| resource.starts_with("limits")))
    }),
    AGE,
];

pub(super) const PRIORITY_CLASSES: &[Column] = &[
    NAME,
    Column::number("Value", "value"),
    Column::of("Global-Default", "boolean", Cell::Flag("globalDefault")),
    AGE,
    Column::text("PreemptionPolicy", "preemptionPolicy", ""),
];

pub(super) const RUNTIME_CLASSES: &[Column] = &[NAME, Column::text("Handler", "handler", ""), AGE];

/// The names of a binding's subjects of one kind; those of service accounts with their namespace.
fn subjects(binding: &Value, kind: &str) -> Value {
    let texts: Vec<String> = object::items(binding, &["subjects"])
        .iter()
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| {
            let name = object::text(subject, &["name"]);
            if kind == "ServiceAccount" {
                format!("{}/{name}", object::text(subject, &["namespace"]))
            } else {
                name.to_owned()
            }
        })
        .collect();
    json!(texts.join(", "))
}

fn quotas(quota: &Value, wanted: fn(&str) -> bool) -> String {
    let hard = quota["status"]["hard"].as_object().into_iter().flatten();
    let texts: Vec<String> = hard
        .filter(|(resource, _)| wanted(resource))
        .map(|(resource, hard)| {
            let used = object::text(quota, &["status", "used", resource]);
            let used = if used.is_empty() { "0" } else { used };
            format!("{resource}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    texts.join(", ")
}

//! Webhook configurations as values, and which writes each webhook wants. Pure but for reading the store.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Attributes;
use super::webhook::{self, Address};
use crate::object;
use crate::resource::{NAMESPACES, StorageName};
use crate::server::select::Labels;
use crate::server::{Server, TypeInfo};
use crate::store::Place;

const GROUP: &str = "admissionregistration.k8s.io";

/// Before or after the value is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Mutating,
    Validating,
}

/// One webhook of one configuration.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) phase: Phase,
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) timeout: Duration,
    pub(super) ignores_failure: bool,
    pub(super) dry_run_safe: bool,
    pub(super) reinvoke: bool,
    pub(super) review_version: &'static str,
    equivalent: bool,
    rules: Vec<Rule>,
    namespaces: Labels,
    objects: Labels,
}

#[derive(Clone, Debug)]
struct Rule {
    operations: Vec<String>,
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    scope: String,
}

/// The webhooks of all configurations of a phase, in the order of the configurations' names.
pub(super) fn read(server: &Server, phase: Phase) -> Vec<Hook> {
    let plural = match phase {
        Phase::Mutating => "mutatingwebhookconfigurations",
        Phase::Validating => "validatingwebhookconfigurations",
    };
    let storage = StorageName {
        group: GROUP.to_owned(),
        plural: plural.to_owned(),
    };
    let (_, configurations) = server.store().list(&storage, None);
    configurations
        .iter()
        .flat_map(|configuration| object::items(&configuration.value, &["webhooks"]))
        .map(|webhook| hook(phase, webhook))
        .collect()
}

fn hook(phase: Phase, webhook: &Value) -> Hook {
    let seconds = object::number(webhook, &["timeoutSeconds"]).and_then(|seconds| u64::try_from(seconds).ok());
    let timeout = Duration::from_secs(seconds.unwrap_or(10));
    let selector = |field: &str| Labels::from_object(&webhook[field]).unwrap_or_default();
    let versions = texts(webhook, "admissionReviewVersions");
    let review_version = versions
        .iter()
        .find_map(|version| match version.as_str() {
            "v1" => Some("v1"),
            "v1beta1" => Some("v1beta1"),
            _ => None,
        })
        .unwrap_or("v1");
    Hook {
        phase,
        name: object::text(webhook, &["name"]).to_owned(),
        address: webhook::address(&webhook["clientConfig"], timeout),
        timeout,
        ignores_failure: webhook["failurePolicy"] == "Ignore",
        dry_run_safe: ["None", "NoneOnDryRun"].contains(&object::text(webhook, &["sideEffects"])),
        reinvoke: webhook["reinvocationPolicy"] == "IfNeeded",
        review_version,
        equivalent: webhook["matchPolicy"] != "Exact",
        rules: object::items(webhook, &["rules"]).iter().map(rule).collect(),
        namespaces: selector("namespaceSelector"),
        objects: selector("objectSelector"),
    }
}

fn rule(rule: &Value) -> Rule {
    Rule {
        operations: texts(rule, "operations"),
        groups: texts(rule, "apiGroups"),
        versions: texts(rule, "apiVersions"),
        resources: texts(rule, "resources"),
        scope: rule["scope"].as_str().unwrap_or("*").to_owned(),
    }
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    let items = object::items(value, &[field]).iter();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The type in whose version a webhook wants a write; none when it does not want it.
pub(super) fn wanted_kind(
    server: &Server,
    hook: &Hook,
    attributes: &Attributes<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Arc<TypeInfo>> {
    let resource = &attributes.kind.resource;
    // Configurations are exempt, or a broken webhook could not be removed.
    if resource.group == GROUP {
        return None;
    }
    let kind = matching_kind(server, hook, attributes)?;
    if !hook.objects.is_empty()
        && ![old, new]
            .into_iter()
            .flatten()
            .any(|object| hook.objects.matches(object))
    {
        return None;
    }
    if hook.namespaces.is_empty() {
        return Some(kind);
    }
    let matches = if resource.namespaced {
        let place = Place {
            storage: NAMESPACES.storage(),
            namespace: String::new(),
            name: attributes.request.namespace.clone(),
        };
        let namespace = server.store().get(&place)?;
        hook.namespaces.matches(&namespace.value)
    } else if resource.storage() == NAMESPACES.storage() {
        new.or(old).is_some_and(|namespace| hook.namespaces.matches(namespace))
    } else {
        true
    };
    matches.then_some(kind)
}

fn matching_kind(server: &Server, hook: &Hook, attributes: &Attributes<'_>) -> Option<Arc<TypeInfo>> {
    let resource = &attributes.kind.resource;
    let wants = |version: &str| hook.rules.iter().any(|rule| rule.wants(attributes, version));
    let versions = server
        .types()
        .all()
        .into_iter()
        .filter(|kind| kind.resource.group == resource.group && kind.resource.plural == resource.plural);
    let mut versions: Vec<Arc<TypeInfo>> = versions.collect();
    // The request's own version first.
    versions.sort_by_key(|kind| kind.resource.version != resource.version);
    versions
        .into_iter()
        .find(|kind| (hook.equivalent || kind.resource.version == resource.version) && wants(&kind.resource.version))
}

impl Rule {
    fn wants(&self, attributes: &Attributes<'_>, version: &str) -> bool {
        let resource = &attributes.kind.resource;
        let holds = |list: &[String], wanted: &str| list.iter().any(|entry| entry == "*" || entry == wanted);
        let scope = match self.scope.as_str() {
            "Namespaced" => resource.namespaced,
            "Cluster" => !resource.namespaced,
            _ => true,
        };
        scope
            && holds(&self.operations, attributes.operation.name())
            && holds(&self.groups, &resource.group)
            && holds(&self.versions, version)
            && self
                .resources
                .iter()
                .any(|entry| names(entry, &resource.plural, &attributes.request.subresource))
    }
}

/// Whether an entry of a rule's resources names a resource and subresource: `pods`, `pods/status`, `pods/*`, `*/scale`, `*`, `*/*`.
fn names(entry: &str, plural: &str, subresource: &str) -> bool {
    let (wanted, view) = entry.split_once('/').unwrap_or((entry, ""));
    (wanted == "*" || wanted == plural) && (view == subresource || view == "*")
}

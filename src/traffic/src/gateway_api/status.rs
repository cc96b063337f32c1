//! What gateways report about a route: which generation they have taken in, and whether they accept it.

use api::names::CANARY_SUFFIX;
use kube::core::DynamicObject;
use serde_json::Value;

use super::backends;
use crate::router::{Observed, RouteName};

/// Reads the status of a route, as far as it speaks of gateways that the route still names.
pub(super) fn observed(route: &DynamicObject, name: &RouteName) -> Observed {
    let Some(generation) = route.metadata.generation else {
        return Observed::Untold;
    };
    let namespace = route.metadata.namespace.as_deref().unwrap_or_default();
    let identity = |reference: &Value| identity(reference, namespace);
    let named: Vec<_> = items(&route.data, "/spec/parentRefs").iter().map(identity).collect();
    let parents = items(&route.data, "/status/parents").iter();
    let reports = parents.filter(|parent| named.contains(&identity(parent.get("parentRef").unwrap_or(&Value::Null))));
    let reports: Vec<Report<'_>> = reports.flat_map(Report::all).collect();
    let behind = |why: String| Observed::Behind {
        why: format!("{name}: {why}"),
    };
    if let Some(late) = reports.iter().find(|report| report.generation < generation) {
        let (by, seen) = (late.by, late.generation);
        return behind(format!("{by} has taken in generation {seen} of {generation}"));
    }
    if let Some(open) = reports.iter().find(|report| report.status == "Unknown") {
        return behind(format!("{} has not decided yet: {}", open.by, open.message));
    }
    let (accepted, refused): (Vec<&Report<'_>>, Vec<&Report<'_>>) = reports
        .iter()
        .filter(|report| report.about == "Accepted")
        .partition(|report| report.status == "True");
    if let (true, Some(first)) = (accepted.is_empty(), refused.first()) {
        return Observed::Refused {
            why: format!("{name} is not accepted by {}: {}", first.by, first.message),
        };
    }
    let mut unresolved = reports
        .iter()
        .filter(|report| report.about == "ResolvedRefs" && report.status == "False");
    if let Some(blind) = unresolved.find(|report| concerns_a_canary(report.message, route)) {
        return behind(format!("{} does not find its backends: {}", blind.by, blind.message));
    }
    match reports.is_empty() {
        true => Observed::Untold,
        false => Observed::Current,
    }
}

/// One condition that says which generation it speaks of. Whoever does not say that says nothing.
struct Report<'a> {
    by: &'a str,
    about: &'a str,
    status: &'a str,
    message: &'a str,
    generation: i64,
}

impl<'a> Report<'a> {
    fn all(parent: &'a Value) -> impl Iterator<Item = Self> {
        let by = text(parent, "controllerName");
        let conditions = items(parent, "/conditions").iter();
        conditions.filter_map(move |condition| {
            let about = text(condition, "type");
            let known = matches!(about, "Accepted" | "ResolvedRefs");
            known.then_some(Self {
                by: if by.is_empty() { "its controller" } else { by },
                about,
                status: text(condition, "status"),
                message: text(condition, "message"),
                generation: condition.get("observedGeneration").and_then(Value::as_i64)?,
            })
        })
    }
}

/// Whether a gateway that does not find a backend may mean a canary's. A backend of the owner's that nobody finds was so before the release, and
/// does not hold it up.
fn concerns_a_canary(message: &str, route: &DynamicObject) -> bool {
    let rules = items(&route.data, "/spec/rules").iter();
    let names = rules.flat_map(backends::of).map(|backend| text(backend, "name"));
    let (canaries, others): (Vec<&str>, Vec<&str>) = names.partition(|name| name.ends_with(CANARY_SUFFIX));
    let is_said = |name: &&str| {
        let mut words = message.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
        words.any(|word| word == *name)
    };
    !canaries.is_empty() && (canaries.iter().any(is_said) || !others.iter().any(is_said))
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A parent reference with the defaults of the API filled in.
fn identity(reference: &Value, namespace: &str) -> [String; 6] {
    let text = |field: &str, default: &str| {
        let value = reference.get(field).filter(|value| !value.is_null());
        value.map_or(default.to_owned(), |value| {
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    [
        text("group", "gateway.networking.k8s.io"),
        text("kind", "Gateway"),
        text("namespace", namespace),
        text("name", ""),
        text("sectionName", ""),
        text("port", ""),
    ]
}

//! What gateways report about a route: which generation they have taken in, and whether they accept it.

use kube::core::DynamicObject;
use serde_json::Value;

use crate::router::{Observed, RouteName};

/// Reads the status of a route, as far as it speaks of gateways that the route still names.
pub(super) fn observed(route: &DynamicObject, name: &RouteName) -> Observed {
    let generation = route.metadata.generation.unwrap_or_default();
    let parents = items(&route.data, "/status/parents");
    let named = items(&route.data, "/spec/parentRefs");
    let namespace = route.metadata.namespace.as_deref().unwrap_or_default();
    let identity = |reference: &Value| identity(reference, namespace);
    let known: Vec<_> = named.iter().map(identity).collect();
    let mut told = None;
    let mut refused = None;
    let mut accepted = false;
    for parent in parents {
        let reference = parent.get("parentRef").unwrap_or(&Value::Null);
        if !known.contains(&identity(reference)) {
            continue;
        }
        let by = parent
            .get("controllerName")
            .and_then(Value::as_str)
            .unwrap_or("its controller");
        for condition in items(parent, "/conditions") {
            let text = |field: &str| condition.get(field).and_then(Value::as_str).unwrap_or_default();
            let seen = condition.get("observedGeneration").and_then(Value::as_i64);
            // Whoever does not say which generation it speaks of says nothing.
            let Some(seen) = seen else { continue };
            if !matches!(text("type"), "Accepted" | "ResolvedRefs") {
                continue;
            }
            told.get_or_insert(());
            if seen < generation {
                return Observed::Behind {
                    why: format!("{name}: {by} has taken in generation {seen} of {generation}"),
                };
            }
            match (text("type"), text("status")) {
                ("Accepted", "False") => {
                    refused = Some(format!("{name} is not accepted by {by}: {}", text("message")));
                }
                ("Accepted", _) => accepted = true,
                (_, "False") => {
                    return Observed::Behind {
                        why: format!("{name}: {by} does not find its backends: {}", text("message")),
                    };
                }
                _ => {}
            }
        }
    }
    match (told, refused) {
        (None, _) => Observed::Untold,
        (Some(()), Some(why)) if !accepted => Observed::Refused { why },
        (Some(()), _) => Observed::Current,
    }
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
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

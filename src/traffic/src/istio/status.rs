//! What Istio reports about an object, where it is told to: by default it writes no status.

use kube::core::DynamicObject;
use serde_json::Value;

use crate::router::{Observed, RouteName};

/// Reads the status. Only whoever gives both the generation and the condition is taken at their word.
pub(super) fn observed(object: &DynamicObject, name: &RouteName) -> Observed {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    let is_reconciled = |condition: &&Value| condition.get("type").and_then(Value::as_str) == Some("Reconciled");
    let reconciled = conditions.into_iter().flatten().find(is_reconciled);
    let seen = object.data.pointer("/status/observedGeneration").and_then(number);
    let (Some(reconciled), Some(seen)) = (reconciled, seen) else {
        return Observed::Untold;
    };
    let generation = object.metadata.generation.unwrap_or_default();
    if seen < generation {
        return Observed::Behind {
            why: format!("{name}: Istio has taken in generation {seen} of {generation}"),
        };
    }
    let text = |field: &str| reconciled.get(field).and_then(Value::as_str).unwrap_or_default();
    match text("status") {
        "True" => Observed::Current,
        _ => Observed::Behind {
            why: format!("{name}: not all proxies have taken it in: {}", text("message")),
        },
    }
}

/// A number, which Istio writes as text where it has 64 bits.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

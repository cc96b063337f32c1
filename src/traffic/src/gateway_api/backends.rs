//! The backends of a rule: which are the stable Service's, which are the canary's, and what they weigh.

use serde_json::{Value, json};

use crate::router::Sides;

/// The field of a rule that lists its backends.
pub(super) const FIELD: &str = "backendRefs";

/// The backends of a rule.
pub(super) fn of(rule: &Value) -> &[Value] {
    let backends = rule.get(FIELD).and_then(Value::as_array);
    backends.map(Vec::as_slice).unwrap_or_default()
}

/// The name of a backend that is a Service of a namespace.
pub(super) fn service<'a>(backend: &'a Value, namespace: &str) -> Option<&'a str> {
    let is = |field: &str, wanted: &[&str]| match backend.get(field) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| wanted.contains(&text)),
    };
    let here = is("kind", &["Service"]) && is("group", &[""]) && is("namespace", &["", namespace]);
    backend.get("name").and_then(Value::as_str).filter(|_| here)
}

/// Whether a backend is the stable Service.
pub(super) fn is_stable(backend: &Value, sides: Sides<'_>) -> bool {
    service(backend, sides.namespace) == Some(sides.stable_service)
}

/// Whether a backend is the Service of the new version. Where that has none of its own, no backend is: the stable ones are never taken for ours.
pub(super) fn is_canary(backend: &Value, sides: Sides<'_>) -> bool {
    !sides.share_a_service() && service(backend, sides.namespace) == Some(sides.canary_service)
}

/// A backend's weight, 1 when none is written, as the API defaults it.
pub(super) fn weight(backend: &Value) -> i64 {
    backend.get("weight").and_then(Value::as_i64).unwrap_or(1)
}

/// Writes a backend's weight, or takes it out.
pub(super) fn set_weight(backend: &mut Value, weight: Option<i64>) {
    match (weight, backend.as_object_mut()) {
        (Some(weight), Some(fields)) => {
            fields.insert("weight".to_owned(), json!(weight));
        }
        (None, Some(fields)) => {
            fields.remove("weight");
        }
        (_, None) => {}
    }
}

/// What the stable Service weighs in a rule, in all.
pub(super) fn stable_share(rule: &Value, sides: Sides<'_>) -> i64 {
    let stable = of(rule).iter().filter(|backend| is_stable(backend, sides));
    stable.map(weight).sum()
}

/// How many percent a rule shows for the canary.
pub(super) fn percents(rule: &Value, sides: Sides<'_>) -> i64 {
    let canary: i64 = of(rule)
        .iter()
        .filter(|backend| is_canary(backend, sides))
        .map(weight)
        .sum();
    canary.saturating_mul(100) / (stable_share(rule, sides) + canary).max(1)
}

/// Whether the stable Service is the only backend that requests go to, and is named once: then its share is all of them, whatever it weighs.
pub(super) fn is_alone(rule: &Value, sides: Sides<'_>) -> bool {
    let ours = |backend: &&Value| is_stable(backend, sides) || is_canary(backend, sides);
    let stable = of(rule).iter().filter(|backend| is_stable(backend, sides)).count();
    let mut others = of(rule).iter().filter(|backend| !ours(backend));
    stable <= 1 && others.all(|backend| weight(backend) == 0)
}

/// A stable backend as the canary's: the same port and filters under another name.
pub(super) fn renamed(stable: &Value, service: &str, weight: i64) -> Value {
    let mut canary = stable.clone();
    if let Some(fields) = canary.as_object_mut() {
        fields.insert("name".to_owned(), json!(service));
    }
    set_weight(&mut canary, Some(weight));
    canary
}

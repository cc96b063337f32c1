//! Istio's VirtualServices: the new version is a destination beside the stable one, or has routes of its own.

use serde_json::{Value, json};

use super::{Door, Place, Shown, canary, hosts, percent};
use crate::object::text;

pub(super) fn spec(places: &[Place<'_>], door: &Door) -> Value {
    let rule = |place: &Place<'_>| {
        let route = json!([{"destination": {"host": place.service, "port": {"number": place.port}}}]);
        match (place.exact, place.path) {
            (false, "" | "/") => json!({ "route": route }),
            (false, path) => json!({"match": [{"uri": {"prefix": path}}], "route": route}),
            (true, path) => json!({"match": [{"uri": {"exact": path}}], "route": route}),
        }
    };
    json!({
        "gateways": [format!("{}/{}", door.namespace, door.name)],
        "hosts": hosts(places),
        "http": places.iter().map(rule).collect::<Vec<_>>(),
    })
}

pub(super) fn shown(route: &Value, service: &str) -> Shown {
    let rules = route.pointer("/spec/http").and_then(Value::as_array);
    let mut shown = Shown::default();
    for rule in rules.into_iter().flatten() {
        let routes = rule.get("route").and_then(Value::as_array);
        let leads =
            |destination: &Value, name: &str| text(destination, "/destination/host").split('.').next() == Some(name);
        let weight = |name: &str| -> Option<u64> {
            let mut weights = routes
                .into_iter()
                .flatten()
                .filter(|destination| leads(destination, name))
                .map(|destination| destination.get("weight").and_then(Value::as_u64).unwrap_or(100))
                .peekable();
            weights.peek()?;
            Some(weights.sum())
        };
        if let Some(new) = weight(&canary(service)) {
            shown.canary_service = Some(canary(service));
            if let Some(old) = weight(service) {
                shown.weight = shown.weight.max(percent(new, new + old));
            }
        }
    }
    shown
}

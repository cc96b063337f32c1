//! Istio's VirtualServices: the new version is a destination beside the stable one, or has routes of its own.

use serde_json::{Value, json};

use super::{Behind, Door, Place, Shown, canary, hosts, percent};
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
        let (mut old, mut new) = (None, None);
        for destination in routes.into_iter().flatten() {
            let host = text(destination, "/destination/host").split('.').next();
            let subset = text(destination, "/destination/subset");
            let side = if host == Some(canary(service).as_str()) {
                shown.canary = Some(Behind::service(&canary(service)));
                &mut new
            } else if host != Some(service) {
                continue;
            } else if is_canary(subset) {
                shown.canary = Some(Behind {
                    service: service.to_owned(),
                    subset: Some(subset.to_owned()),
                });
                &mut new
            } else {
                &mut old
            };
            let weight = destination.get("weight").and_then(Value::as_u64).unwrap_or(100);
            *side = Some(side.unwrap_or(0) + weight);
        }
        if let (Some(old), Some(new)) = (old, new) {
            shown.weight = shown.weight.max(percent(new, new + old));
        }
    }
    shown
}

/// Whether a subset is one that a release makes for the new version: alone, or in place of one of the owner's.
fn is_canary(subset: &str) -> bool {
    subset == "canary" || subset.ends_with("--canary")
}

//! HTTPRoutes: the new version is a backend beside the stable one, or has rules of its own.

use serde_json::{Value, json};

use super::{Behind, Door, Place, Shown, canary, hosts, percent};
use crate::object::text;

pub(super) fn spec(places: &[Place<'_>], door: &Door) -> Value {
    let rule = |place: &Place<'_>| {
        let kind = if place.exact { "Exact" } else { "PathPrefix" };
        json!({
            "matches": [{"path": {"type": kind, "value": place.path}}],
            "backendRefs": [{"name": place.service, "port": place.port}],
        })
    };
    json!({
        "parentRefs": [{"name": door.name, "namespace": door.namespace}],
        "hostnames": hosts(places),
        "rules": places.iter().map(rule).collect::<Vec<_>>(),
    })
}

pub(super) fn shown(route: &Value, service: &str) -> Shown {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array);
    let mut shown = Shown::default();
    for rule in rules.into_iter().flatten() {
        let backends = rule.get("backendRefs").and_then(Value::as_array);
        let weight = |name: &str| -> u64 {
            let named = backends
                .into_iter()
                .flatten()
                .filter(|backend| text(backend, "/name") == name);
            named
                .map(|backend| backend.get("weight").and_then(Value::as_u64).unwrap_or(1))
                .sum()
        };
        let named = |name: &str| {
            let mut backends = backends.into_iter().flatten();
            backends.any(|backend| text(backend, "/name") == name)
        };
        if named(&canary(service)) {
            shown.canary = Some(Behind::service(&canary(service)));
            if named(service) {
                let (new, old) = (weight(&canary(service)), weight(service));
                shown.weight = shown.weight.max(percent(new, new + old));
            }
        }
    }
    shown
}

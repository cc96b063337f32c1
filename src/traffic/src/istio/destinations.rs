//! Where the rules of a VirtualService lead: hosts in all their forms, weights, and the canary's destination beside the stable one.

use serde_json::{Value, json};

use crate::router::Sides;

/// The field of a rule that lists its destinations.
pub(super) const FIELD: &str = "route";

/// The destinations of a rule.
pub(super) fn of(rule: &Value) -> &[Value] {
    rule.get(FIELD)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The Service of this namespace that a host names: by its short name, or with the namespace, `svc` and the cluster's domain after it.
pub(super) fn service_of<'a>(host: &'a str, namespace: &str) -> Option<&'a str> {
    let (service, rest) = host.split_once('.').unwrap_or((host, ""));
    let ours = rest.is_empty()
        || rest.strip_prefix(namespace).is_some_and(|rest| {
            let rest = rest.strip_suffix('.').unwrap_or(rest);
            matches!(rest, "" | ".svc" | ".svc.cluster.local")
        });
    (ours && !service.is_empty()).then_some(service)
}

/// The Service of this namespace that a destination leads to.
pub(super) fn service<'a>(destination: &'a Value, namespace: &str) -> Option<&'a str> {
    service_of(destination.pointer("/destination/host")?.as_str()?, namespace)
}

/// Whether a destination is the stable Service.
pub(super) fn is_stable(destination: &Value, sides: Sides<'_>) -> bool {
    service(destination, sides.namespace) == Some(sides.stable_service)
}

/// Whether a destination is the canary's Service.
pub(super) fn is_canary(destination: &Value, sides: Sides<'_>) -> bool {
    service(destination, sides.namespace) == Some(sides.canary_service)
}

/// A destination's weight as written; none written means 0 to Istio, but for the only one of a rule.
pub(super) fn weight(destination: &Value) -> i64 {
    destination.get("weight").and_then(Value::as_i64).unwrap_or(0)
}

/// Sets a destination's weight, or takes it away.
pub(super) fn set_weight(destination: &mut Value, weight: Option<i64>) {
    let Some(fields) = destination.as_object_mut() else {
        return;
    };
    match weight {
        Some(weight) => fields.insert("weight".to_owned(), json!(weight)),
        None => fields.remove("weight"),
    };
}

/// The weight of the stable destinations of a rule together; a sole destination gets everything, whatever it weighs.
pub(super) fn stable_share(rule: &Value, sides: Sides<'_>) -> i64 {
    match of(rule) {
        [sole] => i64::from(is_stable(sole, sides)),
        all => {
            let stable = all.iter().filter(|destination| is_stable(destination, sides));
            stable.map(weight).fold(0, i64::saturating_add)
        }
    }
}

/// Whether requests of a rule go to the stable Service alone, by one destination, once the canary's are taken out.
pub(super) fn is_alone(rule: &Value, sides: Sides<'_>) -> bool {
    let own = of(rule).iter().filter(|destination| !is_canary(destination, sides));
    let (stable, others): (Vec<&Value>, Vec<&Value>) = own.partition(|destination| is_stable(destination, sides));
    stable.len() == 1 && others.iter().all(|destination| weight(destination) == 0)
}

/// How many percent of the stable Service's requests a rule shows for the canary.
pub(super) fn percents(rule: &Value, sides: Sides<'_>) -> i64 {
    let canary = of(rule).iter().filter(|destination| is_canary(destination, sides));
    let canary = canary.map(weight).fold(0, i64::saturating_add);
    let whole = canary.saturating_add(stable_share(rule, sides)).max(1);
    canary.saturating_mul(100) / whole
}

/// A destination led to another Service, named in the same form. Its subset is one of the Service that it led to before; the other has none of
/// that name, and Envoy answers 503 for a subset that does not exist, so that it is left out.
pub(super) fn renamed(destination: &Value, service: &str, weight: Option<i64>) -> Value {
    let mut renamed = destination.clone();
    if let Some(to) = renamed.get_mut("destination").and_then(Value::as_object_mut) {
        let host = to.get("host").and_then(Value::as_str).unwrap_or_default();
        let host = match host.split_once('.') {
            Some((_, rest)) => format!("{service}.{rest}"),
            None => service.to_owned(),
        };
        to.insert("host".to_owned(), json!(host));
        to.remove("subset");
    }
    set_weight(&mut renamed, weight);
    renamed
}

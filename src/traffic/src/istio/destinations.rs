//! Where the rules of a VirtualService lead: hosts in all their forms, weights, and the canary's destination beside the stable one.

use serde_json::{Value, json};

use super::subsets;
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

/// The subset that a destination leads to; empty for none.
pub(super) fn subset(destination: &Value) -> &str {
    let subset = destination.pointer("/destination/subset").and_then(Value::as_str);
    subset.unwrap_or_default()
}

/// Whether a destination is the stable Service, and not the canary's pods in it.
pub(super) fn is_stable(destination: &Value, sides: Sides<'_>) -> bool {
    service(destination, sides.namespace) == Some(sides.stable_service) && !is_canary(destination, sides)
}

/// Whether a destination is the canary's: its Service, or its subset of the one Service.
pub(super) fn is_canary(destination: &Value, sides: Sides<'_>) -> bool {
    service(destination, sides.namespace) == Some(sides.canary_service)
        && (!sides.share_a_service() || subsets::base(subset(destination), subsets::CANARY).is_some())
}

fn with_subset(destination: &Value, subset: &str) -> Value {
    let mut changed = destination.clone();
    if let Some(to) = changed.get_mut("destination").and_then(Value::as_object_mut) {
        match subset {
            "" => to.remove("subset"),
            subset => to.insert("subset".to_owned(), json!(subset)),
        };
    }
    changed
}

/// A stable destination that leads to the stable revision's pods alone, where both versions are behind one Service.
pub(super) fn pinned(destination: &Value, sides: Sides<'_>) -> Value {
    match sides.share_a_service() && is_stable(destination, sides) {
        true => with_subset(
            destination,
            &subsets::name(subset(&unpinned(destination, sides)), subsets::STABLE),
        ),
        false => destination.clone(),
    }
}

/// A stable destination as its owner wrote it.
pub(super) fn unpinned(destination: &Value, sides: Sides<'_>) -> Value {
    let own = subsets::base(subset(destination), subsets::STABLE);
    match own.filter(|_| sides.share_a_service() && is_stable(destination, sides)) {
        Some(own) => with_subset(destination, own),
        None => destination.clone(),
    }
}

/// The canary's destination beside a stable one.
pub(super) fn canary_of(destination: &Value, sides: Sides<'_>, weight: Option<i64>) -> Value {
    if !sides.share_a_service() {
        return renamed(destination, sides.canary_service, weight);
    }
    let own = unpinned(destination, sides);
    let mut canary = with_subset(&own, &subsets::name(subset(&own), subsets::CANARY));
    set_weight(&mut canary, weight);
    canary
}

/// The stable destination that a canary's was made beside.
pub(super) fn stable_of(canary: &Value, sides: Sides<'_>) -> Value {
    if !sides.share_a_service() {
        return renamed(canary, sides.stable_service, None);
    }
    let own = subsets::base(subset(canary), subsets::CANARY).unwrap_or_default();
    let mut stable = with_subset(canary, own);
    set_weight(&mut stable, None);
    stable
}

/// The name of the Service that a release would make for the new version behind this destination, when it is one: also of a release that
/// makes none, so that rules of all releases have an order.
pub(super) fn release(destination: &Value, namespace: &str) -> String {
    let service = service(destination, namespace).unwrap_or_default();
    match subsets::base(subset(destination), subsets::CANARY) {
        Some(_) => api::names::canary_name(service),
        None => service.to_owned(),
    }
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

//! The rules of a Gateway API route: as its owner wrote them, and with a release's split in them.
//!
//! Both directions go through [`Pristine`]: whatever a rule shows, it is first led back to what its owner wrote, then split anew. So an edit by the
//! owner, or by a GitOps tool, in the middle of a release is taken up like any other.

use api::parts::HeaderModifier;
use api::plan::Route;
use serde_json::{Value, json};

use super::{RouteType, filters, matches};
use crate::originals::{Original, divided, fingerprint};
use crate::router::{RouteError, RouteName, Sides};

const BACKENDS: &str = "backendRefs";
/// The most rules that a route may have.
const MOST_RULES: usize = 16;
/// The most matches of all rules together.
const MOST_MATCHES: usize = 128;

/// The rules as their owner wrote them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pristine {
    pub(super) rules: Vec<Value>,
    /// How many percent each rule with the stable backend showed for the canary; less than nothing where requests were selected.
    pub(super) shown: Vec<i64>,
}

/// Whether a backend is a Service of the Rollout's namespace with this name.
fn is(backend: &Value, service: &str, namespace: &str) -> bool {
    let text = |field: &str, default: &'static str| match backend.get(field) {
        None | Some(Value::Null) => default.to_owned(),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
    };
    text("name", "") == service
        && text("kind", "Service") == "Service"
        && text("group", "").is_empty()
        && [String::new(), namespace.to_owned()].contains(&text("namespace", ""))
}

fn backends(rule: &Value) -> &[Value] {
    rule.get(BACKENDS)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A backend's weight, 1 when none is written, as the API defaults it.
fn weight(backend: &Value) -> i64 {
    backend.get("weight").and_then(Value::as_i64).unwrap_or(1)
}

fn set_weight(backend: &mut Value, weight: Option<i64>) {
    match weight {
        Some(weight) => backend["weight"] = json!(weight),
        None => {
            if let Some(fields) = backend.as_object_mut() {
                fields.remove("weight");
            }
        }
    }
}

impl Pristine {
    /// Takes everything of ours out of the rules and puts the recorded weights back.
    pub(super) fn of(rules: &[Value], recorded: Vec<Original>, sides: Sides<'_>) -> Self {
        let mut recorded = recorded;
        let mut take = |rule: &str| {
            let index = recorded.iter().position(|original| original.rule == rule)?;
            Some(recorded.remove(index).weights)
        };
        let (mut pristine, mut shown) = (Vec::new(), Vec::new());
        let mut selected = false;
        for rule in rules {
            let canary = |backend: &&Value| is(backend, sides.canary_service, sides.namespace);
            let stable = |backend: &&Value| is(backend, sides.stable_service, sides.namespace);
            let (ours, all) = (backends(rule).iter().filter(canary).count(), backends(rule).len());
            let original = (ours > 0).then(|| take(&fingerprint(rule, BACKENDS))).flatten();
            if ours > 0 && ours == all && original.is_none() {
                selected = true;
                continue;
            }
            let mut rule = rule.clone();
            if backends(&rule).iter().any(|backend| stable(&backend)) {
                shown.push(if selected { -1 } else { percents(&rule, sides) });
                selected = false;
            }
            if ours > 0
                && let Some(list) = rule.get_mut(BACKENDS).and_then(Value::as_array_mut)
            {
                list.retain(|backend| !canary(&backend));
                let mut weights = original.unwrap_or_default().into_iter();
                for backend in list.iter_mut().filter(|backend| stable(&&**backend)) {
                    set_weight(backend, weights.next().flatten());
                }
            }
            pristine.push(rule);
        }
        Self { rules: pristine, shown }
    }

    /// Whether any rule leads to the stable Service.
    pub(super) fn leads_to(&self, sides: Sides<'_>) -> bool {
        self.rules
            .iter()
            .flat_map(backends)
            .any(|backend| is(backend, sides.stable_service, sides.namespace))
    }

    /// Whether each share of the stable Service beside other backends can be divided by every percentage.
    pub(super) fn divisible(&self, sides: Sides<'_>, route: &RouteName) -> Result<(), RouteError> {
        for (index, rule) in self.rules.iter().enumerate() {
            if is_alone(rule, sides) {
                continue;
            }
            for backend in backends(rule) {
                if is(backend, sides.stable_service, sides.namespace) && weight(backend) % 100 != 0 {
                    return Err(indivisible(route, index, sides.stable_service, weight(backend)));
                }
            }
        }
        Ok(())
    }

    /// The rules with a split in them, and the record that leads back.
    pub(super) fn split(
        &self,
        route_type: RouteType,
        sides: Sides<'_>,
        route: &Route,
        modifier: Option<&HeaderModifier>,
        name: &RouteName,
    ) -> Result<(Vec<Value>, Vec<Original>), RouteError> {
        let (mut rules, mut record) = (Vec::new(), Vec::new());
        for (index, rule) in self.rules.iter().enumerate() {
            let stable = backends(rule)
                .iter()
                .find(|backend| is(backend, sides.stable_service, sides.namespace));
            let Some(stable) = stable else {
                rules.push(rule.clone());
                continue;
            };
            match route {
                Route::Weight(weight) if weight.percents() == 0 => rules.push(rule.clone()),
                Route::Weight(weight) => {
                    let (rule, original) = weighted(rule, weight.percents(), sides, modifier, name, index)?;
                    rules.push(rule);
                    record.push(original);
                }
                Route::Matches(wanted) => {
                    let mut canary = rule.clone();
                    if let Some(fields) = canary.as_object_mut() {
                        fields.remove("name");
                    }
                    canary[BACKENDS] = json!([renamed(stable, sides.canary_service, None)]);
                    canary["matches"] = Value::Array(matches::product(rule, wanted, route_type, name)?);
                    if let Some(modifier) = modifier {
                        filters::add(&mut canary, modifier);
                    }
                    rules.push(canary);
                    rules.push(rule.clone());
                }
            }
        }
        within_limits(&rules, name)?;
        Ok((rules, record))
    }
}

/// How many percent a rule shows for the canary.
fn percents(rule: &Value, sides: Sides<'_>) -> i64 {
    let sum = |service: &str| -> i64 {
        let of = backends(rule)
            .iter()
            .filter(|backend| is(backend, service, sides.namespace));
        of.map(weight).sum()
    };
    let (stable, canary) = (sum(sides.stable_service), sum(sides.canary_service));
    canary.saturating_mul(100) / (stable + canary).max(1)
}

/// Whether the stable Service is the only backend that requests go to, once.
fn is_alone(rule: &Value, sides: Sides<'_>) -> bool {
    let (stable, others): (Vec<&Value>, Vec<&Value>) = backends(rule)
        .iter()
        .partition(|backend| is(backend, sides.stable_service, sides.namespace));
    stable.len() <= 1 && others.iter().all(|backend| weight(backend) == 0)
}

fn renamed(stable: &Value, service: &str, weight: Option<i64>) -> Value {
    let mut canary = stable.clone();
    canary["name"] = json!(service);
    set_weight(&mut canary, Some(weight.unwrap_or(1)));
    canary
}

fn weighted(
    rule: &Value,
    percents: i32,
    sides: Sides<'_>,
    modifier: Option<&HeaderModifier>,
    route: &RouteName,
    index: usize,
) -> Result<(Value, Original), RouteError> {
    let alone = is_alone(rule, sides);
    let (mut split, mut weights) = (Vec::new(), Vec::new());
    for backend in backends(rule) {
        if !is(backend, sides.stable_service, sides.namespace) {
            split.push(backend.clone());
            continue;
        }
        weights.push(backend.get("weight").and_then(Value::as_i64));
        let total = if alone { 100 } else { weight(backend) };
        let (stable, canary) =
            divided(total, percents).ok_or_else(|| indivisible(route, index, sides.stable_service, total))?;
        let mut left = backend.clone();
        set_weight(&mut left, Some(stable));
        let mut right = renamed(backend, sides.canary_service, Some(canary));
        if let Some(modifier) = modifier {
            filters::add(&mut right, modifier);
        }
        split.extend([left, right]);
    }
    let original = Original {
        rule: fingerprint(rule, BACKENDS),
        weights,
    };
    let mut rule = rule.clone();
    rule[BACKENDS] = Value::Array(split);
    Ok((rule, original))
}

fn indivisible(route: &RouteName, index: usize, service: &str, weight: i64) -> RouteError {
    RouteError::Unsplittable {
        object: route.clone(),
        why: format!(
            "spec.rules[{index}] gives Service {service} the weight {weight} beside other backends, of which not every percent is whole; multiply all weights of the rule by 100"
        ),
    }
}

fn within_limits(rules: &[Value], route: &RouteName) -> Result<(), RouteError> {
    let matches = rules
        .iter()
        .filter_map(|rule| rule.get("matches")?.as_array())
        .map(Vec::len)
        .sum::<usize>();
    let too_many = |count: usize, what: &str, most: usize| RouteError::Unsplittable {
        object: route.clone(),
        why: format!("with the step's own it would have {count} {what}, and the API allows {most}; use fewer matches"),
    };
    if rules.len() > MOST_RULES {
        return Err(too_many(rules.len(), "rules", MOST_RULES));
    }
    if matches > MOST_MATCHES {
        return Err(too_many(matches, "matches", MOST_MATCHES));
    }
    Ok(())
}

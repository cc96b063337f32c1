//! The rules of a Gateway API route: as its owner wrote them, and with a release's split in them.
//!
//! Both directions go through [`Pristine`]: whatever a rule shows, it is first led back to what its owner wrote, then split anew. So an edit by the
//! owner, or by a GitOps tool, in the middle of a release is taken up like any other.

use api::names::canary_name;
use api::parts::HeaderModifier;
use api::plan::Route;
use api::v1beta1::RouteMatch;
use serde_json::Value;

use super::{RouteType, backends, filters, limits, matches};
use crate::originals::{Original, divided, fingerprint};
use crate::router::{RouteError, RouteName, Sides};

/// The rules as their owner wrote them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pristine {
    pub(super) rules: Vec<Value>,
    /// How many percent each rule that can be split showed for the canary; less than nothing where requests were selected.
    pub(super) shown: Vec<i64>,
}

/// What is to be put into the rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split<'a> {
    pub(super) route_type: RouteType,
    pub(super) sides: Sides<'a>,
    pub(super) route: &'a Route,
    pub(super) modifier: Option<&'a HeaderModifier>,
    /// The object, for messages.
    pub(super) name: &'a RouteName,
}

impl Pristine {
    /// Takes everything of ours out of the rules and puts the recorded weights back.
    pub(super) fn of(rules: &[Value], mut recorded: Vec<Original>, sides: Sides<'_>) -> Self {
        let mut take = |rule: &Value| {
            let rule = fingerprint(rule, backends::FIELD);
            let index = recorded.iter().position(|original| original.rule == rule)?;
            Some(recorded.remove(index).weights)
        };
        let (mut pristine, mut shown) = (Vec::new(), Vec::new());
        let mut selected = false;
        for rule in rules {
            let all = backends::of(rule);
            let canaries = all.iter().filter(|backend| backends::is_canary(backend, sides)).count();
            let split = canaries > 0 || backends::stable_share(rule, sides) > 0;
            let original = split.then(|| take(rule)).flatten();
            // A rule that is known from before the release is its owner's, though the stable backend was taken out of it meanwhile.
            if canaries > 0 && canaries == all.len() && original.is_none() {
                selected = true;
                continue;
            }
            let restored = match canaries {
                0 => rule.clone(),
                _ => restored(rule, original, sides),
            };
            if backends::stable_share(&restored, sides) > 0 {
                shown.push(if selected { -1 } else { backends::percents(rule, sides) });
                selected = false;
            }
            pristine.push(restored);
        }
        Self { rules: pristine, shown }
    }

    /// Why no split can be put into these rules, whatever the step wants.
    pub(super) fn usable(&self, sides: Sides<'_>, route: &RouteName) -> Result<(), RouteError> {
        let leads = |rule: &Value| {
            backends::of(rule)
                .iter()
                .any(|backend| backends::is_stable(backend, sides))
        };
        if !self.rules.iter().any(leads) {
            return Err(RouteError::NoWay {
                object: route.clone(),
                place: "rule",
                service: sides.stable_service.into(),
            });
        }
        let service = sides.stable_service;
        let unsplittable = |why| {
            Err(RouteError::Unsplittable {
                object: route.clone(),
                why,
            })
        };
        if sides.share_a_service() {
            return unsplittable(format!(
                "both versions are behind Service {service}; remove disableGenerateCanaryService"
            ));
        }
        match self.shown.is_empty() {
            true => unsplittable(format!(
                "Service {service} has the weight 0 in every rule that names it; give it a weight"
            )),
            false => Ok(()),
        }
    }

    /// The rules with a split in them, and the record that leads back.
    pub(super) fn split(&self, split: Split<'_>) -> Result<(Vec<Value>, Vec<Original>), RouteError> {
        let (mut rules, mut record) = (Vec::new(), Vec::new());
        for (index, rule) in self.rules.iter().enumerate() {
            if backends::stable_share(rule, split.sides) == 0 {
                rules.push(rule.clone());
                continue;
            }
            match split.route {
                Route::Weight(weight) if weight.percents() == 0 => rules.push(rule.clone()),
                Route::Weight(weight) => {
                    let (rule, original) = split.weighted(rule, weight.percents(), index)?;
                    rules.push(rule);
                    record.push(original);
                }
                Route::Matches(wanted) => {
                    let at = place(&rules, rule, split.sides);
                    rules.splice(at..at, split.selecting(rule, wanted, index)?);
                    rules.push(rule.clone());
                }
            }
        }
        limits::within(&self.rules, &rules, split.name)?;
        Ok((rules, record))
    }
}

/// A split rule as its owner wrote it. Where the record was lost, a share beside other backends is the sum of its parts; a sole one means the same
/// whatever it weighs.
fn restored(rule: &Value, original: Option<Vec<Option<i64>>>, sides: Sides<'_>) -> Value {
    let all = backends::of(rule);
    let stable = all.iter().filter(|backend| backends::is_stable(backend, sides)).count();
    let original = original.filter(|weights| weights.len() == stable);
    let alone = backends::is_alone(rule, sides);
    let mut weights = original.iter().flatten();
    let mut list: Vec<Value> = Vec::new();
    for (index, backend) in all.iter().enumerate() {
        if backends::is_canary(backend, sides) {
            continue;
        }
        let mut backend = backend.clone();
        if backends::is_stable(&backend, sides) {
            let canary = all.get(index + 1).filter(|next| backends::is_canary(next, sides));
            match (weights.next(), canary) {
                (Some(weight), _) => backends::set_weight(&mut backend, *weight),
                (None, _) if alone => backends::set_weight(&mut backend, None),
                (None, Some(canary)) => {
                    let whole = backends::weight(&backend).saturating_add(backends::weight(canary));
                    backends::set_weight(&mut backend, Some(whole));
                }
                (None, None) => {}
            }
        }
        list.push(backend);
    }
    with(rule, backends::FIELD, Value::Array(list))
}

fn with(rule: &Value, field: &str, value: Value) -> Value {
    let mut fields = rule.as_object().cloned().unwrap_or_default();
    fields.insert(field.to_owned(), value);
    Value::Object(fields)
}

/// Where the canary's rules for `rule` go, `before` being all that stand above it: next to it, and among those of other releases in the order of
/// their names, so that two rollouts agree on it.
fn place(before: &[Value], rule: &Value, sides: Sides<'_>) -> usize {
    let names = backends::of(rule).iter();
    let canaries: Vec<String> = names
        .filter_map(|backend| backends::service(backend, sides.namespace))
        .map(canary_name)
        .collect();
    let of_a_later_release = |other: &Value| match backends::of(other) {
        [first, ..] => {
            let name = backends::service(first, sides.namespace).unwrap_or_default();
            let sole = backends::of(other)
                .iter()
                .all(|backend| backends::service(backend, sides.namespace) == Some(name));
            sole && name > sides.canary_service && canaries.iter().any(|canary| canary == name)
        }
        [] => false,
    };
    before.len()
        - before
            .iter()
            .rev()
            .take_while(|other| of_a_later_release(other))
            .count()
}

impl Split<'_> {
    /// The rules that select the canary's requests before `rule` does: a clone of it, narrowed by the step's matches. One, but where a filter
    /// replaces a prefix: the API allows one match only there.
    fn selecting(&self, rule: &Value, wanted: &[RouteMatch], index: usize) -> Result<Vec<Value>, RouteError> {
        let stable: Vec<&Value> = backends::of(rule)
            .iter()
            .filter(|backend| backends::is_stable(backend, self.sides))
            .collect();
        let weight = |backend: &Value| match stable.len() {
            1 => 1,
            _ => backends::weight(backend),
        };
        let canaries = stable
            .iter()
            .map(|backend| backends::renamed(backend, self.sides.canary_service, weight(backend)));
        let mut canary = with(rule, backends::FIELD, canaries.collect());
        if let Some(fields) = canary.as_object_mut() {
            // Names of rules are unique.
            fields.remove("name");
        }
        if let Some(modifier) = self.modifier {
            filters::add(&mut canary, modifier);
        }
        let product = matches::product(rule, wanted, self.route_type);
        if !replaces_a_prefix(&canary) {
            return Ok(vec![with(&canary, "matches", Value::Array(product))]);
        }
        let is_prefix = |one: &Value| one.pointer("/path/type").and_then(Value::as_str) == Some("PathPrefix");
        if !product.iter().all(is_prefix) {
            return Err(RouteError::Unsplittable {
                object: self.name.clone(),
                why: format!(
                    "spec.rules[{index}] replaces the prefix of a path, which a path of another type than PathPrefix does not have; use PathPrefix in the step's matches"
                ),
            });
        }
        let each = product.into_iter();
        Ok(each
            .map(|one| with(&canary, "matches", Value::Array(vec![one])))
            .collect())
    }

    fn weighted(&self, rule: &Value, percents: i32, index: usize) -> Result<(Value, Original), RouteError> {
        let alone = backends::is_alone(rule, self.sides);
        let (mut split, mut weights) = (Vec::new(), Vec::new());
        for backend in backends::of(rule) {
            if !backends::is_stable(backend, self.sides) {
                split.push(backend.clone());
                continue;
            }
            weights.push(backend.get("weight").and_then(Value::as_i64));
            let total = if alone { 100 } else { backends::weight(backend) };
            let (stable, canary) = divided(total, percents).ok_or_else(|| self.indivisible(index, total, percents))?;
            let mut left = backend.clone();
            backends::set_weight(&mut left, Some(stable));
            let mut right = backends::renamed(backend, self.sides.canary_service, canary);
            if let Some(modifier) = self.modifier {
                filters::add(&mut right, modifier);
            }
            split.extend([left, right]);
        }
        let original = Original {
            rule: fingerprint(rule, backends::FIELD),
            weights,
        };
        Ok((with(rule, backends::FIELD, Value::Array(split)), original))
    }

    fn indivisible(&self, index: usize, weight: i64, percents: i32) -> RouteError {
        let service = self.sides.stable_service;
        RouteError::Unsplittable {
            object: self.name.clone(),
            why: format!(
                "spec.rules[{index}] gives Service {service} the weight {weight} beside other backends, and {percents}% of that is not whole; multiply all weights of the rule by 100"
            ),
        }
    }
}

/// Whether a filter of a rule, or of one of its backends, replaces the prefix of a path.
fn replaces_a_prefix(rule: &Value) -> bool {
    let holders = std::iter::once(rule).chain(backends::of(rule));
    let mut filters = holders.filter_map(|holder| holder.get("filters")?.as_array()).flatten();
    filters.any(|filter| {
        ["/urlRewrite/path/type", "/requestRedirect/path/type"]
            .iter()
            .any(|path| filter.pointer(path).and_then(Value::as_str) == Some("ReplacePrefixMatch"))
    })
}

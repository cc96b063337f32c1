//! The rules of a VirtualService: as its owner wrote them, and with a release's split in them.
//!
//! Both directions go through [`Pristine`]: whatever a rule shows, it is first led back to what its owner wrote, then split anew. So an edit by the
//! owner, or by a GitOps tool, in the middle of a release is taken up like any other.

use api::names::canary_name;
use api::parts::HeaderModifier;
use api::plan::Route;
use api::v1beta1::RouteMatch;
use serde_json::Value;

use super::{destinations, headers, matches};
use crate::originals::{Original, divided, fingerprint};
use crate::router::{RouteError, RouteName, Sides};

/// The lists of rules that a VirtualService may have, and whether their requests can be told apart by what they carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Http,
    Tls,
    Tcp,
}

impl Section {
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    /// The field of `spec` that holds the rules.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }

    /// The name by which a rule is known in the record.
    fn known_as(self, rule: &Value) -> String {
        format!("{}-{}", self.field(), fingerprint(rule, destinations::FIELD))
    }
}

/// Sections, each with its rules.
pub(super) type Sections = Vec<(Section, Vec<Value>)>;

/// The rules as their owner wrote them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pristine {
    /// Those of each section that is there.
    pub(super) sections: Sections,
    /// How many percent each rule that can be split showed for the canary; less than nothing where requests were selected.
    pub(super) shown: Vec<i64>,
}

/// What is to be put into the rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) route: &'a Route,
    pub(super) modifier: Option<&'a HeaderModifier>,
    /// The object, for messages.
    pub(super) name: &'a RouteName,
}

impl Pristine {
    /// Takes everything of ours out of the rules and puts the recorded weights back.
    pub(super) fn of(sections: Vec<(Section, &[Value])>, mut recorded: Vec<Original>, sides: Sides<'_>) -> Self {
        let (mut pristine, mut shown) = (Vec::new(), Vec::new());
        for (section, rules) in sections {
            let mut own = Vec::new();
            let mut selected = false;
            for rule in rules {
                let all = destinations::of(rule);
                let canaries = all.iter().filter(|one| destinations::is_canary(one, sides)).count();
                let original = if canaries > 0 || destinations::stable_share(rule, sides) > 0 {
                    let known_as = section.known_as(rule);
                    let index = recorded.iter().position(|original| original.rule == known_as);
                    index.map(|index| recorded.remove(index).weights)
                } else {
                    None
                };
                // A rule that is known from before the release is its owner's, though the stable destination was taken out of it meanwhile.
                if canaries > 0 && canaries == all.len() && original.is_none() {
                    selected = true;
                    continue;
                }
                let restored = match canaries {
                    0 => each(rule, |one| destinations::unpinned(one, sides)),
                    _ => restored(rule, original, sides),
                };
                if destinations::stable_share(&restored, sides) > 0 {
                    shown.push(if selected {
                        -1
                    } else {
                        destinations::percents(rule, sides)
                    });
                    selected = false;
                }
                own.push(restored);
            }
            pristine.push((section, own));
        }
        Self {
            sections: pristine,
            shown,
        }
    }

    /// Why no split can be put into these rules, whatever the step wants.
    pub(super) fn usable(&self, sides: Sides<'_>, name: &RouteName) -> Result<(), RouteError> {
        let service = sides.stable_service;
        let rules = self.sections.iter().flat_map(|(_, rules)| rules);
        let mut all = rules.flat_map(destinations::of);
        if !all.any(|destination| destinations::is_stable(destination, sides)) {
            return Err(RouteError::NoWay {
                object: name.clone(),
                place: "rule",
                service: service.into(),
            });
        }
        if !self.shown.is_empty() {
            return Ok(());
        }
        Err(RouteError::Unsplittable {
            object: name.clone(),
            why: format!("Service {service} has the weight 0 in every rule that names it; give it a weight"),
        })
    }

    /// The rules with a split in them, and the record that leads back.
    pub(super) fn split(&self, split: Split<'_>) -> Result<(Sections, Vec<Original>), RouteError> {
        let (mut sections, mut record, mut selects) = (Vec::new(), Vec::new(), false);
        for (section, own) in &self.sections {
            let mut rules = Vec::new();
            for (index, rule) in own.iter().enumerate() {
                if destinations::stable_share(rule, split.sides) == 0 {
                    rules.push(rule.clone());
                    continue;
                }
                let pinned = || each(rule, |one| destinations::pinned(one, split.sides));
                match (split.route, section) {
                    (Route::Weight(weight), _) if weight.percents() == 0 => rules.push(pinned()),
                    (Route::Weight(weight), _) => {
                        let (rule, original) = split.weighted(*section, rule, weight.percents(), index)?;
                        rules.push(rule);
                        record.push(original);
                    }
                    (Route::Matches(wanted), Section::Http) => {
                        selects = true;
                        let at = place(&rules, rule, split.sides);
                        // Last first: the order that upstream's rules come to stand in.
                        rules.splice(at..at, wanted.iter().rev().map(|wanted| split.selecting(rule, wanted)));
                        rules.push(pinned());
                    }
                    (Route::Matches(_), Section::Tls | Section::Tcp) => rules.push(pinned()),
                }
            }
            sections.push((*section, rules));
        }
        if matches!(split.route, Route::Matches(_)) && !selects {
            return Err(RouteError::Unsplittable {
                object: split.name.clone(),
                why: format!(
                    "no http rule leads to Service {}, and others cannot select requests; use traffic in the step",
                    split.sides.stable_service
                ),
            });
        }
        Ok((sections, record))
    }
}

/// A split rule as its owner wrote it. Where the record was lost, a share beside other destinations is the sum of its parts; a sole one means the
/// same whatever it weighs.
fn restored(rule: &Value, original: Option<Vec<Option<i64>>>, sides: Sides<'_>) -> Value {
    let all = destinations::of(rule);
    let stable = all.iter().filter(|one| destinations::is_stable(one, sides)).count();
    let original = original.filter(|weights| weights.len() == stable);
    let alone = destinations::is_alone(rule, sides);
    let mut weights = original.iter().flatten();
    let mut list: Vec<Value> = Vec::new();
    for (index, destination) in all.iter().enumerate() {
        if destinations::is_canary(destination, sides) {
            continue;
        }
        let mut destination = destinations::unpinned(destination, sides);
        if destinations::is_stable(&destination, sides) {
            let canary = all.get(index + 1).filter(|next| destinations::is_canary(next, sides));
            match (weights.next(), canary) {
                (Some(weight), _) => destinations::set_weight(&mut destination, *weight),
                (None, _) if alone => destinations::set_weight(&mut destination, None),
                (None, Some(canary)) => {
                    let whole = destinations::weight(&destination).saturating_add(destinations::weight(canary));
                    destinations::set_weight(&mut destination, Some(whole));
                }
                (None, None) => {}
            }
        }
        list.push(destination);
    }
    // A rule without any destination is refused by Istio; its owner wrote one.
    if let (true, Some(canary)) = (list.is_empty(), all.first()) {
        list.push(destinations::stable_of(canary, sides));
    }
    with(rule, destinations::FIELD, Value::Array(list))
}

/// A rule with each of its destinations changed.
fn each(rule: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match rule.get(destinations::FIELD) {
        Some(Value::Array(all)) => with(rule, destinations::FIELD, all.iter().map(change).collect()),
        _ => rule.clone(),
    }
}

fn with(rule: &Value, field: &str, value: Value) -> Value {
    let mut fields = rule.as_object().cloned().unwrap_or_default();
    fields.insert(field.to_owned(), value);
    Value::Object(fields)
}

/// Where the canary's rules for `rule` go, `before` being all that stand above it: next to it, and among those of other releases in the order of
/// their names, so that two rollouts agree on it.
fn place(before: &[Value], rule: &Value, sides: Sides<'_>) -> usize {
    let services = destinations::of(rule).iter();
    let canaries: Vec<String> = services
        .filter_map(|one| destinations::service(one, sides.namespace))
        .map(canary_name)
        .collect();
    let of_a_later_release = |other: &&Value| {
        let mut names = destinations::of(other)
            .iter()
            .map(|one| destinations::release(one, sides.namespace));
        let first = names.next().unwrap_or_default();
        names.all(|name| name == first) && first > canary_name(sides.stable_service) && canaries.contains(&first)
    };
    before.len() - before.iter().rev().take_while(of_a_later_release).count()
}

impl Split<'_> {
    /// The rule that selects the canary's requests before `rule` does: a clone of it, narrowed by one of the step's matches.
    fn selecting(&self, rule: &Value, wanted: &RouteMatch) -> Value {
        let stable: Vec<&Value> = destinations::of(rule)
            .iter()
            .filter(|one| destinations::is_stable(one, self.sides))
            .collect();
        let weight = |destination: &Value| (stable.len() > 1).then(|| destinations::weight(destination));
        let canaries = stable
            .iter()
            .map(|one| destinations::canary_of(one, self.sides, weight(one)));
        let mut canary = with(rule, destinations::FIELD, canaries.collect());
        if let Some(fields) = canary.as_object_mut() {
            // Names of rules are for people and metrics, and should tell one rule.
            fields.remove("name");
        }
        if let Some(modifier) = self.modifier {
            headers::add(&mut canary, modifier);
        }
        with(&canary, "match", matches::narrowed(rule, wanted))
    }

    fn weighted(
        &self,
        section: Section,
        rule: &Value,
        percents: i32,
        index: usize,
    ) -> Result<(Value, Original), RouteError> {
        let alone = destinations::is_alone(rule, self.sides);
        let (mut split, mut weights) = (Vec::new(), Vec::new());
        for destination in destinations::of(rule) {
            if !destinations::is_stable(destination, self.sides) {
                split.push(destination.clone());
                continue;
            }
            weights.push(destination.get("weight").and_then(Value::as_i64));
            let total = if alone { 100 } else { destinations::weight(destination) };
            let parts = divided(total, percents);
            let (stable, canary) = parts.ok_or_else(|| self.indivisible(section, index, total, percents))?;
            let mut left = destinations::pinned(destination, self.sides);
            destinations::set_weight(&mut left, Some(stable));
            let mut right = destinations::canary_of(destination, self.sides, Some(canary));
            if let (Some(modifier), Section::Http) = (self.modifier, section) {
                headers::add(&mut right, modifier);
            }
            split.extend([left, right]);
        }
        let original = Original {
            rule: section.known_as(rule),
            weights,
        };
        Ok((with(rule, destinations::FIELD, Value::Array(split)), original))
    }

    fn indivisible(&self, section: Section, index: usize, weight: i64, percents: i32) -> RouteError {
        RouteError::Unsplittable {
            object: self.name.clone(),
            why: format!(
                "spec.{}[{index}] gives Service {} the weight {weight} beside other destinations, and {percents}% of that is not whole; multiply all weights of the rule by 100",
                section.field(),
                self.sides.stable_service
            ),
        }
    }
}

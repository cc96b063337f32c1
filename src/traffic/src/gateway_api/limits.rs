//! How much the Gateway API lets one route say. A split that would say more is told to the user before the API server refuses it.

use serde_json::Value;

use super::backends;
use crate::router::{RouteError, RouteName};

const MOST_RULES: usize = 16;
const MOST_MATCHES_IN_ALL: usize = 128;
/// Matches of one rule.
const MOST_MATCHES: usize = 64;
/// Conditions of one kind in one match, backends or filters of one rule, headers in one list of a filter.
const MOST: usize = 16;

/// Whether a split stays within the limits. What its owner wrote beyond them stays the owner's business.
pub(super) fn within(before: &[Value], after: &[Value], route: &RouteName) -> Result<(), RouteError> {
    let check = |what: &str, before: usize, count: usize, most: usize| {
        if count <= most || count <= before {
            return Ok(());
        }
        Err(RouteError::Unsplittable {
            object: route.clone(),
            why: format!("with the step's own it would have {count} {what}, and the API allows {most}; use fewer"),
        })
    };
    let most_of = |rules: &[Value], count: &dyn Fn(&Value) -> usize| rules.iter().map(count).max().unwrap_or(0);
    check("rules", before.len(), after.len(), MOST_RULES)?;
    let in_all = |rules: &[Value]| rules.iter().map(|rule| list(rule, "/matches").len()).sum();
    for (what, most, count) in COUNTS {
        check(what, most_of(before, count), most_of(after, count), *most)?;
    }
    check(
        "matches in all rules together",
        in_all(before),
        in_all(after),
        MOST_MATCHES_IN_ALL,
    )
}

/// Something that is counted in a rule: what it is, how much of it there may be, and how much there is.
type Count = (&'static str, usize, &'static (dyn Fn(&Value) -> usize + Sync));

const COUNTS: &[Count] = &[
    ("matches in one rule", MOST_MATCHES, &|rule| {
        list(rule, "/matches").len()
    }),
    ("headers in one match", MOST, &|rule| {
        longest(list(rule, "/matches"), "/headers")
    }),
    ("query parameters in one match", MOST, &|rule| {
        longest(list(rule, "/matches"), "/queryParams")
    }),
    ("backends in one rule", MOST, &|rule| backends::of(rule).len()),
    ("filters in one rule", MOST, &|rule| list(rule, "/filters").len()),
    ("filters on one backend", MOST, &|rule| {
        longest(backends::of(rule), "/filters")
    }),
    ("headers in one list of a filter", MOST, &|rule| {
        let nested = backends::of(rule).iter().flat_map(|backend| list(backend, "/filters"));
        let filters: Vec<Value> = list(rule, "/filters").iter().chain(nested).cloned().collect();
        let lists =
            ["/set", "/add", "/remove"].map(|field| longest(&filters, &format!("/requestHeaderModifier{field}")));
        lists.into_iter().max().unwrap_or(0)
    }),
];

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn longest(values: &[Value], pointer: &str) -> usize {
    values.iter().map(|value| list(value, pointer).len()).max().unwrap_or(0)
}

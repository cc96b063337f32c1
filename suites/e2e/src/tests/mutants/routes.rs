//! Mutants that mistreat routes which other people own, select or serve late; each plays behind HTTPRoutes.

use rstest::rstest;
use serde_json::{Value, json};
use suites::routes::Family;
use suites::{Check, Verdict};

use super::layer::{Mutant, Sent, Sight, from_process};
use super::{TrustsPods, verdict_in};
use crate::embedded::Layer;

const ROUTES: &str = "httproutes";

/// Every backend in a list of rules.
fn backends(rules: &mut Value) -> impl Iterator<Item = &mut Value> {
    let rules = rules.as_array_mut().into_iter().flatten();
    rules.flat_map(|rule| {
        rule.get_mut("backendRefs")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
    })
}

/// The rules in what is sent.
fn rules_of(sent: &mut Sent) -> impl Iterator<Item = &mut Value> {
    let ops = sent.body.as_array_mut().into_iter().flatten();
    ops.filter(|op| op["path"] == "/spec/rules").map(|op| &mut op["value"])
}

/// Writes one weight of a Service for another, and reads it back as if it were right.
struct MistakesWeight {
    of: &'static str,
    is: i64,
    writes: i64,
}

impl MistakesWeight {
    fn replace(&self, rules: &mut Value, from: i64, to: i64) {
        for backend in backends(rules) {
            if backend["name"] == self.of && backend["weight"] == from {
                backend["weight"] = json!(to);
            }
        }
    }
}

impl Mutant for MistakesWeight {
    fn sends(&self, sent: &mut Sent) {
        if sent.resource == ROUTES {
            for rules in rules_of(sent) {
                self.replace(rules, self.is, self.writes);
            }
        }
    }

    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == ROUTES {
            self.replace(&mut object["spec"]["rules"], self.writes, self.is);
        }
        Sight::Seen
    }
}

/// Leaves its mark on a route that it has given back.
struct LeavesAMark;

impl Mutant for LeavesAMark {
    fn sends(&self, sent: &mut Sent) {
        if sent.resource == ROUTES
            && let Some(ops) = sent.body.as_array_mut()
        {
            ops.retain(|op| {
                op["op"] != "remove" || !op["path"].as_str().is_some_and(|path| path.starts_with("/metadata"))
            });
        }
    }

    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == ROUTES {
            let is_split = backends(&mut object["spec"]["rules"]).any(|backend| backend["name"] == "echoserver-canary");
            if !is_split && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("annotations");
            }
        }
        Sight::Seen
    }
}

/// Has forgotten which requests the first step selects.
struct ForgetsSelection;

impl Mutant for ForgetsSelection {
    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == "rollouts"
            && let Some(step) = object
                .pointer_mut("/spec/strategy/canary/steps/0")
                .and_then(Value::as_object_mut)
            && step.remove("matches").is_some()
        {
            step.insert("traffic".to_owned(), json!("0%"));
        }
        Sight::Seen
    }
}

/// Does not look at what the gateway reports.
struct LooksAway;

impl Mutant for LooksAway {
    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == ROUTES
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        Sight::Seen
    }
}

#[rstest]
#[case::original_weight(
    "rules-of-others",
    from_process(1, MistakesWeight { of: "echoserver", is: 37, writes: 1 }),
    Check::Inventory,
    "weight: expected 37, is 1"
)]
#[case::backend_of_others(
    "rules-of-others",
    from_process(1, MistakesWeight { of: "neighbour", is: 40, writes: 41 }),
    Check::Weight,
    "it gives 2.970 %"
)]
#[case::mark("rules-of-others", from_process(1, LeavesAMark), Check::Inventory, "annotations")]
#[case::selection(
    "selection-survives-a-restart",
    from_process(2, ForgetsSelection),
    Check::Holds,
    "the gate is shut after a restart"
)]
#[case::weight_for_nobody(
    "canary-without-pods",
    from_process(1, TrustsPods),
    Check::LostRequest,
    "requests were lost"
)]
#[case::grace_alone("late-gateway", from_process(1, LooksAway), Check::Weight, "counts as reached while")]
fn a_mutant_is_caught_behind_an_http_route(
    #[case] scenario: &str,
    #[case] mutant: Layer,
    #[case] check: Check,
    #[case] words: &str,
) {
    let Verdict::Failed(failures) = verdict_in(Family::HttpRoute, scenario, mutant) else {
        panic!("the mutant passed");
    };
    let named = failures
        .iter()
        .any(|failure| failure.check == check && failure.message.contains(words));
    assert!(named, "{failures:#?}");
}

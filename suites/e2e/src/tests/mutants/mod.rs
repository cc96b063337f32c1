//! Mutants of the controller, each caught by the check that names its defect.

mod layer;
mod routes;

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use suites::routes::Family;
use suites::{Check, Verdict};

use crate::embedded::{self, Care, Layer, Play};

use layer::{Mutant, Sent, Sight, from_process};

const WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";
const FORGOTTEN: &str = "example.com/forgotten";
const STATE: &str = "/status/canaryStatus/currentStepState";

/// No defect: the layer alone changes nothing.
struct Faithful;

impl Mutant for Faithful {}

/// Gives the new version ten points more than the step says.
struct TenPointsMore;

impl TenPointsMore {
    fn shift(weight: &mut Value, by: i64) {
        if let Some(points) = weight.as_str().and_then(|text| text.parse::<i64>().ok()) {
            *weight = json!((points + by).to_string());
        }
    }

    fn of(ingress: &mut Value) -> Option<&mut Value> {
        ingress.pointer_mut("/metadata/annotations")?.get_mut(WEIGHT)
    }
}

impl Mutant for TenPointsMore {
    fn sends(&self, sent: &mut Sent) {
        if sent.resource != "ingresses" {
            return;
        }
        for op in sent.body.as_array_mut().into_iter().flatten() {
            if op["path"].as_str().is_some_and(|path| path.ends_with("canary-weight")) {
                Self::shift(&mut op["value"], 10);
            }
        }
        if let Some(weight) = Self::of(&mut sent.body) {
            Self::shift(weight, 10);
        }
    }

    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == "ingresses"
            && let Some(weight) = Self::of(object)
        {
            Self::shift(weight, -10);
        }
        Sight::Seen
    }
}

/// Thinks that it has deleted the canary's objects of one kind.
struct ForgetsToDelete(&'static str);

impl Mutant for ForgetsToDelete {
    fn sends(&self, sent: &mut Sent) {
        if sent.method == Method::DELETE && sent.resource == self.0 {
            sent.method = Method::PATCH;
            "application/merge-patch+json".clone_into(&mut sent.form);
            sent.body = json!({"metadata": {"annotations": {FORGOTTEN: "yes"}}});
        }
    }

    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        let annotations = object.pointer("/metadata/annotations");
        if resource == self.0 && annotations.and_then(|all| all.get(FORGOTTEN)).is_some() {
            Sight::Hidden
        } else {
            Sight::Seen
        }
    }
}

/// Takes a step's state for another.
struct MistakesState {
    is: &'static str,
    reads: &'static str,
}

impl Mutant for MistakesState {
    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        if resource == "rollouts"
            && let Some(state) = object.pointer_mut(STATE)
            && *state == self.is
        {
            *state = json!(self.reads);
        }
        Sight::Seen
    }
}

/// Takes every pod for ready.
struct TrustsPods;

impl Mutant for TrustsPods {
    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        match resource {
            "endpointslices" => {
                let endpoints = object.pointer_mut("/endpoints").and_then(Value::as_array_mut);
                for endpoint in endpoints.into_iter().flatten() {
                    endpoint["conditions"] = json!({"ready": true, "serving": true});
                }
            }
            "deployments" => {
                let replicas = object.pointer("/spec/replicas").cloned().unwrap_or_default();
                if let Some(status) = object.get_mut("status") {
                    for field in ["readyReplicas", "availableReplicas"] {
                        status[field] = replicas.clone();
                    }
                }
            }
            _ => {}
        }
        Sight::Seen
    }
}

/// Gives the routers no time.
struct DropsGrace;

impl Mutant for DropsGrace {
    fn sees(&self, resource: &str, object: &mut Value) -> Sight {
        let routings = "/spec/strategy/canary/trafficRoutings";
        if resource == "rollouts"
            && let Some(all) = object.pointer_mut(routings).and_then(Value::as_array_mut)
        {
            for routing in all {
                routing["gracePeriodSeconds"] = json!(0);
            }
        }
        Sight::Seen
    }
}

fn verdict(scenario: &str, layer: Layer) -> Verdict {
    verdict_in(Family::Ingress, scenario, layer)
}

fn verdict_in(family: Family, scenario: &str, layer: Layer) -> Verdict {
    let care = Care {
        layer: Some(layer),
        ..Care::default()
    };
    embedded::play(&super::scenario(scenario), &Play::new(1).through(family).with(care))
        .report
        .verdict
}

#[rstest]
fn without_a_defect_the_layer_is_not_noticed(
    #[values("walkthrough", "two-step-release", "restart-at-the-gate", "never-ready-image")] scenario: &str,
) {
    assert_eq!(verdict(scenario, from_process(1, Faithful)), Verdict::Passed);
}

#[rstest]
#[case::weight(
    "walkthrough",
    from_process(1, TenPointsMore),
    Check::Weight,
    "the route gives 15 % to the new version; step 1 allows 5 %"
)]
#[case::clean_up_of_the_service(
    "two-step-release",
    from_process(1, ForgetsToDelete("services")),
    Check::Inventory,
    "Service default/echoserver-canary was left behind"
)]
#[case::clean_up_of_the_capacity(
    "two-step-release",
    from_process(1, ForgetsToDelete("deployments")),
    Check::Inventory,
    "was left behind"
)]
#[case::clean_up_of_the_batch_release(
    "two-step-release",
    from_process(1, ForgetsToDelete("batchreleases")),
    Check::Inventory,
    "BatchRelease default/rollouts-demo was left behind"
)]
#[case::approval_after_a_restart(
    "restart-at-the-gate",
    from_process(2, MistakesState { is: "StepReady", reads: "StepPaused" }),
    Check::Approval,
    "step 2"
)]
#[case::gate_after_a_restart(
    "restart-at-the-gate",
    from_process(2, MistakesState { is: "StepPaused", reads: "StepReady" }),
    Check::Gate,
    "the release went on without one"
)]
#[case::route_before_pods(
    "never-ready-image",
    from_process(1, TrustsPods),
    Check::RouteBeforeReady,
    "behind which no pod is ready"
)]
#[case::grace("walkthrough", from_process(1, DropsGrace), Check::Grace, "the grace is 3s")]
fn a_mutant_is_caught_by_the_check_that_names_it(
    #[case] scenario: &str,
    #[case] mutant: Layer,
    #[case] check: Check,
    #[case] words: &str,
) {
    let Verdict::Failed(failures) = verdict(scenario, mutant) else {
        panic!("the mutant passed");
    };
    let named = failures
        .iter()
        .any(|failure| failure.check == check && failure.message.contains(words));
    assert!(named, "{failures:#?}");
}

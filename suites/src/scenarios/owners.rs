//! Routes that have owners: what they wrote stays as they wrote it while a release splits the object, and is there again to the letter when it is over.
//!
//! The defects of Argo's plugin for the Gateway API (field A3), told as a user would notice them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::Ending;
use crate::object::{differences, text};
use crate::routes::Family;
use crate::scenario::{BEAT, Ends, Scenario, Scope};
use crate::{Check, Failure, Feature, Stage, timeouts};

use super::{DEPLOYMENT, FOUR_GATES, INGRESS, NEXT, SERVICE, STABLE, THIRD, approve_to, body, release_to};

const NEIGHBOUR: &str = include_str!("../../../fixtures/beside/neighbour.yaml");
const CART: &str = include_str!("../../../fixtures/beside/cart.yaml");
const SHARED: &str = include_str!("../../../fixtures/beside/shared-ingress.yaml");

const NEEDS: &[Feature] = &[Feature::IngressNginx, Feature::SplitInPlace];

pub(super) fn all() -> Vec<Scenario> {
    vec![
        Scenario {
            id: "rules-of-others".to_owned(),
            requirement: "field A3: backends, filters and weights of others stay as they are, an original weight of 37 comes back, no mark is left",
            features: NEEDS,
            scope: Scope::Namespace,
            manifests: vec![DEPLOYMENT, SERVICE, INGRESS, FOUR_GATES, NEIGHBOUR],
            ends: Ends::Clean,
            beat: BEAT,
            run: body(rules_of_others),
        },
        Scenario {
            id: "two-rollouts-on-one-route".to_owned(),
            requirement: "field A3: two rollouts share a route, and the end of one changes nothing for the other",
            features: NEEDS,
            scope: Scope::Namespace,
            manifests: vec![DEPLOYMENT, SERVICE, SHARED, FOUR_GATES, CART],
            ends: Ends::Clean,
            beat: BEAT,
            run: body(two_rollouts),
        },
    ]
}

/// Rules as an owner may have written them: the release's Service alone but with a weight, beside another's, and a rule that is none of its business.
fn rules(family: Family) -> (&'static str, Value) {
    match family {
        Family::Ingress | Family::HttpRoute => (
            "rules",
            json!([
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/shared"}}],
                    "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-team", "value": "shop"}]}}],
                    "backendRefs": [
                        {"name": "neighbour", "port": 80, "weight": 40},
                        {"name": "echoserver", "port": 80, "weight": 60},
                    ],
                },
                {
                    "matches": [{"path": {"type": "Exact", "value": "/neighbour"}, "headers": [{"name": "x-team", "value": "shop"}]}],
                    "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x-from", "value": "next-door"}]}}],
                    "backendRefs": [{"name": "neighbour", "port": 80}],
                },
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x-debug"]}}],
                    "backendRefs": [{"name": "echoserver", "port": 80, "weight": 37}],
                },
            ]),
        ),
        Family::VirtualService => {
            let to = |host: &str, weight: u64| json!({"destination": {"host": host, "port": {"number": 80}}, "weight": weight});
            (
                "http",
                json!([
                    {
                        "name": "shared",
                        "match": [{"uri": {"prefix": "/shared"}}],
                        "headers": {"request": {"set": {"x-team": "shop"}}},
                        "timeout": "7s",
                        "route": [to("neighbour", 40), to("echoserver", 60)],
                    },
                    {
                        "match": [{"uri": {"exact": "/neighbour"}, "headers": {"x-team": {"exact": "shop"}}}],
                        "headers": {"response": {"add": {"x-from": "next-door"}}},
                        "route": [to("neighbour", 100)],
                    },
                    {
                        "headers": {"request": {"remove": ["x-debug"]}},
                        "route": [to("echoserver", 37)],
                    },
                ]),
            )
        }
    }
}

/// A route without the part of it that a release may write: the backends of its two Services.
fn of_others(route: &Value, service: &str) -> Value {
    let canary = format!("{service}-canary");
    let mut spec = route["spec"].clone();
    for field in ["rules", "http"] {
        let rules = spec.get_mut(field).and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten() {
            for list in ["backendRefs", "route"] {
                if let Some(backends) = rule.get_mut(list).and_then(Value::as_array_mut) {
                    backends.retain(|backend| {
                        let name = match list {
                            "route" => text(backend, "/destination/host"),
                            _ => text(backend, "/name"),
                        };
                        name != service && name != canary
                    });
                }
            }
        }
    }
    spec
}

/// The labels and annotations of a route, and all that it says.
fn all_of(route: &Value) -> Value {
    let metadata = &route["metadata"];
    json!({"labels": metadata["labels"], "annotations": metadata["annotations"], "spec": route["spec"]})
}

async fn is_unchanged(stage: &Stage, before: &Value, part: impl Fn(&Value) -> Value) -> Result<(), Failure> {
    let name = stage.route();
    let now = stage.read(&name).await?;
    let lines = differences(&part(before), &part(&now));
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(Check::Inventory, format!("{name}: {}", lines.join("; ")))),
    }
}

async fn rules_of_others(stage: Stage) -> Result<(), Failure> {
    let before = stage
        .rewrite(&stage.route(), |spec| {
            let (field, rules) = rules(stage.bed().family());
            spec[field] = rules;
        })
        .await?;
    let shared = stage.asking("/shared");
    stage.share_becomes(&shared, THIRD, 40).await?;
    let of_others = |route: &Value| of_others(route, "echoserver");

    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    for (step, weight, of_shared) in [(1, 5, 3), (2, 40, 24)] {
        if step > 1 {
            approve_to(&stage, step - 1, step).await?;
        }
        stage.weight_is(weight).await?;
        stage.share_becomes(&shared, NEXT, of_shared).await?;
        stage.share_becomes(&shared, THIRD, 40).await?;
        is_unchanged(&stage, &before, of_others).await?;
    }
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    is_unchanged(&stage, &before, all_of).await?;

    release_to(&stage, NEXT, 4).await?;
    stage.weight_is(80).await?;
    stage.share_becomes(&shared, NEXT, 48).await?;
    is_unchanged(&stage, &before, of_others).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    is_unchanged(&stage, &before, all_of).await?;
    stage.share_becomes(&shared, NEXT, 60).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn two_rollouts(stage: Stage) -> Result<(), Failure> {
    let cart = stage.beside("cart", "/cart").await?;
    let before = stage.read(&stage.route()).await?;
    release_to(&stage, NEXT, 1).await?;
    release_to(&cart, NEXT, 1).await?;
    stage.weight_is(5).await?;
    cart.weight_is(20).await?;
    approve_to(&stage, 1, 2).await?;
    stage.weight_is(40).await?;
    cart.weight_is(20).await?;

    // One ends while the other stands at its gate.
    stage.jump(4).await?;
    stage.until_paused_at(4).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await?;
    cart.holds_seen(
        "the other release stands where it stood",
        Duration::from_secs(60),
        |seen| seen.waits_at(1) && seen.weight == 20,
    )
    .await?;
    cart.weight_is(20).await?;
    cart.approve_within(timeouts::APPROVAL).await?;
    cart.until_paused_at(2).await?;
    cart.weight_is(50).await?;

    // The first begins again, and the other goes back meanwhile.
    release_to(&stage, THIRD, 1).await?;
    stage.weight_is(5).await?;
    cart.roll_back(STABLE).await?;
    cart.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.weight_is(5).await?;
    stage.roll_back(NEXT).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    is_unchanged(&stage, &before, all_of).await?;
    cart.all_answers_come_from(STABLE).await?;
    stage.all_answers_come_from(NEXT).await
}

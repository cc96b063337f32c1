//! Both versions behind one Service: a release makes subsets of it, beside those that the owner has, and takes them away again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::Ending;
use crate::object::differences;
use crate::scenario::{BEAT, Ends, Scenario, Scope};
use crate::{Check, Failure, Feature, ObjectRef, Stage};

use super::{DEPLOYMENT, INGRESS, NEXT, SERVICE, STABLE, approve_to, body, release_to};

const ROLLOUT: &str = include_str!("../../../fixtures/rollouts/one-service.yaml");
const RULE: &str = include_str!("../../../fixtures/beside/destination-rule.yaml");

const VERSION: &str = "networking.istio.io/v1";

pub(super) fn all() -> Vec<Scenario> {
    vec![Scenario {
        id: "one-service-by-subsets".to_owned(),
        requirement: "issue 12 §1: subsets of one Service through a rollback and a whole release; the owner's subset and its policy stay",
        features: &[Feature::IngressNginx, Feature::Subsets],
        scope: Scope::Namespace,
        manifests: vec![DEPLOYMENT, SERVICE, INGRESS, RULE, ROLLOUT],
        ends: Ends::Clean,
        beat: BEAT,
        run: body(one_service),
    }]
}

async fn one_service(stage: Stage) -> Result<(), Failure> {
    let route = stage.route();
    let rule = stage.named(VERSION, "DestinationRule", "echoserver");
    let own_route = stage
        .rewrite(&route, |spec| {
            spec["http"][0]["route"][0]["destination"]["subset"] = json!("everyone");
        })
        .await?;
    let own_rule = stage.read(&rule).await?;
    let is_back = async || {
        is_as_before(&stage, &route, &own_route).await?;
        is_as_before(&stage, &rule, &own_rule).await
    };

    release_to(&stage, NEXT, 1).await?;
    stage.weight_is(5).await?;
    keeps_the_policy(&stage, &rule, &own_rule).await?;
    approve_to(&stage, 1, 2).await?;
    stage.weight_is(40).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    is_back().await?;
    stage.all_answers_come_from(STABLE).await?;

    release_to(&stage, NEXT, 4).await?;
    stage.weight_is(80).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    is_back().await?;
    stage.all_answers_come_from(NEXT).await
}

/// The owner's subset is as it was, and the two of the release that stand in its place have its policy.
async fn keeps_the_policy(stage: &Stage, rule: &ObjectRef, before: &Value) -> Result<(), Failure> {
    let own = &before["spec"]["subsets"][0];
    let now = stage.read(rule).await?;
    for name in ["everyone", "everyone--stable", "everyone--canary"] {
        let mut subsets = now["spec"]["subsets"].as_array().into_iter().flatten();
        let policy = subsets
            .find(|subset| subset["name"] == name)
            .map(|subset| &subset["trafficPolicy"]);
        if policy != Some(&own["trafficPolicy"]) {
            let message = format!("{rule}: subset {name} is to have the policy of subset everyone: {now}");
            return Err(Failure::new(Check::Inventory, message));
        }
    }
    Ok(())
}

async fn is_as_before(stage: &Stage, name: &ObjectRef, before: &Value) -> Result<(), Failure> {
    let now = stage.read(name).await?;
    let lines = differences(&before["spec"], &now["spec"]);
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(Check::Inventory, format!("{name}: {}", lines.join("; ")))),
    }
}

//! Gateways that follow late, and gateways under whose weight the pods go away.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, Stage, timeouts};

use super::{DEPLOYMENT, FOUR_GATES, NEXT, STABLE, release, release_to};

const NO_DRAIN: &str = include_str!("../../../fixtures/echoserver/no-drain.yaml");
const SLOW_START: &str = include_str!("../../../fixtures/echoserver/slow-start.yaml");
const TO_ALL: &str = include_str!("../../../fixtures/rollouts/to-all.yaml");

/// What was measured on ingress-nginx for a write that comes soon after another: more than the default grace.
const LATE: (Duration, Duration) = (Duration::from_millis(3_300), Duration::from_secs(4));

/// How far an exact share may be from the weight: rounding only.
const ROUNDING: f64 = 1e-9;

pub(super) fn all() -> Vec<Scenario> {
    let mut late = release(
        "late-gateway",
        "issue 12 §2: a weight that is visible late does not count as reached on a grace of 3 s where the gateway tells, and nothing is lost",
        TO_ALL,
        late,
    );
    late.features = &[Feature::IngressNginx, Feature::SlowGateway, Feature::ExactSplit];
    let mut without = release(
        "canary-without-pods",
        "issue 12 §2: a canary Service that loses all of its endpoints loses its weight at once, and gets it again with its pods",
        FOUR_GATES,
        without_pods,
    );
    for (scenario, deployment) in [(&mut late, NO_DRAIN), (&mut without, SLOW_START)] {
        for manifest in &mut scenario.manifests {
            if *manifest == DEPLOYMENT {
                *manifest = deployment;
            }
        }
    }
    vec![late, without]
}

/// Where the gateway reports what it has taken in, the step's weight is in force by now; elsewhere nobody can look.
async fn is_in_force(stage: &Stage, percent: u32) -> Result<(), Failure> {
    if !stage.bed().features().contains(&Feature::GatewayApi) {
        return Ok(());
    }
    let shown = stage.share_of(stage.question(), NEXT).await.unwrap_or_default();
    match (shown - f64::from(percent) / 100.0).abs() < ROUNDING {
        true => Ok(()),
        false => Err(Failure::new(
            Check::Weight,
            format!(
                "the step of {percent} % counts as reached while the gateway gives {:.1} %",
                shown * 100.0
            ),
        )),
    }
}

async fn late(stage: Stage) -> Result<(), Failure> {
    stage.bed().slow_gateway(LATE.0, LATE.1);
    release_to(&stage, NEXT, 1).await?;
    is_in_force(&stage, 20).await?;
    stage.weight_is(20).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await?;

    release_to(&stage, NEXT, 1).await?;
    is_in_force(&stage, 20).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn without_pods(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    stage.weight_is(40).await?;
    let gone = stage.pods_that_run(NEXT).await?;
    // Nobody can write a route before its pods are ended, and what the gateway sends there until it has followed may be lost.
    stage.forgive_lost();
    for pod in &gone {
        stage.end_pod(pod).await?;
    }
    stage
        .until_seen("the weight is taken from nobody", timeouts::APPROVAL, |seen| {
            seen.waits_at(2) && seen.weight == 0
        })
        .await?;
    stage
        .until("another pod has the weight", timeouts::STEP, || async {
            // The ledger holds what became of it.
            let _ = stage.0.probe.ask(stage.question()).await;
            let seen = stage.observe().await?;
            let pods = stage.pods_that_run(NEXT).await?;
            let ready = stage.ready_pods(NEXT).await?;
            let is_new = ready == gone.len() && pods.iter().all(|pod| !gone.contains(pod));
            Ok(match is_new && seen.waits_at(2) && seen.weight == 40 {
                true => Ok(()),
                false => Err(format!("{ready} are ready; {seen}")),
            })
        })
        .await?;
    stage.weight_is(40).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

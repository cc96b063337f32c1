//! What a release needs is missing: an image that works, the Service, the Ingress. Users notice nothing, and the way back is open.

use std::time::Duration;

use crate::dialect::{Ending, Phase};
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, Stage, timeouts};

use super::{FOUR_GATES, NEVER_READY, NEXT, STABLE, release};

const MISSING_SERVICE: &str = include_str!("../../../fixtures/rollouts/missing-service.yaml");
const MISSING_INGRESS: &str = include_str!("../../../fixtures/rollouts/missing-ingress.yaml");
const LATE_INGRESS: &str = include_str!("../../../fixtures/rollouts/late-ingress.yaml");

pub(super) fn all() -> Vec<Scenario> {
    vec![
        release(
            "never-ready-image",
            "issue §5: an image that never becomes ready gets no traffic",
            FOUR_GATES,
            never_ready,
        ),
        release(
            "missing-service",
            "issue §5: missing Service; contract C104",
            MISSING_SERVICE,
            missing_service,
        ),
        release(
            "missing-ingress",
            "issue §5: missing Ingress; contract C104",
            MISSING_INGRESS,
            missing_ingress,
        ),
    ]
}

async fn never_ready(stage: Stage) -> Result<(), Failure> {
    stage.release(NEVER_READY).await?;
    stage
        .until_seen("the release begins", timeouts::STEP, |seen| {
            seen.phase == Phase::Progressing
        })
        .await?;
    stage
        .holds_seen("it waits for ready pods", Duration::from_secs(900), |seen| {
            seen.phase == Phase::Progressing && seen.step <= 1 && seen.weight == 0
        })
        .await?;
    stage.all_answers_come_from(STABLE).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.no_pod_runs(NEVER_READY).await
}

async fn missing_service(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    says(&stage, "echoserver-absent").await?;
    stage
        .holds("no pod is started", Duration::from_secs(60), || async {
            Ok(match stage.pods_that_run(NEXT).await?.as_slice() {
                [] => Ok(()),
                [..] => Err("there is one".to_owned()),
            })
        })
        .await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

async fn missing_ingress(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    says(&stage, "echoserver-late").await?;
    stage.apply(LATE_INGRESS).await?;
    stage.until_paused_at(1).await?;
    // The late Ingress has a host of its own: users of the first one are not in this release.
    let mut late = stage.question().clone();
    late.host = stage.bed().host("late.example.com");
    stage.share_becomes(&late, NEXT, 5).await?;
    if stage.bed().features().contains(&Feature::RoutesApart) {
        stage.all_answers_come_from(STABLE).await?;
    } else if stage.all_answers_come_from(STABLE).await.is_err() {
        // Some gateways split whatever leads to the Service, and which one it is may not be known; then these users get the step's share, and no more.
        stage.share_becomes(stage.question(), NEXT, 5).await?;
    }
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

/// The release tells what it misses, by name.
async fn says(stage: &Stage, name: &str) -> Result<(), Failure> {
    stage
        .until_seen(&format!("the message names {name}"), Duration::from_secs(30), |seen| {
            seen.message.contains(name)
        })
        .await
        .map(drop)
        .map_err(|failure| Failure::new(Check::Refusal, failure.message))
}

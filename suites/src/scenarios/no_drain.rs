//! Pods that stop at once when they are told to: whoever takes them away must know that nobody is sent to them any more, however late the
//! gateway is.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Stage};

use super::{DEPLOYMENT, NEXT, STABLE, release, release_to};

const NO_DRAIN: &str = include_str!("../../../fixtures/echoserver/no-drain.yaml");
const TO_ALL: &str = include_str!("../../../fixtures/rollouts/to-all.yaml");

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![
        release(
            "no-drain-to-the-end",
            "a release that ends at all of the traffic loses nothing, also while the workload itself rolls",
            TO_ALL,
            to_the_end,
        ),
        release(
            "no-drain-rollback",
            "capacity goes only after the gateway has followed, up to 4.3 s after a write that comes soon after another",
            TO_ALL,
            back,
        ),
    ];
    for scenario in &mut all {
        for manifest in &mut scenario.manifests {
            if *manifest == DEPLOYMENT {
                *manifest = NO_DRAIN;
            }
        }
    }
    all
}

async fn to_the_end(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 1).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn back(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 1).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

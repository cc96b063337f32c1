//! The gate: it holds as long as nobody opens it, and an approval opens the one that was looked at.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, Stage, timeouts};

use super::{ARTICLE, FOUR_GATES, NEXT, STABLE, THIRD, release, release_to};

pub(super) fn all() -> Vec<Scenario> {
    let mut held = release(
        "gate-held-for-an-hour",
        "issue §5: held for an hour, after which approve works within 5 s",
        ARTICLE,
        held,
    );
    held.features = &[Feature::IngressNginx, Feature::VirtualTime];
    vec![
        held,
        release(
            "approve-twice",
            "issue §5: approve twice; design, Approval is bound",
            FOUR_GATES,
            twice,
        ),
        release(
            "approve-an-older-step",
            "issue §5: approve by somebody who looked at an older step",
            FOUR_GATES,
            older_step,
        ),
        release(
            "approve-an-older-image",
            "design, Approval is bound to step, revision and state",
            FOUR_GATES,
            older_image,
        ),
        release(
            "approve-when-nothing-waits",
            "issue, Bad input: an approve on a rollout that is not waiting",
            ARTICLE,
            nothing_waits,
        ),
        release(
            "pause-and-resume",
            "issue §4: pausing the whole rollout; contract C116",
            FOUR_GATES,
            pause_and_resume,
        ),
        release(
            "rollback-while-paused",
            "contract §11.4: a paused rollout still rolls back",
            FOUR_GATES,
            rollback_while_paused,
        ),
    ]
}

async fn held(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    stage
        .holds_seen("the gate is shut", Duration::from_secs(3600), |seen| {
            seen.waits_at(1) && seen.weight == 5
        })
        .await?;
    stage.weight_is(5).await?;
    stage.approve_within(timeouts::APPROVAL).await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn twice(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    let seen = stage.until_paused_at(1).await?;
    stage.approve_as_seen(&seen).await?;
    is_refused(&stage, &seen).await?;
    stage.until_paused_at(2).await?;
    is_refused(&stage, &seen).await?;
    stands_at(&stage, 2).await?;
    stage.weight_is(40).await?;
    roll_back(&stage).await
}

async fn older_step(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    let seen = stage.until_paused_at(1).await?;
    stage.approve().await?;
    stage.until_paused_at(2).await?;
    is_refused(&stage, &seen).await?;
    stands_at(&stage, 2).await?;
    stage.weight_is(40).await?;
    roll_back(&stage).await
}

async fn older_image(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    let seen = stage.until_paused_at(1).await?;
    stage.release(THIRD).await?;
    stage
        .until_seen("paused at step 1 of the third image", timeouts::STEP, |now| {
            now.waits_at(1) && now.revision != seen.revision
        })
        .await?;
    is_refused(&stage, &seen).await?;
    stands_at(&stage, 1).await?;
    stage.weight_is(5).await?;
    roll_back(&stage).await
}

async fn nothing_waits(stage: Stage) -> Result<(), Failure> {
    let seen = stage.observe().await?;
    is_refused(&stage, &seen).await?;
    stage
        .holds_seen("nothing begins", Duration::from_secs(30), |now| {
            now.phase == seen.phase && now.state == seen.state
        })
        .await
}

async fn pause_and_resume(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    let seen = stage.observe().await?;
    stage.pause().await?;
    stage
        .until_seen("the pause is seen", timeouts::APPROVAL, |seen| seen.is_current)
        .await?;
    stage
        .holds_seen("the rollout stands still", Duration::from_secs(60), |now| {
            now.step == 2 && now.weight == 40
        })
        .await?;
    stage.weight_is(40).await?;
    stage.resume().await?;
    let back = stage.until_paused_at(2).await?;
    if back.revision != seen.revision {
        return Err(Failure::new(Check::Gate, "resuming the rollout changed the revision"));
    }
    stage.approve().await?;
    stage.until_paused_at(3).await?;
    stage.weight_is(60).await?;
    roll_back(&stage).await
}

async fn rollback_while_paused(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    stage.pause().await?;
    stage
        .until_seen("the pause is seen", timeouts::APPROVAL, |seen| seen.is_current)
        .await?;
    roll_back(&stage).await
}

async fn is_refused(stage: &Stage, seen: &crate::dialect::Observation) -> Result<(), Failure> {
    match stage.approve_as_seen(seen).await {
        Ok(()) => Err(Failure::new(
            Check::Gate,
            format!("an approval of {seen} was accepted, though the release is not there"),
        )),
        // A failed test of a JSON Patch is 422; some servers say 400 or 409.
        Err(refusal) if matches!(refusal.code, 400 | 409 | 422) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

async fn stands_at(stage: &Stage, step: u32) -> Result<(), Failure> {
    stage
        .holds_seen("the gate is shut", Duration::from_secs(60), |seen| seen.waits_at(step))
        .await
}

async fn roll_back(stage: &Stage) -> Result<(), Failure> {
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

//! The controller is killed and another one started, at the gate and in a timed pause.

use std::time::Duration;

use crate::dialect::{Ending, Gate};
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, Stage, timeouts};

use super::{FOUR_GATES, NEXT, TIMED, approve_to, release, release_to};

const NEEDS: &[Feature] = &[Feature::IngressNginx, Feature::RestartController];

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![
        release(
            "restart-at-the-gate",
            "issue §5: controller restarted at the gate; contract C128",
            FOUR_GATES,
            at_the_gate,
        ),
        release(
            "restart-in-a-timed-pause",
            "design, Decide, then act: timers are derived from what is stored",
            TIMED,
            in_a_pause,
        ),
    ];
    for scenario in &mut all {
        scenario.features = NEEDS;
    }
    all
}

async fn at_the_gate(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    stage.restart_controller().await?;
    stage
        .holds_seen("the gate is shut after a restart", Duration::from_secs(120), |seen| {
            seen.waits_at(2) && seen.weight == 40
        })
        .await?;
    stage.weight_is(40).await?;
    stage.approve_within(timeouts::APPROVAL).await?;
    stage.until_paused_at(3).await?;
    stage.restart_controller().await?;
    stage.weight_is(60).await?;
    approve_to(&stage, 3, 4).await?;
    stage.approve().await?;
    stage.restart_controller().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn in_a_pause(stage: Stage) -> Result<(), Failure> {
    let clock = stage.bed().env().clock().clone();
    stage.release(NEXT).await?;
    stage
        .until_seen("paused at step 3", Duration::from_secs(240), |seen| seen.waits_at(3))
        .await?;
    let begin = clock.elapsed();
    let seen = stage.observe().await?;
    let Some(Gate::After(asked)) = seen.planned().map(|planned| planned.gate) else {
        return Err(Failure::new(
            Check::Cluster,
            format!("step 3 has no timed pause: {seen}"),
        ));
    };
    stage
        .holds_seen("the pause lasts", asked / 2, |seen| seen.waits_at(3))
        .await?;
    stage.restart_controller().await?;
    stage
        .until_seen("the pause ends", asked, |seen| !seen.waits_at(3))
        .await?;
    let lasted = clock.elapsed().since(begin);
    if lasted > asked + Duration::from_secs(10) {
        return Err(Failure::new(
            Check::PauseLength,
            format!("the pause lasted {lasted:?} with a restart in it; {asked:?} were asked"),
        ));
    }
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

//! Timed pauses: never shorter than asked, and not much longer.

use std::time::Duration;

use crate::dialect::{Ending, Gate};
use crate::scenario::Scenario;
use crate::{Check, Failure, Stage};

use super::{NEXT, TIMED, release};

/// By how much a pause may be longer than asked: pods, routes and grace of the steps around it are not counted, since it is measured
/// from pause to the next weight.
const LATE: Duration = Duration::from_secs(30);

pub(super) fn all() -> Vec<Scenario> {
    vec![release(
        "timed-pauses",
        "issue §5: timed pauses, never shorter than asked; contract C107",
        TIMED,
        timed,
    )]
}

async fn timed(stage: Stage) -> Result<(), Failure> {
    let clock = stage.bed().env().clock().clone();
    stage.release(NEXT).await?;
    for (step, weight) in [(1, 10), (2, 50), (3, 90)] {
        let seen = stage
            .until_seen(
                &format!("paused at step {step}"),
                crate::timeouts::STEP + LATE,
                |seen| seen.waits_at(step),
            )
            .await?;
        let begin = clock.elapsed();
        if step > 1 {
            stage.weight_is(weight).await?;
        }
        let Some(Gate::After(asked)) = seen.planned().map(|planned| planned.gate) else {
            return Err(Failure::new(
                Check::Cluster,
                format!("step {step} has no timed pause: {seen}"),
            ));
        };
        stage
            .until_seen("the pause ends", asked + LATE, |seen| !seen.waits_at(step))
            .await?;
        let lasted = clock.elapsed().since(begin);
        if lasted > asked + LATE {
            return Err(Failure::new(
                Check::PauseLength,
                format!("the pause of step {step} lasted {lasted:?}; {asked:?} were asked"),
            ));
        }
    }
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

//! The article's walkthrough, and the two-step release by whose writes controllers are compared.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Failure, Feature, Stage};

use super::{ARTICLE, NEXT, STABLE, THIRD, release};

const TWO_STEPS: &str = include_str!("../../../fixtures/rollouts/two-steps.yaml");

pub(super) fn all() -> Vec<Scenario> {
    let mut quiet = release(
        "quiet-for-an-hour",
        "issue §5: no writes when idle, before a release and after it",
        ARTICLE,
        quiet,
    );
    quiet.features = &[Feature::IngressNginx, Feature::VirtualTime, Feature::CountWrites];
    vec![
        release(
            "walkthrough",
            "article, Canary Release Walkthrough 1–5: canary, approval, promotion, rollback",
            ARTICLE,
            walkthrough,
        ),
        release(
            "two-step-release",
            "issue §5: at most 28 writes by the controller; contract C105, C106, C110",
            TWO_STEPS,
            two_steps,
        ),
        quiet,
    ]
}

async fn walkthrough(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    stage.weight_is(5).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await?;

    stage.release(THIRD).await?;
    stage.until_paused_at(1).await?;
    stage.weight_is(5).await?;
    stage.roll_back(NEXT).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await?;
    stage.no_pod_runs(THIRD).await?;
    stage.no_pod_runs(STABLE).await
}

async fn quiet(stage: Stage) -> Result<(), Failure> {
    let hour = Duration::from_secs(3600);
    stage.is_quiet(hour).await?;
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.is_quiet(hour).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn two_steps(stage: Stage) -> Result<(), Failure> {
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    stage.weight_is(5).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::from_secs(1)).await?;
    stage.all_answers_come_from(NEXT).await
}

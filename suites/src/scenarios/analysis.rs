//! Metric analysis: a good version goes on by itself, a bad one is held or taken back, and what cannot be measured never counts as good.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::Ending;
use crate::metrics::Answers;
use crate::object::text;
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, PatchKind, Stage};

use super::{DEPLOYMENT, FAULTY, INGRESS, NEXT, SERVICE, STABLE, release};

const TEMPLATE: &str = include_str!("../../../fixtures/article/analysis-template.yaml");
const BACKGROUND: &str = include_str!("../../../fixtures/analysis/background.yaml");
const ROLLBACK: &str = include_str!("../../../fixtures/analysis/background-rollback.yaml");
const GATE: &str = include_str!("../../../fixtures/analysis/gate.yaml");

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![
        background(
            "analysis-lets-a-good-version-go-on",
            "article: the printed template judges all along; its pauses pass as without it",
            BACKGROUND,
            good,
        ),
        background(
            "analysis-holds-a-bad-version",
            "article: below its threshold the rollout pauses",
            BACKGROUND,
            held,
        ),
        background(
            "analysis-takes-a-bad-version-back",
            "onFailure: Rollback: traffic goes back at once, and nothing starts again by itself",
            ROLLBACK,
            taken_back,
        ),
        gate(
            "analysis-opens-a-gate",
            "pause: {untilAnalysis: true} goes on when the analysis is successful; no measurement is lost or made twice over a restart",
            restarted,
        ),
        gate(
            "analysis-outage-and-another-try",
            "an outage of the metric server is told apart from a bad version; rollout retry measures anew",
            outage,
        ),
    ];
    for (id, answers) in [
        ("analysis-of-nothing", Answers::Nothing),
        ("analysis-of-no-number", Answers::NotANumber),
        ("analysis-of-an-error", Answers::Failing),
        ("analysis-of-silence", Answers::Silent),
        ("analysis-of-a-strange-answer", Answers::Malformed),
    ] {
        all.push(gate(
            id,
            "failing closed: what cannot be measured is never taken for success",
            move |stage| never_good(stage, answers),
        ));
    }
    all
}

fn background<F>(
    id: &str,
    requirement: &'static str,
    rollout: &'static str,
    run: impl Fn(Stage) -> F + Send + Sync + 'static,
) -> Scenario
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut scenario = gate(id, requirement, run);
    scenario.manifests = vec![DEPLOYMENT, SERVICE, INGRESS, TEMPLATE, rollout];
    scenario
}

fn gate<F>(id: &str, requirement: &'static str, run: impl Fn(Stage) -> F + Send + Sync + 'static) -> Scenario
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut scenario = release(id, requirement, GATE, run);
    scenario.features = &[
        Feature::IngressNginx,
        Feature::Metrics,
        Feature::VirtualTime,
        Feature::RestartController,
    ];
    scenario
}

/// The message of the Rollout comes to hold these words.
async fn says(stage: &Stage, within: Duration, words: &str) -> Result<(), Failure> {
    stage
        .until_seen(&format!("the rollout says \"{words}\""), within, |seen| {
            seen.message.contains(words)
        })
        .await
        .map(drop)
}

/// What the Rollout's status says of the current release.
async fn sub_status(stage: &Stage) -> Result<Value, Failure> {
    let rollout = stage.read(&stage.dialect().rollout()).await?;
    Ok(rollout.pointer("/status/canaryStatus").cloned().unwrap_or_default())
}

async fn good(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Measured);
    stage.release(NEXT).await?;
    stage.until_ended(Ending::Completed, Duration::from_secs(2400)).await?;
    let queries = stage.bed().queries();
    // Half an hour and ten minutes, one look every five.
    if !(7..=10).contains(&queries) {
        return Err(Failure::new(
            Check::Cluster,
            format!("{queries} queries in forty minutes, one every five"),
        ));
    }
    stage.all_answers_come_from(NEXT).await
}

/// Releases a version that answers with errors, until the analysis has found it bad.
async fn release_faulty(stage: &Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Measured);
    stage.forgive_lost_for(4 * HOUR);
    stage.release(FAULTY).await?;
    // The fourth bad measurement, five minutes after each other, is one too many.
    says(stage, Duration::from_secs(1500), "found the new version bad").await
}

async fn held(stage: Stage) -> Result<(), Failure> {
    release_faulty(&stage).await?;
    stage
        .holds_seen("the step is held", 2 * HOUR, |seen| {
            seen.waits_at(1) && seen.weight == 50
        })
        .await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

async fn taken_back(stage: Stage) -> Result<(), Failure> {
    release_faulty(&stage).await?;
    stage
        .until_seen("the traffic is back", MINUTE, |seen| seen.weight == 0)
        .await?;
    stage.all_answers_come_from(STABLE).await?;
    stage
        .holds_seen("nothing starts again by itself", HOUR, |seen| {
            seen.weight == 0 && seen.step == 1
        })
        .await?;
    let state = sub_status(&stage).await?;
    if text(&state, "/currentStepState") != "StepAborted" {
        return Err(Failure::new(
            Check::Cluster,
            format!("the step is {state}, not StepAborted"),
        ));
    }
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

async fn restarted(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Value(0.99));
    stage.release(NEXT).await?;
    says(&stage, MINUTE, "metrics are judged").await?;
    stage
        .holds_seen("the gate is shut", Duration::from_secs(150), |seen| seen.step == 1)
        .await?;
    stage.restart_controller().await?;
    stage.until_paused_at(2).await?;
    let queries = stage.bed().queries();
    if queries != 5 {
        return Err(Failure::new(
            Check::Cluster,
            format!("{queries} queries for five measurements"),
        ));
    }
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn outage(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Failing);
    stage.release(NEXT).await?;
    says(&stage, 10 * MINUTE, "could not measure").await?;
    stage.until_paused_at(1).await?;
    stage.bed().metrics(Answers::Value(1.0));
    let again = json!([
        {"op": "test", "path": "/status/canaryStatus/currentStepState", "value": "StepPaused"},
        {"op": "replace", "path": "/status/canaryStatus/currentStepState", "value": "StepMetricsAnalysis"},
    ]);
    let rollout = stage.dialect().rollout();
    stage
        .kubernetes()
        .patch(&rollout, Some("status"), PatchKind::Json, &again)
        .await?;
    stage
        .until_seen("the second gate", 10 * MINUTE, |seen| seen.waits_at(2))
        .await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn never_good(stage: Stage, answers: Answers) -> Result<(), Failure> {
    stage.bed().metrics(answers);
    stage.release(NEXT).await?;
    says(&stage, MINUTE, "metrics are judged").await?;
    stage
        .holds_seen("the first gate is shut", 2 * HOUR, |seen| seen.step <= 1)
        .await?;
    let state = sub_status(&stage).await?;
    let phase = text(&state, "/currentStepAnalysis/phase");
    // No number fulfils no condition, so that it may also count as bad.
    if !matches!(phase, "Error" | "Inconclusive" | "Failed") {
        return Err(Failure::new(Check::Cluster, format!("{answers:?} was judged {phase}")));
    }
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

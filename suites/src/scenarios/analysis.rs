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
const PROMOTION: &str = include_str!("../../../fixtures/analysis/promotion.yaml");
const SHORT_STEP: &str = include_str!("../../../fixtures/analysis/short-step.yaml");
const SCRAPED: &str = include_str!("../../../fixtures/analysis/scraped.yaml");
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
    let mut promoted = gate(
        "analysis-around-a-promotion",
        "before promotion the last split stays until the verdict; after it a version that turns bad goes, and the one before serves at once",
        promoted,
    );
    promoted.manifests = vec![DEPLOYMENT, SERVICE, INGRESS, PROMOTION];
    all.push(promoted);
    let mut unmeasured = gate(
        "analysis-of-a-short-step",
        "failing closed: nothing is promoted that its analysis has not seen to be good, however short the steps are",
        unmeasured,
    );
    unmeasured.manifests = vec![DEPLOYMENT, SERVICE, INGRESS, SHORT_STEP];
    all.push(unmeasured);
    let mut scraped = release(
        "analysis-by-a-real-prometheus",
        "what a real Prometheus scrapes of a real proxy leads to the same verdicts: a bad version goes, a good one stays",
        SCRAPED,
        scraped,
    );
    scraped.features = &[Feature::IngressNginx, Feature::ScrapedGateway];
    // A rate needs something to count in each of its windows.
    scraped.beat = Duration::from_millis(200);
    all.push(scraped);
    if let Some(restarted) = all.iter_mut().find(|scenario| scenario.id == "analysis-opens-a-gate") {
        restarted.features = &[Feature::IngressNginx, Feature::Metrics, Feature::RestartController];
    }
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
    scenario.features = &[Feature::IngressNginx, Feature::Metrics];
    scenario
}

/// A time of a manifest as it is in this cluster, and a minute for what real time takes.
fn about(stage: &Stage, time: Duration) -> Duration {
    stage.bed().pause(time) + MINUTE
}

/// Time for so many measurements, a minute after each other in the manifest, and for what real time takes.
fn time_for(stage: &Stage, measurements: u32) -> Duration {
    stage.bed().pause(MINUTE) * measurements + MINUTE
}

/// The message of the Rollout comes to hold these words.
async fn says(stage: &Stage, within: Duration, words: &str) -> Result<(), Failure> {
    let within = about(stage, within);
    stage
        .until_seen(&format!("the rollout says \"{words}\""), within, |seen| {
            seen.message.contains(words)
        })
        .await
        .map(drop)
}

fn is_virtual(stage: &Stage) -> bool {
    stage.bed().features().contains(&Feature::VirtualTime)
}

/// What the Rollout's status says of the current release.
async fn sub_status(stage: &Stage) -> Result<Value, Failure> {
    let rollout = stage.read(&stage.dialect().rollout()).await?;
    Ok(rollout.pointer("/status/canaryStatus").cloned().unwrap_or_default())
}

async fn good(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Measured);
    stage.release(NEXT).await?;
    let pauses = [10_800, 600].map(|seconds| stage.bed().pause(Duration::from_secs(seconds)));
    let pauses: Duration = pauses.iter().sum();
    stage.until_ended(Ending::Completed, pauses).await?;
    let (queries, interval) = (stage.bed().queries(), stage.bed().pause(5 * MINUTE));
    let least = pauses.as_secs() / interval.as_secs();
    // A step takes its time before its pause, too.
    if !(least.saturating_sub(1)..=least + 6).contains(&(queries as u64)) {
        let message = format!("{queries} queries, one every {interval:?} over pauses of {pauses:?}");
        return Err(Failure::new(Check::Cluster, message));
    }
    stage.all_answers_come_from(NEXT).await
}

/// Releases a version that answers with errors, until the analysis has found it bad.
async fn release_faulty(stage: &Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Measured);
    stage.forgive_lost_for(4 * HOUR);
    stage.release(FAULTY).await?;
    // The fourth bad measurement, five minutes after each other, is one too many.
    says(stage, 100 * MINUTE, "found the new version bad").await
}

async fn held(stage: Stage) -> Result<(), Failure> {
    release_faulty(&stage).await?;
    stage
        .holds_seen("the step is held", stage.bed().pause(2 * HOUR), |seen| {
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
        .holds_seen("nothing starts again by itself", stage.bed().pause(HOUR), |seen| {
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
        .holds_seen("the gate is shut", stage.bed().pause(MINUTE), |seen| seen.step == 1)
        .await?;
    stage.restart_controller().await?;
    stage
        .until_seen("the second gate", time_for(&stage, 5), |seen| seen.waits_at(2))
        .await?;
    let queries = stage.bed().queries();
    // Where time is real, one may have been on its way when the controller was killed.
    if queries != 5 && (queries != 6 || is_virtual(&stage)) {
        return Err(Failure::new(
            Check::Cluster,
            format!("{queries} queries for five measurements"),
        ));
    }
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn scraped(stage: Stage) -> Result<(), Failure> {
    stage.forgive_lost_for(HOUR);
    stage.release(FAULTY).await?;
    says(&stage, HOUR, "found the new version bad").await?;
    stage
        .until_seen("the traffic is back", about(&stage, MINUTE), |seen| seen.weight == 0)
        .await?;
    stage.all_answers_come_from(STABLE).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.release(NEXT).await?;
    let pause = stage.bed().pause(HOUR);
    stage.until_ended(Ending::Completed, pause).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn promoted(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Value(1.0));
    stage.release(NEXT).await?;
    // The step before promotion: measured at the last split, which goes on by itself.
    stage
        .until_seen("the analysis before promotion", about(&stage, MINUTE), |seen| {
            seen.step == 2 && seen.weight == 50 && seen.message.contains("metrics are judged")
        })
        .await?;
    stage
        .until_seen("everything is led to the new version", time_for(&stage, 6), |seen| {
            seen.step == 3 && seen.weight == 100 && seen.message.contains("metrics are judged")
        })
        .await?;
    stage.all_answers_come_from(NEXT).await?;
    stage
        .holds_seen("the version before stands by", stage.bed().pause(5 * MINUTE), |seen| {
            seen.step == 3 && seen.weight == 100
        })
        .await?;
    stage.bed().metrics(Answers::Value(0.2));
    says(&stage, 5 * MINUTE, "the release is rolled back").await?;
    stage
        .until_seen("the traffic is back", about(&stage, MINUTE), |seen| seen.weight == 0)
        .await?;
    stage.all_answers_come_from(STABLE).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;

    stage.bed().metrics(Answers::Value(1.0));
    stage.release(NEXT).await?;
    let bake = stage.bed().pause(2 * HOUR) + stage.bed().pause(10 * MINUTE);
    stage.until_ended(Ending::Completed, bake).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn unmeasured(stage: Stage) -> Result<(), Failure> {
    stage.bed().metrics(Answers::Failing);
    stage.release(NEXT).await?;
    says(&stage, 10 * MINUTE, "has not found the new version good yet").await?;
    says(&stage, 10 * MINUTE, "could not measure").await?;
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
        .until_seen("the second gate", time_for(&stage, 5), |seen| seen.waits_at(2))
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
        .holds_seen("the first gate is shut", stage.bed().pause(2 * HOUR), |seen| {
            seen.step <= 1
        })
        .await?;
    let state = sub_status(&stage).await?;
    let phase = text(&state, "/currentStepAnalysis/phase");
    // No number fulfils no condition, so that it may also count as bad. Silence is not over so soon where time is real.
    let known = matches!(phase, "Error" | "Inconclusive" | "Failed");
    if !known && (phase == "Successful" || is_virtual(&stage)) {
        return Err(Failure::new(Check::Cluster, format!("{answers:?} was judged {phase}")));
    }
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.all_answers_come_from(STABLE).await
}

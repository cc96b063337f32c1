//! Steps that select requests instead of sharing them out: by header, by query parameter, by path; and what the new version is told of them.

use std::time::Duration;

use crate::dialect::Ending;
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, Question, Stage, timeouts};

use super::{NEXT, STABLE, release};

const BY_HEADER: &str = include_str!("../../../fixtures/rollouts/by-header.yaml");
const BY_QUERY: &str = include_str!("../../../fixtures/rollouts/by-query.yaml");
const BY_PATH: &str = include_str!("../../../fixtures/rollouts/by-path.yaml");

pub(super) fn all() -> Vec<Scenario> {
    let mut survives = release(
        "selection-survives-a-restart",
        "field A3: a route for a header is not lost when the controller is restarted",
        BY_HEADER,
        survives,
    );
    survives.features = &[Feature::IngressNginx, Feature::RestartController];
    let mut query = release(
        "selected-by-query",
        "contract §5.6, §5.7: query parameters and expressions for headers; requestHeaderModifier",
        BY_QUERY,
        by_query,
    );
    let mut path = release(
        "selected-by-path",
        "contract §5.6, §5.7: paths; requestHeaderModifier",
        BY_PATH,
        by_path,
    );
    for scenario in [&mut query, &mut path] {
        scenario.features = &[Feature::IngressNginx, Feature::SplitInPlace];
    }
    let header = release(
        "selected-by-header",
        "contract §5: requests with a header go to the new version, and no others",
        BY_HEADER,
        by_header,
    );
    vec![header, survives, query, path]
}

/// The scenario's question with a header.
fn with(stage: &Stage, name: &str, value: &str) -> Question {
    let mut question = stage.question().clone();
    question.headers.push((name.to_owned(), value.to_owned()));
    question
}

/// These requests reach the new version, and none of those.
async fn only(stage: &Stage, selected: &[Question], others: &[Question]) -> Result<(), Failure> {
    for question in selected {
        stage.share_becomes(question, NEXT, 100).await?;
    }
    for question in others {
        stage.share_becomes(question, NEXT, 0).await?;
    }
    Ok(())
}

/// The selection is gone and half of all requests reach the new version; then the release ends.
async fn on_to_the_end(stage: &Stage, selected: &Question) -> Result<(), Failure> {
    stage.approve().await?;
    stage.until_paused_at(2).await?;
    stage.weight_is(50).await?;
    stage.share_becomes(selected, NEXT, 50).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}

async fn by_header(stage: Stage) -> Result<(), Failure> {
    let asks = with(&stage, "x-release", "next");
    let other = with(&stage, "x-release", "last");
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    only(&stage, std::slice::from_ref(&asks), &[other, stage.question().clone()]).await?;
    on_to_the_end(&stage, &asks).await
}

async fn survives(stage: Stage) -> Result<(), Failure> {
    let asks = with(&stage, "x-release", "next");
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    let plain = [stage.question().clone()];
    only(&stage, std::slice::from_ref(&asks), &plain).await?;
    stage.restart_controller().await?;
    stage
        .holds_seen("the gate is shut after a restart", Duration::from_secs(60), |seen| {
            seen.waits_at(1)
        })
        .await?;
    only(&stage, std::slice::from_ref(&asks), &plain).await?;
    stage.approve_within(timeouts::APPROVAL).await?;
    stage.until_paused_at(2).await?;
    stage.weight_is(50).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    stage.share_becomes(&asks, NEXT, 0).await?;
    stage.all_answers_come_from(STABLE).await
}

/// The answer to `selected` shows that its pod was told `value`, the answer to `other` does not.
async fn is_told(stage: &Stage, selected: &Question, other: &Question, value: &str) -> Result<(), Failure> {
    for (question, expected) in [(selected, true), (other, false)] {
        let answer = stage.answer(question).await?;
        if answer.contains(value) != expected {
            let should = if expected { "is to be" } else { "must not be" };
            let message = format!(
                "the pod {should} told {value:?} for {} {:?}; it was sent {answer}",
                question.path, question.headers
            );
            return Err(Failure::new(Check::Weight, message));
        }
    }
    Ok(())
}

async fn by_query(stage: Stage) -> Result<(), Failure> {
    let asks = stage.asking("/?user=ann&release=next");
    let tester = with(&stage, "x-tester", "bob");
    let others = [
        stage.question().clone(),
        stage.asking("/?release=last"),
        with(&stage, "x-tester", "ann"),
    ];
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    only(&stage, &[asks.clone(), tester.clone()], &others).await?;
    is_told(&stage, &asks, stage.question(), "tidegate-next").await?;
    is_told(&stage, &tester, stage.question(), "tidegate-next").await?;
    on_to_the_end(&stage, &asks).await?;
    // What the step told is told no longer.
    let after = stage.answer(&asks).await?;
    match after.contains("tidegate-next") {
        false => Ok(()),
        true => Err(Failure::new(
            Check::Inventory,
            format!("requests are still changed: {after}"),
        )),
    }
}

async fn by_path(stage: Stage) -> Result<(), Failure> {
    let beta = stage.asking("/beta/cart");
    let mut debugging = beta.clone();
    debugging
        .headers
        .push(("x-debug".to_owned(), "debugging-user".to_owned()));
    let plain = with(&stage, "x-debug", "debugging-user");
    let mut others = vec![stage.question().clone()];
    // The Gateway API compares whole elements of a path, Istio its letters.
    if stage.bed().features().contains(&Feature::GatewayApi) {
        others.push(stage.asking("/betamax"));
    }
    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    only(&stage, std::slice::from_ref(&beta), &others).await?;
    is_told(&stage, &debugging, &plain, "tidegate-beta").await?;
    is_told(&stage, &plain, &debugging, "debugging-user").await?;
    on_to_the_end(&stage, &beta).await
}

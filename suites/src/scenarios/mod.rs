//! All scenarios, in one explicit list.
//!
//! One file per subject; each gives its entries in order. Manifests are files under `fixtures/`.

mod analysis;
mod bad_bytes;
mod bad_input;
mod beside;
mod ending;
mod gate;
mod jump;
mod late;
mod missing;
mod moved;
mod no_drain;
mod one_service;
mod owners;
mod pauses;
mod plan;
mod restart;
mod rollback;
mod scale;
mod selected;
mod third_image;
mod walkthrough;

use std::future::Future;
use std::sync::Arc;

use crate::scenario::{BEAT, Body, Ends, Scenario, Scope};
use crate::{Failure, Feature, Stage};

/// The image that serves before a release.
pub const STABLE: &str = "cilium/echoserver:1.10.2";
/// The image that is released.
pub const NEXT: &str = "cilium/echoserver:1.10.3";
/// The image that is released after it, or in the middle of it.
pub const THIRD: &str = "cilium/echoserver:1.10.4";
/// An image whose pods never become ready.
pub const NEVER_READY: &str = "cilium/echoserver:never-ready";

/// An image whose pods answer every request with an error.
pub const FAULTY: &str = "cilium/echoserver:5xx-100";

pub(crate) const DEPLOYMENT: &str = include_str!("../../../fixtures/article/deployment.yaml");
pub(crate) const SERVICE: &str = include_str!("../../../fixtures/article/service.yaml");
pub(crate) const INGRESS: &str = include_str!("../../../fixtures/article/ingress.yaml");
pub(crate) const ARTICLE: &str = include_str!("../../../fixtures/article/rollout.yaml");
pub(crate) const FOUR_GATES: &str = include_str!("../../../fixtures/rollouts/four-gates.yaml");
pub(crate) const TIMED: &str = include_str!("../../../fixtures/rollouts/timed.yaml");

/// Every scenario.
pub fn all() -> Vec<Scenario> {
    let mut all = walkthrough::all();
    all.extend(gate::all());
    all.extend(pauses::all());
    all.extend(no_drain::all());
    all.extend(beside::all());
    all.extend(selected::all());
    all.extend(owners::all());
    all.extend(one_service::all());
    all.extend(moved::all());
    all.extend(late::all());
    all.extend(rollback::all());
    all.extend(third_image::all());
    all.extend(scale::all());
    all.extend(ending::all());
    all.extend(missing::all());
    all.extend(plan::all());
    all.extend(jump::all());
    all.extend(restart::all());
    all.extend(analysis::all());
    all.extend(bad_input::all());
    all.extend(bad_bytes::all());
    all
}

/// The features that every release with traffic needs.
const ROUTED: &[Feature] = &[Feature::IngressNginx];

/// A scenario of a release of the echo server under the given rollout.
fn release<F>(
    id: impl Into<String>,
    requirement: &'static str,
    rollout: &'static str,
    run: impl Fn(Stage) -> F + Send + Sync + 'static,
) -> Scenario
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    Scenario {
        id: id.into(),
        requirement,
        features: ROUTED,
        scope: Scope::Namespace,
        manifests: vec![DEPLOYMENT, SERVICE, INGRESS, rollout],
        ends: Ends::Clean,
        beat: BEAT,
        run: body(run),
    }
}

fn body<F>(run: impl Fn(Stage) -> F + Send + Sync + 'static) -> Body
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    Arc::new(move |stage| Box::pin(run(stage)))
}

/// Releases an image and approves until the release stands at `step`.
async fn release_to(stage: &Stage, image: &str, step: u32) -> Result<(), Failure> {
    stage.release(image).await?;
    stage.until_paused_at(1).await?;
    approve_to(stage, 1, step).await
}

/// Approves gate after gate, from the one at `from` until the release stands at `to`.
async fn approve_to(stage: &Stage, from: u32, to: u32) -> Result<(), Failure> {
    for step in from..to {
        stage.approve().await?;
        stage.until_paused_at(step + 1).await?;
    }
    Ok(())
}

//! Plays scenarios on one local cluster, several at a time, each in a namespace of its own. Used by `run`; needs [`super::prepare`] first.

use std::sync::Arc;

use anyhow::{Context, Result};
use env::{Chance, Env, Trace, TraceRecord};
use suites::{Check, Failure, Report, Scenario, expectations, runner};

use crate::abreast;
use crate::gateway::{DataPlane, Gateway};
use crate::interrupt::Interrupt;

use super::Tools;
use super::bed::{CLUSTER, LocalBed};
use super::ground::Ground;

/// How many scenarios run at the same time when nobody says: nearly all of their time is waiting.
const JOBS: usize = 16;

/// How to play.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play {
    /// What chance begins with; the names that the API server gives and the order of events are not its to say.
    pub(crate) seed: u64,
    /// How many scenarios at a time.
    pub(crate) jobs: Option<usize>,
    /// Whether to keep what happens, for a file.
    pub(crate) traced: bool,
    /// What forwards the requests.
    pub(crate) gateway: Gateway,
}

/// Plays `scenarios` and gives `done` each report as it comes, with the scenario's index; gives out the trace. Ctrl-C, or the end of
/// a part of the cluster, ends those that run.
///
/// # Errors
/// When there is no cluster to be had, or a part of it ended on the way.
pub(crate) fn each(
    tools: &Tools,
    play: Play,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    done: &mut dyn FnMut(usize, Report),
) -> Result<Vec<TraceRecord>> {
    // A second installation is refused, and then there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let trace = if play.traced { Trace::in_memory() } else { Trace::off() };
        let env = Env::real()
            .with_chance(Chance::from_seed(play.seed))
            .with_trace(trace.clone());
        let ground = Arc::new(Ground::start(&env, tools, play.gateway).await?);
        let at_a_time = play.jobs.unwrap_or(JOBS);
        // Without one of its parts nothing on the ground means anything any more.
        let is_over = || interrupt.is_wished() || ground.check().is_err();
        let one = |scenario| one(ground.clone(), scenario);
        abreast::each(&env, at_a_time, scenarios, is_over, one, done).await;
        let mut outcome = ground.check();
        // Every scenario has ended, and with it every other hold on the ground.
        if let Some(ground) = Arc::into_inner(ground) {
            let complete = outcome.is_ok() && !interrupt.is_wished();
            if complete && play.gateway.data_plane() == DataPlane::Tidepool {
                outcome = ground.take_off().await.context("take tidegate off the cluster again");
            } else {
                ground.stop().await;
            }
        }
        outcome.map(|()| trace.take())
    })
}

async fn one(ground: Arc<Ground>, scenario: Scenario) -> Report {
    if let Some(why) = runner::cannot_run(&scenario, &LocalBed::features(ground.gateway())) {
        return Report::skipped(
            &scenario.id,
            expectations::why_skipped(&ground.gateway().expected_as(CLUSTER), &scenario.id).unwrap_or(why),
        );
    }
    let bed = match LocalBed::make(ground.clone(), &scenario.id).await {
        Ok(bed) => Arc::new(bed),
        Err(error) => {
            let failure = Failure::new(Check::Cluster, format!("{error:#}"));
            return runner::could_not_start(&scenario.id, failure);
        }
    };
    let mut report = runner::run(&scenario, bed).await;
    report.wall = report.took;
    ground.leave(&scenario.id).await;
    report
}

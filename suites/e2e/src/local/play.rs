//! Plays scenarios on one local cluster, several at a time, each in a namespace of its own. Used by `run`; needs [`super::prepare`] first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use env::{Chance, Env, Trace, TraceRecord};
use futures::FutureExt;
use suites::{Check, Failure, Report, Scenario, expectations, runner};
use tokio::task::JoinSet;

use crate::gateway::{DataPlane, Gateway};
use crate::interrupt::Interrupt;
use crate::{jobs, run};

use super::Tools;
use super::bed::{CLUSTER, LocalBed};
use super::ground::Ground;

/// How many scenarios run at the same time when nobody says: nearly all of their time is waiting.
const JOBS: usize = 16;

/// How often it is looked whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(100);

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
        play_on(&ground, play, scenarios, interrupt, done).await;
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

async fn play_on(
    ground: &Arc<Ground>,
    play: Play,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    done: &mut dyn FnMut(usize, Report),
) {
    let at_a_time = play.jobs.unwrap_or(JOBS).max(1);
    let mut running = JoinSet::new();
    let mut waiting = scenarios.iter().enumerate();
    loop {
        while running.len() < at_a_time && !interrupt.is_wished() {
            let Some((index, scenario)) = waiting.next() else { break };
            let (ground, scenario) = (ground.clone(), scenario.clone());
            let id = scenario.id.clone();
            running.spawn(async move {
                // Inside of the task, so that a panic is one scenario's failure.
                let played = AssertUnwindSafe(one(ground, scenario)).catch_unwind().await;
                (
                    index,
                    played.unwrap_or_else(|panic| run::panicked(&id, &jobs::said(&*panic))),
                )
            });
        }
        let next = tokio::select! {
            biased;
            next = running.join_next() => next,
            () = ground.env.sleep(LOOK) => {
                // Without one of its parts nothing here means anything any more.
                if !interrupt.is_wished() && ground.check().is_ok() {
                    continue;
                }
                running.shutdown().await;
                None
            }
        };
        match next {
            Some(Ok((index, report))) => done(index, report),
            Some(Err(_)) => {}
            None => return,
        }
    }
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

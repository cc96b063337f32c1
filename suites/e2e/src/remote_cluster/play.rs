//! Plays scenarios on one remote cluster, several at a time, each in a namespace of its own. Used by `kind` and `current`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use suites::{Check, Failure, Feature, Report, Scenario, expectations, runner};

use super::bed::RemoteBed;
use super::collect;
use super::ground::{Entrance, Ground};
use crate::abreast;
use crate::interrupt::Interrupt;

/// How to play.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// How many scenarios at a time.
    pub(crate) jobs: usize,
    /// The name under which expectations know this cluster and gateway.
    pub(crate) expected_as: String,
    /// Where the objects and logs of a failed scenario go.
    pub(crate) logs: PathBuf,
}

/// Plays `scenarios`, gives `done` each report as it comes, with the scenario's index, and waits until their namespaces are gone. Ctrl-C ends those
/// that run; what they made goes in any case.
///
/// # Errors
/// When a namespace stays.
pub(crate) async fn each(
    ground: &Arc<Ground>,
    entrance: &Entrance,
    play: &Play,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    done: &mut dyn FnMut(usize, Report),
) -> Result<()> {
    // Who kills the controller has it for himself: the webhooks of others would be away.
    let (alone, together): (Vec<usize>, Vec<usize>) =
        (0..scenarios.len()).partition(|index| restarts(&scenarios[*index]));
    for (indices, at_a_time) in [(together, play.jobs), (alone, 1)] {
        let scenarios: Vec<Scenario> = indices.iter().map(|index| scenarios[*index].clone()).collect();
        let one = |scenario| one(ground.clone(), entrance.clone(), scenario, play.clone());
        let mut of_all = |index: usize, report| done(indices[index], report);
        let is_over = || interrupt.is_wished();
        abreast::each(&ground.env, at_a_time, &scenarios, is_over, one, &mut of_all).await;
    }
    ground.clean().await
}

fn restarts(scenario: &Scenario) -> bool {
    scenario.features.contains(&Feature::RestartController)
}

async fn one(ground: Arc<Ground>, entrance: Entrance, scenario: Scenario, play: Play) -> Report {
    if let Some(why) = expectations::why_skipped(&play.expected_as, &scenario.id)
        .or_else(|| runner::cannot_run(&scenario, &RemoteBed::features_of(&ground, &entrance)))
    {
        return Report::skipped(&scenario.id, why);
    }
    let bed = match RemoteBed::make(ground.clone(), entrance, &scenario.id).await {
        Ok(bed) => Arc::new(bed),
        Err(error) => {
            let failure = Failure::new(Check::Cluster, format!("{error:#}"));
            return runner::could_not_start(&scenario.id, failure);
        }
    };
    let namespace = suites::Bed::namespace(&*bed).to_owned();
    let mut report = runner::run(&scenario, bed).await;
    report.wall = report.took;
    if !report.failures().is_empty()
        && let Err(error) = collect::namespace(&ground.kubernetes(), &namespace, &play.logs.join(&scenario.id)).await
    {
        tracing::warn!(scenario = scenario.id, "collect what a failure left: {error:#}");
    }
    ground.leave(&namespace).await;
    report
}

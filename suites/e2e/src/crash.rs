//! `e2e run --crash SCENARIO`: for every write of the controller, kill it before the commit, kill it after, and lose just the answer.
//!
//! A plain run says which writes there are; since one seed is one run, a second run comes to the same write. After a kill another process of
//! another identity starts and has to wait the dead one's lease out, as a Deployment of one replica makes it. Everything that the scenario
//! asserts must hold all the same. All writes count, Events and the taking of the lease too; only the lease's renewals do not: they come with
//! time and not with work, and a kill between two writes is a kill before the second.

use anyhow::{Context, Result, bail};
use controller::LeaderElection;
use suites::{Scenario, report, scenarios};
use tidepool::transport::Write;

use crate::args::{Blow, CUTS, Run};
use crate::embedded::{self, Care, Play, Played, Strike};
use crate::interrupt::Interrupt;
use crate::jobs;
use crate::output::Output;
use crate::run::{make_folder, panicked, tell_failure, write_trace};

/// After how many runs a line says how far it has come, where no bar does.
const REPORT_EVERY: usize = 25;

/// One write of the plain run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    /// The process that sent it, counted from 1.
    process: usize,
    write: Write,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Write {
            verb,
            resource,
            subresource,
            name,
            ..
        } = &self.write;
        let slash = if subresource.is_empty() { "" } else { "/" };
        write!(f, "{verb} {resource}{slash}{subresource} {name}")
    }
}

/// Explores one scenario; whether everything held.
///
/// # Errors
/// When there is no such scenario or write, it fails without any fault, or a trace cannot be written.
pub(crate) fn explore(options: &Run, id: &str, out: &mut Output) -> Result<bool> {
    let scenario = scenarios::all()
        .into_iter()
        .find(|known| known.id == id)
        .with_context(|| format!("no scenario is called {id:?}; `cargo xtask e2e --list` names them"))?;
    let targets = plain(&scenario, options, out)?;
    let blows = match options.cut {
        Some(blow) if blow.write <= targets.len() => vec![blow],
        Some(blow) => bail!("{id} has {} writes; there is no write {}", targets.len(), blow.write),
        None => all_blows(targets.len()),
    };
    if let Some(folder) = &options.trace {
        make_folder(folder)?;
    }
    let interrupt = Interrupt::listen();
    let (mut done, mut violations) = (0, 0);
    let mut unwritten = None;
    let ((), wall) = jobs::timed(|| {
        out.begin(blows.len());
        jobs::each(
            jobs::threads(options.jobs),
            &blows,
            &interrupt,
            |blow| struck(&scenario, options, &targets, *blow),
            |index, played: Played| {
                let blow = blows[index];
                done += 1;
                if let Some(folder) = &options.trace {
                    let name = format!("{id}-{blow}").replace(':', "-");
                    unwritten = unwritten.take().or(write_trace(folder, &name, &played.trace).err());
                }
                if !played.report.failures().is_empty() {
                    violations += 1;
                    tell(&played, options, id, blow, &targets, out);
                }
                out.progress(done, &blow.to_string());
                if !out.has_bar() && done.is_multiple_of(REPORT_EVERY) && done < blows.len() {
                    out.line(&format!("{done} of {} runs, {violations} violations", blows.len()));
                }
            },
        );
        out.end();
    });
    if let Some(error) = unwritten {
        return Err(error);
    }
    if done < blows.len() {
        out.line(&format!(
            "interrupted: {} of {} runs were not made",
            blows.len() - done,
            blows.len()
        ));
    }
    let counted = if options.cut.is_some() {
        format!("{done} runs")
    } else {
        format!("{}×{} = {done} runs", CUTS.len(), targets.len())
    };
    out.line(&format!("{id} with seed {}, {:.1} s", options.seed, wall.as_secs_f64()));
    out.line(&format!("{counted}, {violations} violations"));
    Ok(violations == 0 && done == blows.len())
}

/// Every write, and everything that can happen at it.
fn all_blows(writes: usize) -> Vec<Blow> {
    (1..=writes)
        .flat_map(|write| CUTS.map(|(how, _)| Blow { write, how }))
        .collect()
}

fn care() -> Care {
    Care {
        leader_election: LeaderElection::lease(),
        ..Care::default()
    }
}

/// The run without a fault, and the writes of it.
fn plain(scenario: &Scenario, options: &Run, out: &mut Output) -> Result<Vec<Target>> {
    let (played, wall) =
        jobs::timed(|| jobs::caught(|| embedded::play(scenario, &Play::new(options.seed).with(care()))));
    let mut played = played.unwrap_or_else(|said| Played::only(panicked(&scenario.id, &said)));
    played.report.wall = wall;
    out.line(&report::line(&played.report));
    if !played.report.failures().is_empty() {
        let again = format!("cargo xtask e2e --crash {} --seed {}", scenario.id, options.seed);
        tell_failure(&played.report, &again, out);
        bail!("{} fails without any fault", scenario.id);
    }
    let targets: Vec<Target> = (1..)
        .zip(played.writes)
        .flat_map(|(process, writes)| writes.into_iter().map(move |write| Target { process, write }))
        .filter(|target| !(target.write.resource == "leases" && target.write.verb == "update"))
        .collect();
    if targets.is_empty() {
        bail!(
            "the controller writes nothing in {}: there is nothing to cut",
            scenario.id
        );
    }
    out.line(&format!(
        "{} writes by the controller, Events and the taking of the lease included; {} runs",
        targets.len(),
        options.cut.map_or(targets.len() * CUTS.len(), |_| 1)
    ));
    Ok(targets)
}

/// The run in which one thing happens.
fn struck(scenario: &Scenario, options: &Run, targets: &[Target], blow: Blow) -> Played {
    let target = &targets[blow.write - 1];
    let strike = Strike {
        process: target.process,
        write: target.write.n,
        how: blow.how,
    };
    let how = Play::new(options.seed).traced(options.trace.is_some()).with(Care {
        strike: Some(strike),
        ..care()
    });
    let (played, wall) = jobs::timed(|| jobs::caught(|| embedded::play(scenario, &how)));
    let mut played = played.unwrap_or_else(|said| Played::only(panicked(&scenario.id, &said)));
    played.report.wall = wall;
    let came = played
        .writes
        .get(strike.process - 1)
        .and_then(|writes| writes.get(strike.write - 1));
    if came != Some(&target.write) && !played.writes.is_empty() {
        embedded::blame(
            &mut played.report,
            format!("the run did not come to the write `{target}` at which it was to be struck: {came:?}"),
        );
    }
    played
}

fn tell(played: &Played, options: &Run, id: &str, blow: Blow, targets: &[Target], out: &mut Output) {
    let target = &targets[blow.write - 1];
    out.line(&format!(
        "VIOLATION {blow}, at write {} of {}: {target}",
        blow.write,
        targets.len()
    ));
    let again = format!("cargo xtask e2e --crash {id} --cut {blow} --seed {}", options.seed);
    let mut report = played.report.clone();
    if options.cut.is_none() {
        // Of many violations only the words; the command below tells the whole story of one.
        report.timeline = suites::Timeline::default();
    }
    tell_failure(&report, &again, out);
}

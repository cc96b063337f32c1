//! `e2e run`: picks scenarios, spreads them over threads, prints one line for each in their order, and writes the reports.

use std::collections::VecDeque;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;

use anyhow::{Context, Result, bail};
use env::{Trace, TraceRecord};
use parking_lot::Mutex;
use suites::report::{self, junit};
use suites::{Report, Scenario, Verdict, expectations, scenario, scenarios};

use crate::{Run, embedded};

const CLUSTER: &str = "embedded";

/// Runs and reports.
///
/// # Errors
/// When no scenario has such a name, or a file cannot be written.
pub(crate) fn run(options: &Run, out: &mut impl Write) -> Result<ExitCode> {
    let all = scenarios::all();
    let total = all.len();
    let chosen: Vec<Scenario> = all
        .into_iter()
        .filter(|known| scenario::matches(&options.scenario, &known.id))
        .collect();
    if chosen.is_empty() {
        bail!("no scenario matches {:?}; `--list` names them", options.scenario);
    }
    if options.list {
        for scenario in &chosen {
            writeln!(out, "{:<40} {}", scenario.id, scenario.requirement)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(folder) = &options.trace {
        fs::create_dir_all(folder).with_context(|| format!("make the trace folder {}", folder.display()))?;
    }
    let reports = play_all(&chosen, options, out)?;
    if let Some(file) = &options.junit {
        write_file(file, &junit(CLUSTER, &reports))?;
    }
    if let Some(file) = &options.report {
        let json = file.extension().is_some_and(|end| end == "json");
        let text = if json {
            format!("{:#}\n", report::json(CLUSTER, &reports))
        } else {
            report::markdown(CLUSTER, &reports)
        };
        write_file(file, &text)?;
    }
    conclude(options, &reports, chosen.len() == total, out)
}

fn write_file(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

/// Plays every scenario; lines come out in the order of the list, whatever finishes first.
fn play_all(chosen: &[Scenario], options: &Run, out: &mut impl Write) -> Result<Vec<Report>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.unwrap_or(cores).clamp(1, chosen.len());
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..chosen.len()).collect());
    let mut finished: Vec<Option<Report>> = vec![None; chosen.len()];
    std::thread::scope(|threads| -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs {
            let (sender, waiting) = (sender.clone(), &waiting);
            threads.spawn(move || {
                loop {
                    let Some(index) = waiting.lock().pop_front() else {
                        return;
                    };
                    let trace = if options.trace.is_some() {
                        Trace::in_memory()
                    } else {
                        Trace::off()
                    };
                    let report = timed(&chosen[index], options.seed, trace.clone());
                    if sender.send((index, report, trace.take())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut next = 0;
        for (index, report, lines) in receiver {
            if let Some(folder) = &options.trace {
                let text: String = lines
                    .iter()
                    .map(TraceRecord::to_line)
                    .flat_map(|line| [line, "\n".to_owned()])
                    .collect();
                write_file(&folder.join(format!("{}.jsonl", chosen[index].id)), &text)?;
            }
            finished[index] = Some(report);
            while let Some(Some(report)) = finished.get(next) {
                tell(report, options.seed, out)?;
                next += 1;
            }
        }
        Ok(())
    })?;
    Ok(finished.into_iter().flatten().collect())
}

#[expect(
    clippy::disallowed_methods,
    reason = "wall seconds for the report; the scenario itself runs on virtual time"
)]
fn timed(scenario: &Scenario, seed: u64, trace: Trace) -> Report {
    let begun = std::time::Instant::now();
    let mut report = embedded::play(scenario, seed, trace);
    report.wall = begun.elapsed();
    report
}

fn tell(report: &Report, seed: u64, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}", report::line(report))?;
    if let Verdict::Failed(failures) = &report.verdict {
        for failure in failures {
            writeln!(out, "    {failure}")?;
        }
        for line in &report.timeline.0 {
            writeln!(out, "    {line}")?;
        }
        writeln!(
            out,
            "    to repeat just this: cargo xtask e2e --scenario {} --seed {seed}",
            report.id
        )?;
    }
    Ok(())
}

fn conclude(options: &Run, reports: &[Report], whole: bool, out: &mut impl Write) -> Result<ExitCode> {
    let failed = report::count(reports, |verdict| matches!(verdict, Verdict::Failed(_)));
    let ran = report::count(reports, |verdict| !matches!(verdict, Verdict::Skipped(_)));
    let missing = if whole {
        expectations::judge(CLUSTER, ran).err()
    } else {
        None
    };
    if let Some(missing) = &missing {
        writeln!(out, "{missing}")?;
    }
    writeln!(out, "{}", report::summary(CLUSTER, reports))?;
    writeln!(
        out,
        "Simulated with seed {}: the cluster, its pods, its gateway and its time. Real control planes and proxies: see README.",
        options.seed
    )?;
    Ok(if failed == 0 && missing.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

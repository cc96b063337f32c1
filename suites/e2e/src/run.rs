//! `e2e run`: picks scenarios, spreads them over threads, prints one line for each in their order, and writes the reports.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::TraceRecord;
use suites::report::{self, junit};
use suites::{Check, Failure, Report, Scenario, Verdict, expectations, runner, scenario, scenarios};

use crate::args::{Cluster, Run};
use crate::embedded::{self, Play, Played};
use crate::interrupt::Interrupt;
use crate::jobs;
use crate::output::Output;

/// Runs and reports; whether all went well.
///
/// # Errors
/// When no scenario has such a name, or a file cannot be written.
pub(crate) fn run(options: &Run, out: &mut Output) -> Result<bool> {
    let chosen = chosen(&options.scenario)?;
    if options.list {
        for scenario in &chosen {
            out.line(&format!("{:<40} {}", scenario.id, scenario.requirement));
        }
        return Ok(true);
    }
    match options.cluster {
        Cluster::Embedded => on_embedded(options, &chosen, out),
    }
}

/// The scenarios whose names match.
fn chosen(glob: &str) -> Result<Vec<Scenario>> {
    let mut all = scenarios::all();
    all.retain(|known| scenario::matches(glob, &known.id));
    if all.is_empty() {
        bail!("no scenario matches {glob:?}; `cargo xtask e2e --list` names them");
    }
    Ok(all)
}

/// Plays every scenario; lines come out in the order of the list, whatever finishes first.
fn on_embedded(options: &Run, chosen: &[Scenario], out: &mut Output) -> Result<bool> {
    if let Some(folder) = &options.trace {
        make_folder(folder)?;
    }
    let interrupt = Interrupt::listen();
    let mut reports: Vec<Option<Report>> = vec![None; chosen.len()];
    let (mut printed, mut done) = (0, 0);
    let mut unwritten = None;
    out.begin(chosen.len());
    jobs::each(
        jobs::threads(options.jobs),
        chosen,
        &interrupt,
        |scenario| play(scenario, options),
        |index, played: Played| {
            if let Some(folder) = &options.trace {
                let written = write_trace(folder, &played.report.id, &played.trace);
                unwritten = unwritten.take().or(written.err());
            }
            reports[index] = Some(played.report);
            done += 1;
            while let Some(Some(report)) = reports.get(printed) {
                tell(report, options, out);
                printed += 1;
            }
            out.progress(done, chosen.get(printed).map_or("", |scenario| scenario.id.as_str()));
        },
    );
    out.end();
    if let Some(error) = unwritten {
        return Err(error);
    }
    // After Ctrl-C some have come before their turn.
    for report in reports.iter().skip(printed).flatten() {
        tell(report, options, out);
    }
    let reports: Vec<Report> = reports.into_iter().flatten().collect();
    finish(options, &reports, chosen.len(), out)
}

/// Plays one scenario; a panic is its failure, and not the end of the others.
fn play(scenario: &Scenario, options: &Run) -> Played {
    let (played, wall) = jobs::timed(|| {
        jobs::caught(|| embedded::play(scenario, &Play::new(options.seed).traced(options.trace.is_some())))
    });
    let mut played = played.unwrap_or_else(|said| Played::only(panicked(&scenario.id, &said)));
    played.report.wall = wall;
    played
}

/// The report of a scenario in which something panicked.
pub(crate) fn panicked(id: &str, said: &str) -> Report {
    runner::could_not_start(id, Failure::new(Check::Cluster, format!("panicked: {said}")))
}

fn tell(report: &Report, options: &Run, out: &mut Output) {
    out.line(&report::line(report));
    if report.failures().is_empty() {
        return;
    }
    let again = format!(
        "cargo xtask e2e --scenario {} --seed {}{}",
        report.id,
        options.seed,
        on(options.cluster)
    );
    tell_failure(report, &again, out);
}

/// The broken promises, what happened before, and the command that does it again.
pub(crate) fn tell_failure(report: &Report, again: &str, out: &mut Output) {
    for failure in report.failures() {
        out.line(&format!("    {failure}"));
    }
    for line in &report.timeline.0 {
        out.line(&format!("    {line}"));
    }
    out.line(&format!("    to repeat just this: {again}"));
}

fn on(cluster: Cluster) -> String {
    match cluster {
        Cluster::Embedded => String::new(),
    }
}

/// Writes the files and the last lines; whether all went well.
fn finish(options: &Run, reports: &[Report], chosen: usize, out: &mut Output) -> Result<bool> {
    let cluster = options.cluster.name();
    if let Some(file) = &options.junit {
        write_file(file, &junit(cluster, reports))?;
    }
    if let Some(file) = &options.report {
        let json = file.extension().is_some_and(|end| end == "json");
        let text = if json {
            format!("{:#}\n", report::json(cluster, reports))
        } else {
            report::markdown(cluster, reports)
        };
        write_file(file, &text)?;
    }
    let failed = report::count(reports, |verdict| matches!(verdict, Verdict::Failed(_)));
    let ran = report::count(reports, |verdict| !matches!(verdict, Verdict::Skipped(_)));
    let mut all_is_well = failed == 0;
    if reports.len() < chosen {
        out.line(&format!(
            "interrupted: {} of {chosen} scenarios were not run",
            chosen - reports.len()
        ));
        all_is_well = false;
    } else if options.scenario == "*"
        && let Err(missing) = expectations::judge(cluster, ran)
    {
        out.line(&missing);
        all_is_well = false;
    }
    out.line(&format!(
        "{}; {}",
        report::summary(cluster, reports),
        world(options, reports)
    ));
    Ok(all_is_well)
}

/// What was simulated, and how to run it for real.
fn world(options: &Run, reports: &[Report]) -> String {
    let time: Duration = reports.iter().map(|report| report.took).sum();
    match options.cluster {
        Cluster::Embedded => format!(
            "simulated with seed {}: the cluster, its pods, its gateway and {:.0} s of its time, not the controller; real control planes: see README",
            options.seed,
            time.as_secs_f64()
        ),
    }
}

/// Makes the folder that traces go into.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make the trace folder {}", folder.display()))
}

/// Writes `<name>.jsonl`, one line per event.
pub(crate) fn write_trace(folder: &Path, name: &str, lines: &[TraceRecord]) -> Result<()> {
    let text: String = lines
        .iter()
        .map(TraceRecord::to_line)
        .flat_map(|line| [line, "\n".to_owned()])
        .collect();
    write_file(&folder.join(format!("{name}.jsonl")), &text)
}

fn write_file(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

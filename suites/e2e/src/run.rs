//! `e2e run`: picks scenarios, spreads them over threads, prints one line for each in their order, and writes the reports.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::TraceRecord;
use suites::report::{self, junit};
use suites::{Check, Failure, Report, Scenario, Verdict, expectations, runner, scenario, scenarios};

use crate::args::{Cluster, Run};
use crate::current;
use crate::embedded::{self, Play, Played};
use crate::gateway::{DataPlane, Gateway};
use crate::interrupt::Interrupt;
use crate::jobs;
use crate::kind;
use crate::local;
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
    for gateway in &options.gateways() {
        can_stand(*gateway, options.cluster)?;
    }
    match options.cluster {
        Cluster::Embedded => on_embedded(options, &chosen, out),
        Cluster::Local => on_local(options, &chosen, out),
        Cluster::Kind => on_kind(options, &chosen, out),
        Cluster::Current => on_current(options, &chosen, out),
    }
}

/// Whether scenarios can be played on that gateway in that cluster.
fn can_stand(gateway: Gateway, cluster: Cluster) -> Result<()> {
    if cluster == Cluster::Kind {
        if !kind::GATEWAYS.contains(&gateway) {
            let names: Vec<&str> = kind::GATEWAYS.iter().map(|gateway| gateway.name()).collect();
            bail!("--gateway {} is not in kind: take {}", gateway.name(), names.join(", "));
        }
        return Ok(());
    }
    if cluster == Cluster::Current {
        if !current::GATEWAYS.contains(&gateway) {
            let names: Vec<&str> = current::GATEWAYS.iter().map(|gateway| gateway.name()).collect();
            bail!(
                "--gateway {}: which proxy answers in a cluster of yours is yours to choose; name the routes that lead it: {}",
                gateway.name(),
                names.join(", ")
            );
        }
        return Ok(());
    }
    if cluster != Cluster::Local && gateway.data_plane() != DataPlane::Tidepool {
        bail!("--gateway {} is a real proxy and needs --cluster local", gateway.name());
    }
    if cluster != Cluster::Embedded && matches!(gateway, Gateway::HttpRoute | Gateway::VirtualService) {
        bail!(
            "--gateway {} is tidepool's own and needs --cluster embedded; take a real proxy for that family",
            gateway.name()
        );
    }
    Ok(())
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

/// Plays every scenario, each in a world of its own.
fn on_embedded(options: &Run, chosen: &[Scenario], out: &mut Output) -> Result<bool> {
    if let Some(folder) = &options.trace {
        make_folder(folder)?;
    }
    let interrupt = Interrupt::listen();
    let mut unwritten = None;
    let mut reports = Vec::new();
    for gateway in &options.gateways() {
        let mut board = Board::new(options, *gateway, chosen, out);
        jobs::each(
            jobs::threads(options.jobs),
            chosen,
            &interrupt,
            |scenario| play(scenario, options, *gateway),
            |index, played: Played| {
                if let Some(folder) = &options.trace {
                    let written = write_trace(folder, &gateway.report_id(&played.report.id), &played.trace);
                    unwritten = unwritten.take().or(written.err());
                }
                board.put(index, played.report);
            },
        );
        reports.extend(board.take_down());
    }
    if let Some(error) = unwritten {
        return Err(error);
    }
    finish(options, &reports, chosen.len(), out)
}

/// Plays every scenario on one real control plane for each gateway, one after the other: what one leaves is no other's.
fn on_local(options: &Run, chosen: &[Scenario], out: &mut Output) -> Result<bool> {
    // Before any thread and any file: this process goes on in namespaces of its own.
    let tools = local::prepare(&options.gateways(), &mut std::io::stderr())?;
    if let Some(folder) = &options.trace {
        make_folder(folder)?;
    }
    let interrupt = Interrupt::listen();
    let mut reports = Vec::new();
    for gateway in &options.gateways() {
        let mut board = Board::new(options, *gateway, chosen, out);
        let play = local::Play {
            seed: options.seed,
            jobs: options.jobs,
            traced: options.trace.is_some(),
            gateway: *gateway,
        };
        let played = local::each(&tools, play, chosen, &interrupt, &mut |index, report| {
            board.put(index, report);
        });
        reports.extend(board.take_down());
        let trace = played.with_context(|| format!("play on the gateway {}", gateway.name()))?;
        if let Some(folder) = &options.trace {
            // One controller serves all scenarios, so that there is one trace.
            write_trace(folder, &gateway.report_id(options.cluster.name()), &trace)?;
        }
    }
    finish(options, &reports, chosen.len(), out)
}

/// Plays every scenario on one kind cluster, through one of its gateways after the other.
fn on_kind(options: &Run, chosen: &[Scenario], out: &mut Output) -> Result<bool> {
    let interrupt = Interrupt::listen();
    let wish = kind::Wish {
        source: source(options),
        keep: options.keep,
        reuse: options.reuse,
        prometheus: options.prometheus,
        jobs: options.jobs,
    };
    let mut reports = Vec::new();
    let played = kind::each(wish, &interrupt, async |kind| {
        let play = async |gateway, done: Done<'_>| kind.play(gateway, chosen, &interrupt, done).await;
        through_each(options, chosen, out, &mut reports, play).await
    });
    finish_remote(options, &reports, chosen.len(), played, out)
}

/// Plays every scenario on the cluster of the current context, through one family of routes after the other.
fn on_current(options: &Run, chosen: &[Scenario], out: &mut Output) -> Result<bool> {
    let interrupt = Interrupt::listen();
    let wish = current::Wish {
        caution: match options.context_is_safe {
            true => current::Caution::Trust,
            false => current::Caution::Refuse,
        },
        gateway: options.gateway_url.clone(),
        door: options.door.clone().unwrap_or_default(),
        jobs: options.jobs,
    };
    let mut reports = Vec::new();
    let played = current::each(wish, &interrupt, async |current| {
        let play = async |gateway, done: Done<'_>| current.play(gateway, chosen, &interrupt, done).await;
        through_each(options, chosen, out, &mut reports, play).await
    });
    finish_remote(options, &reports, chosen.len(), played, out)
}

/// Takes each report as it comes, with the scenario's index.
type Done<'a> = &'a mut dyn FnMut(usize, Report);

/// Plays on one gateway after the other, and gathers all reports.
async fn through_each(
    options: &Run,
    chosen: &[Scenario],
    out: &mut Output,
    reports: &mut Vec<Report>,
    play: impl AsyncFn(Gateway, Done<'_>) -> Result<()>,
) -> Result<()> {
    for gateway in options.gateways() {
        let mut board = Board::new(options, gateway, chosen, out);
        let played = play(gateway, &mut |index, report| board.put(index, report)).await;
        reports.extend(board.take_down());
        played.with_context(|| format!("play on the gateway {}", gateway.name()))?;
    }
    Ok(())
}

/// The end of a run on a cluster that may fail as a whole; what was played before is reported all the same.
fn finish_remote(
    options: &Run,
    reports: &[Report],
    chosen: usize,
    played: Result<()>,
    out: &mut Output,
) -> Result<bool> {
    match played {
        Err(error) if reports.is_empty() => Err(error),
        played => {
            let all_is_well = finish(options, reports, chosen, out)?;
            played.map(|()| all_is_well)
        }
    }
}

fn source(options: &Run) -> kind::Source {
    match options.offline {
        true => kind::Source::Built,
        false => kind::Source::Published,
    }
}

/// The reports as they come; lines come out in the order of the list, whatever finishes first.
struct Board<'a> {
    options: &'a Run,
    gateway: Gateway,
    chosen: &'a [Scenario],
    out: &'a mut Output,
    reports: Vec<Option<Report>>,
    printed: usize,
    done: usize,
}

impl<'a> Board<'a> {
    fn new(options: &'a Run, gateway: Gateway, chosen: &'a [Scenario], out: &'a mut Output) -> Self {
        out.begin(chosen.len());
        Self {
            options,
            gateway,
            chosen,
            out,
            reports: vec![None; chosen.len()],
            printed: 0,
            done: 0,
        }
    }

    fn put(&mut self, index: usize, mut report: Report) {
        report.id = self.gateway.report_id(&report.id);
        if let Some(place) = self.reports.get_mut(index) {
            *place = Some(report);
        }
        self.done += 1;
        while let Some(Some(report)) = self.reports.get(self.printed) {
            tell(report, self.options, self.gateway, self.out);
            self.printed += 1;
        }
        let next = self.chosen.get(self.printed);
        self.out
            .progress(self.done, next.map_or("", |scenario| scenario.id.as_str()));
    }

    /// Says what came before its turn when not all came, and gives out all reports.
    fn take_down(self) -> Vec<Report> {
        self.out.end();
        for report in self.reports.iter().skip(self.printed).flatten() {
            tell(report, self.options, self.gateway, self.out);
        }
        self.reports.into_iter().flatten().collect()
    }
}

/// Plays one scenario; a panic is its failure, and not the end of the others.
fn play(scenario: &Scenario, options: &Run, gateway: Gateway) -> Played {
    let (played, wall) = jobs::timed(|| {
        let how = Play::new(options.seed).traced(options.trace.is_some());
        jobs::caught(|| embedded::play(scenario, &how.through(gateway.family())))
    });
    let mut played = played.unwrap_or_else(|said| Played::only(panicked(&scenario.id, &said)));
    played.report.wall = wall;
    played
}

/// The report of a scenario in which something panicked.
pub(crate) fn panicked(id: &str, said: &str) -> Report {
    runner::could_not_start(id, Failure::new(Check::Cluster, format!("panicked: {said}")))
}

fn tell(report: &Report, options: &Run, gateway: Gateway, out: &mut Output) {
    out.line(&report::line(report));
    if report.failures().is_empty() {
        return;
    }
    let again = format!(
        "cargo xtask e2e --scenario {} --seed {}{}{}",
        gateway.scenario_of(&report.id),
        options.seed,
        on(options.cluster),
        through(gateway)
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

fn on(cluster: Cluster) -> &'static str {
    match cluster {
        Cluster::Embedded => "",
        Cluster::Local => " --cluster local",
        Cluster::Kind => " --cluster kind",
        Cluster::Current => " --cluster current",
    }
}

fn through(gateway: Gateway) -> String {
    match gateway {
        Gateway::Ingress => String::new(),
        _ => format!(" --gateway {}", gateway.name()),
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
    let mut all_is_well = failed == 0;
    let wanted = chosen * options.gateways().len();
    if reports.len() < wanted {
        out.line(&format!(
            "interrupted: {} of {wanted} scenarios were not run",
            wanted - reports.len()
        ));
        all_is_well = false;
    } else if options.scenario == "*" {
        for (gateway, its) in options.gateways().iter().zip(reports.chunks(chosen)) {
            let ran = report::count(its, |verdict| !matches!(verdict, Verdict::Skipped(_)));
            if let Err(missing) = expectations::judge(&gateway.expected_as(cluster), ran) {
                out.line(&missing);
                all_is_well = false;
            }
        }
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
        Cluster::Local => {
            let mut proxies: Vec<String> = options
                .gateways()
                .iter()
                .filter_map(|gateway| local::real(*gateway))
                .collect();
            proxies.dedup();
            let simulated = match proxies.is_empty() {
                true => "the nodes, their pods and the gateway",
                false => "the nodes and their pods",
            };
            let parts: String = proxies.iter().map(|proxy| format!(", {proxy}")).collect();
            format!(
                "real: {}{parts}, and time; simulated: {simulated}; without Linux or Go: --cluster embedded",
                local::what_is_real()
            )
        }
        Cluster::Kind => kind::what_is_real(source(options)),
        Cluster::Current => {
            "played on the cluster of the current context, with the controller that is installed there".to_owned()
        }
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

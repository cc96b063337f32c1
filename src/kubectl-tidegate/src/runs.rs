//! An AnalysisRun as a person reads it: each metric with what it wants, its last value, its counts against their limits, and what there is to say.
//! A metric server that is out is told apart from a version that is bad. Pure text from values, but for [`of`], which reads the runs of a Rollout.

mod number;

use analysis::run::{Conditions, Fault, Limits, prepare};
use api::attachment::RunState;
use api::parts::IntOrString;
use api::v1alpha1::{AnalysisPhase, AnalysisRun, Comparison, Measurement, Metric, MetricResult};
use api::v1beta1::Rollout;
use kube::{Api, Client};
use rollout::{Judges, Judging};

use crate::connect;
use number::{part, significant};

/// The most of a value or a message that is shown, in characters.
const MOST_SHOWN: usize = 300;
/// A comparison's α when its template gives none.
const ALPHA: f64 = 0.01;

/// A run that judges a release, as far as it could be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// What it is for: `gate of step 1`.
    pub(crate) role: String,
    /// What the Rollout says of it.
    pub(crate) state: RunState,
    /// The run, or why there is none to look at.
    pub(crate) run: Result<AnalysisRun, String>,
}

/// The runs that judge the step that a Rollout is in. A run that cannot be read does not keep the rest from being shown.
pub(crate) async fn of(client: &Client, rollout: &Rollout) -> Vec<Shown> {
    let namespace = rollout.metadata.namespace.as_deref();
    let runs: Api<AnalysisRun> = Api::namespaced(client.clone(), namespace.unwrap_or(client.default_namespace()));
    let mut found = Vec::new();
    for judging in rollout::judging(rollout) {
        let run = match runs.get_opt(&judging.run.name).await {
            Ok(Some(run)) => Ok(run),
            Ok(None) => Err("it is not there yet, or no longer".to_owned()),
            Err(error) => Err(connect::failure("it cannot be read", &error).to_string()),
        };
        found.push(shown(judging, run));
    }
    found
}

/// What is shown of a run that judges a release.
pub(crate) fn shown(judging: Judging<'_>, run: Result<AnalysisRun, String>) -> Shown {
    Shown {
        role: match judging.judges {
            Judges::Step(step) => format!("gate of step {step}"),
            Judges::Background => "background".to_owned(),
        },
        state: judging.run.clone(),
        run,
    }
}

/// The run and its metrics, indented below it.
pub(crate) fn lines(shown: &Shown) -> Vec<String> {
    let Shown { role, state, run } = shown;
    let head = format!("AnalysisRun {} ({role})", state.name);
    match run {
        Ok(run) => run_lines(&head, run),
        Err(why) => vec![format!("{head}: {}; {why}", phase(&state.phase))],
    }
}

/// A run under a heading of its own.
pub(crate) fn run_lines(head: &str, run: &AnalysisRun) -> Vec<String> {
    let status = run.status.clone().unwrap_or_default();
    let mut head = format!("{head}: {}", phase(&status.phase));
    if let Some(message) = status.message.as_deref().filter(|message| !message.is_empty()) {
        head = format!("{head}: {}", clean(message));
    }
    let mut lines = vec![head];
    let written = run.spec.metrics.clone().unwrap_or_default();
    // With values in the place of arguments where that can be done; a run for which it cannot has ended and says why.
    let metrics = prepare(&run.spec, &Conditions).map_or(written, |prepared| {
        prepared.metrics.into_iter().map(|metric| metric.metric).collect()
    });
    for metric in &metrics {
        let mut results = status.metric_results.iter().flatten();
        let result = results.find(|result| result.name == metric.name);
        lines.extend(metric_lines(metric, result).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

fn metric_lines(metric: &Metric, result: Option<&MetricResult>) -> Vec<String> {
    let result = result.cloned().unwrap_or_default();
    let last = result
        .measurements
        .as_ref()
        .and_then(|measurements| measurements.last());
    let mut head = format!("{}: {}", metric.name, phase(&result.phase));
    if result.dry_run == Some(true) {
        head.push_str(" (dry run, decides nothing)");
    }
    if let Some(value) = last.and_then(|last| last.value.as_deref()) {
        head = format!("{head}, last value {}", clean(value));
    }
    let mut lines = vec![head];
    lines.extend(wanted(metric).into_iter().map(|line| format!("  {line}")));
    if let Some(comparison) = &metric.comparison {
        lines.push(format!("  {}", standing(comparison, &result)));
    }
    lines.push(format!("  {}", counts(metric, &result)));
    if let Some(said) = said(&result, last) {
        lines.push(format!("  {said}"));
    }
    lines
}

/// What a metric wants to see.
pub(crate) fn wanted(metric: &Metric) -> Vec<String> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let success = given(&metric.success_condition).map(|text| format!("good if {}", clean(&text)));
    let failure = given(&metric.failure_condition).map(|text| format!("bad if {}", clean(&text)));
    let conditions: Vec<String> = success.into_iter().chain(failure).collect();
    let guard = metric.min_samples.as_ref().map(|guard| {
        let least = match &guard.at_least {
            IntOrString::Int(least) => least.to_string(),
            IntOrString::String(least) => least.clone(),
        };
        format!("with {least} requests of the new version at least")
    });
    let conditions = (!conditions.is_empty()).then(|| conditions.join(", "));
    conditions.into_iter().chain(guard).collect()
}

/// How a comparison stands: the evidence, and how near it is to each verdict.
fn standing(comparison: &Comparison, result: &MetricResult) -> String {
    let fails_at = 1.0 / comparison.alpha.unwrap_or(ALPHA);
    let Some(found) = &result.comparison else {
        return format!(
            "against stable: nothing compared yet (Failed at M {})",
            significant(fails_at)
        );
    };
    let mut said = Vec::new();
    if let Some(log_evidence) = found.log_evidence {
        said.push(format!(
            "M {} (Failed at {})",
            number::exponential(log_evidence),
            significant(fails_at)
        ));
    }
    if let Some(p_value) = found.p_value {
        said.push(format!("p {}", significant(p_value)));
    }
    if let Some(near) = found.near_fail {
        said.push(format!("{} of the way to Failed", part(near)));
    }
    if let Some(near) = found.near_pass {
        said.push(format!("{} of the way to Successful", part(near)));
    }
    format!("against stable: {}", said.join(", "))
}

/// How often it was measured, and how that stands against the limits.
fn counts(metric: &Metric, result: &MetricResult) -> String {
    let limits = Limits::of(metric);
    let of = limits.count.map(|count| format!(" of {count}")).unwrap_or_default();
    let errors = format!(
        "{} errors ({} in a row, limit {})",
        result.error, result.consecutive_error, limits.consecutive_error
    );
    if metric.comparison.is_some() {
        return format!("{}{of} slices, {errors}", result.count);
    }
    let limit = |limit: i64| match limit {
        0.. => format!("limit {limit}"),
        _ => "no limit".to_owned(),
    };
    let in_a_row = match limits.consecutive_success {
        0 => String::new(),
        wanted => format!(" ({} in a row, {wanted} wanted)", result.consecutive_success),
    };
    format!(
        "{}{of} measured: {} good{in_a_row}, {} bad ({}), {} neither ({}), {errors}",
        result.count,
        result.successful,
        result.failed,
        limit(limits.failure),
        result.inconclusive,
        limit(limits.inconclusive),
    )
}

/// What there is to say: of a metric that has ended why, of another one what its last measurement says.
fn said(result: &MetricResult, last: Option<&Measurement>) -> Option<String> {
    let of_last = last.and_then(|last| last.message.as_deref());
    let text = match result.phase.is_final() {
        true => result.message.as_deref().or(of_last),
        false => of_last,
    };
    let text = text.filter(|text| !text.is_empty()).map(clean);
    let fault = last
        .filter(|last| last.phase == AnalysisPhase::Error)
        .and_then(|last| last.metadata.as_ref()?.get("reason"));
    match (fault.and_then(|reason| whose(reason)), text) {
        (Some(whose), Some(text)) => Some(format!("{whose}: {text}")),
        (Some(whose), None) => Some(whose.to_owned()),
        (None, text) => text,
    }
}

/// Whose fault it is that nothing was measured, by the reason that a measurement gives.
pub(crate) fn whose(reason: &str) -> Option<&'static str> {
    let faults = [
        (
            Fault::Unavailable,
            "the metric server is out, which says nothing about the new version",
        ),
        (
            Fault::Refused,
            "the metric server refuses the query, which says nothing about the new version",
        ),
        (
            Fault::Unreadable,
            "the metric server's answer cannot be used, which says nothing about the new version",
        ),
        (
            Fault::NoData,
            "the metric server has no data, which says nothing about the new version",
        ),
        (
            Fault::Template,
            "the template is wrong, which says nothing about the new version",
        ),
    ];
    faults
        .into_iter()
        .find(|(fault, _)| fault.as_str() == reason)
        .map(|(_, words)| words)
}

pub(crate) fn phase(phase: &AnalysisPhase) -> &str {
    match phase {
        AnalysisPhase::Unset => "Pending",
        other => other.as_str(),
    }
}

/// A text from elsewhere on one line, without what a terminal would obey, and not too long.
pub(crate) fn clean(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(MOST_SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

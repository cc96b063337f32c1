//! Where a run is, from its metrics: running while any is unfinished, then the worst of those that count, with the words of the one that decided. And
//! the summaries, which under Argo's semantics call a metric successful that a count or a stop has ended otherwise, as Argo Rollouts does.

use api::v1alpha1::{AnalysisPhase, AnalysisRunStatus, MetricResult, RunSummary, Semantics};

use super::metric_phase::{Cause, Stop, ended, passed};
use super::prepare::PreparedMetric;

/// Where a run is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunPhase {
    pub(super) phase: AnalysisPhase,
    pub(super) message: Option<String>,
}

/// Words of a run that was told to stop.
const TERMINATED: &str = "Run Terminated";

/// From the best to the worst.
const ORDER: [AnalysisPhase; 6] = [
    AnalysisPhase::Successful,
    AnalysisPhase::Running,
    AnalysisPhase::Pending,
    AnalysisPhase::Inconclusive,
    AnalysisPhase::Error,
    AnalysisPhase::Failed,
];

/// Where the run is. The results' phases are up to date.
pub(super) fn run_phase(
    metrics: &[PreparedMetric],
    status: &AnalysisRunStatus,
    stop: &Stop,
    semantics: Semantics,
) -> RunPhase {
    let running = RunPhase {
        phase: AnalysisPhase::Running,
        message: None,
    };
    let results: Vec<(&PreparedMetric, Option<&MetricResult>)> = metrics
        .iter()
        .map(|metric| (metric, of(status, &metric.metric.name)))
        .collect();
    let finished = |result: &Option<&MetricResult>| result.is_some_and(|result| result.phase.is_final());
    let unfinished = results.iter().any(|(_, result)| !finished(result));
    let under_way = results
        .iter()
        .any(|(_, result)| result.is_some_and(|result| result.phase == AnalysisPhase::Running));
    // What is under way is waited for, also when the run is stopped: it is told to stop, and says so.
    if (*stop == Stop::No && unfinished) || under_way {
        return running;
    }
    let mut worst: Option<AnalysisPhase> = None;
    let mut message = (*stop == Stop::Requested).then(|| TERMINATED.to_owned());
    let deciding = results
        .iter()
        .filter(|(metric, result)| !metric.dry_run && finished(result));
    let deciding: Vec<(&PreparedMetric, &MetricResult)> = deciding
        .filter_map(|(metric, result)| Some((*metric, (*result)?)))
        .collect();
    // What was only stopped says less about the run than what ended by itself.
    let (ended_itself, only_stopped): (Vec<_>, Vec<_>) = deciding
        .into_iter()
        .partition(|(metric, result)| semantics == Semantics::Argo || cause(metric, result, semantics).is_some());
    for (metric, result) in ended_itself.into_iter().chain(only_stopped) {
        if worst.as_ref().is_some_and(|worst| rank(&result.phase) <= rank(worst)) {
            continue;
        }
        worst = Some(result.phase.clone());
        let bad = result.phase != AnalysisPhase::Successful || semantics == Semantics::Argo;
        if let Some(Cause { because, .. }) = cause(metric, result, semantics).filter(|_| bad) {
            message = Some(decided(metric, result, &because));
        }
    }
    let nothing_measured = status
        .metric_results
        .iter()
        .flatten()
        .all(|result| result.measurements.is_none());
    if semantics == Semantics::Strict && *stop == Stop::Requested && nothing_measured {
        message = Some(format!("{TERMINATED} before anything was measured"));
    }
    RunPhase {
        phase: worst.unwrap_or(AnalysisPhase::Successful),
        message,
    }
}

/// What decided about a metric, as far as the semantics look: Argo Rollouts looks at limits that were passed only.
fn cause(metric: &PreparedMetric, result: &MetricResult, semantics: Semantics) -> Option<Cause> {
    let limit = passed(metric, result);
    match semantics {
        Semantics::Argo => limit,
        Semantics::Strict => limit.or_else(|| ended(metric, result)),
    }
}

fn decided(metric: &PreparedMetric, result: &MetricResult, because: &str) -> String {
    let name = &metric.metric.name;
    let said = result.message.as_deref().filter(|said| !said.is_empty());
    let said = said
        .map(|said| format!(": \"Error Message: {said}\""))
        .unwrap_or_default();
    format!("Metric \"{name}\" assessed {} due to {because}{said}", result.phase)
}

/// What there is to say about a metric that changes nothing, once it has ended.
pub(super) fn dry_run_message(metric: &PreparedMetric, result: &MetricResult, semantics: Semantics) -> Option<String> {
    let bad = result.phase != AnalysisPhase::Successful;
    let cause = cause(metric, result, semantics).filter(|_| bad)?;
    Some(format!("Metric assessed {} due to {}", result.phase, cause.because))
}

/// Summaries of the metrics that count and of those that change nothing.
pub(super) fn summaries(
    metrics: &[PreparedMetric],
    status: &AnalysisRunStatus,
    semantics: Semantics,
) -> (RunSummary, Option<RunSummary>) {
    let summary = |dry_run: bool| {
        let mut summary = RunSummary::default();
        for metric in metrics.iter().filter(|metric| metric.dry_run == dry_run) {
            summary.count += 1;
            let result = of(status, &metric.metric.name).filter(|result| result.phase.is_final());
            let Some(result) = result else { continue };
            let phase = match semantics {
                Semantics::Argo => passed(metric, result).map_or(AnalysisPhase::Successful, |cause| cause.phase),
                Semantics::Strict => result.phase.clone(),
            };
            match phase {
                AnalysisPhase::Failed => summary.failed += 1,
                AnalysisPhase::Inconclusive => summary.inconclusive += 1,
                AnalysisPhase::Error => summary.error += 1,
                _ => summary.successful += 1,
            }
        }
        summary
    };
    let dry_run = summary(true);
    (summary(false), (dry_run.count > 0).then_some(dry_run))
}

/// A metric's result.
pub(super) fn of<'a>(status: &'a AnalysisRunStatus, name: &str) -> Option<&'a MetricResult> {
    status
        .metric_results
        .iter()
        .flatten()
        .find(|result| result.name == name)
}

fn rank(phase: &AnalysisPhase) -> usize {
    ORDER.iter().position(|known| known == phase).unwrap_or(ORDER.len())
}

//! Where a metric is, from its counters, in Argo Rollouts' order: what ended it before, nothing measured, a measurement under way, limits passed, enough
//! good ones in a row, the count reached, the run being stopped. Under strict semantics a metric that is stopped is not called good for it.

use api::v1alpha1::{AnalysisPhase, MetricResult, Semantics};

use super::Limits;
use super::prepare::PreparedMetric;
use super::schedule::in_flight;

/// Whether and why a run measures no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It goes on.
    No,
    /// Somebody said so.
    Requested,
    /// A metric has ended badly.
    Sibling {
        /// Which.
        name: String,
        /// How.
        phase: AnalysisPhase,
    },
}

/// What decided about a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// What it is.
    pub(super) phase: AnalysisPhase,
    /// Why, in Argo Rollouts' words where it has some.
    pub(super) because: String,
}

/// Where a metric is now. With a text when there is more to say than its last measurement does.
pub(super) fn metric_phase(
    metric: &PreparedMetric,
    result: &MetricResult,
    stop: &Stop,
    semantics: Semantics,
) -> (AnalysisPhase, Option<String>) {
    if result.phase.is_final() {
        return (result.phase.clone(), None);
    }
    let measured = result
        .measurements
        .as_ref()
        .is_some_and(|measurements| !measurements.is_empty());
    if measured && in_flight(result).is_some() {
        return (AnalysisPhase::Running, None);
    }
    if measured && let Some(cause) = passed(metric, result).or_else(|| ended(metric, result)) {
        return (cause.phase, None);
    }
    match (stop, semantics) {
        (Stop::No, _) if measured => (AnalysisPhase::Running, None),
        (Stop::No, _) => (AnalysisPhase::Pending, None),
        (_, Semantics::Argo) => (AnalysisPhase::Successful, None),
        (stop, Semantics::Strict) => {
            let (phase, said) = stopped(&metric.limits, result, stop);
            (phase, Some(said))
        }
    }
}

/// The limit that was passed, if one was. The worst wins: errors, then doubts, then failures.
pub(super) fn passed(metric: &PreparedMetric, result: &MetricResult) -> Option<Cause> {
    let Limits {
        failure,
        inconclusive,
        consecutive_error,
        ..
    } = metric.limits;
    let cause = |phase, what: &str, found: i32, field: &str, limit: i64| Cause {
        phase,
        because: format!("{what} ({found}) > {field} ({limit})"),
    };
    if i64::from(result.consecutive_error) > consecutive_error {
        return Some(cause(
            AnalysisPhase::Error,
            "consecutiveErrors",
            result.consecutive_error,
            "consecutiveErrorLimit",
            consecutive_error,
        ));
    }
    if metric.metric.comparison.is_some() {
        // Each slice of a comparison that is not decided yet is an inconclusive one; only the test's own verdict counts.
        return decided(result);
    }
    if i64::from(result.inconclusive) > inconclusive {
        return Some(cause(
            AnalysisPhase::Inconclusive,
            "inconclusive",
            result.inconclusive,
            "inconclusiveLimit",
            inconclusive,
        ));
    }
    (failure >= 0 && i64::from(result.failed) > failure)
        .then(|| cause(AnalysisPhase::Failed, "failed", result.failed, "failureLimit", failure))
}

/// What the test of a comparison has decided.
fn decided(result: &MetricResult) -> Option<Cause> {
    let verdict = &result.comparison.as_ref()?.verdict;
    let because = match verdict {
        AnalysisPhase::Failed => "comparison: the new version is worse than the stable one",
        AnalysisPhase::Successful => "comparison: the new version is not as bad as it must not be",
        AnalysisPhase::Inconclusive => "comparison: not decided within maxSamples",
        _ => return None,
    };
    Some(Cause {
        phase: verdict.clone(),
        because: because.to_owned(),
    })
}

/// What the count, or enough good measurements in a row, say.
pub(super) fn ended(metric: &PreparedMetric, result: &MetricResult) -> Option<Cause> {
    let limits = &metric.limits;
    let reached = limits.reached(result.count);
    let count = result.count;
    if metric.metric.comparison.is_some() {
        return reached.then(|| Cause {
            phase: AnalysisPhase::Inconclusive,
            because: format!("comparison: not decided after {count} readings"),
        });
    }
    let wanted = limits.consecutive_success;
    if wanted > 0 && i64::from(result.consecutive_success) >= wanted {
        return Some(Cause {
            phase: AnalysisPhase::Successful,
            because: format!(
                "consecutiveSuccesses ({}) >= consecutiveSuccessLimit ({wanted})",
                result.consecutive_success
            ),
        });
    }
    if !reached {
        return None;
    }
    let because = format!(
        "consecutiveSuccesses ({}) < consecutiveSuccessLimit ({wanted}) after {count} measurements",
        result.consecutive_success
    );
    Some(match (limits.failure >= 0, wanted > 0) {
        (true, true) => Cause {
            phase: AnalysisPhase::Inconclusive,
            because,
        },
        (false, true) => Cause {
            phase: AnalysisPhase::Failed,
            because,
        },
        _ => Cause {
            phase: AnalysisPhase::Successful,
            because: format!("{count} measurements within the limits"),
        },
    })
}

/// Under strict semantics: a metric that was to be measured for as long as there was time is good when it was, and the last look was an answer. Any
/// other is not known to be good.
fn stopped(limits: &Limits, result: &MetricResult, stop: &Stop) -> (AnalysisPhase, String) {
    let why = match stop {
        Stop::Sibling { name, phase } => format!("metric \"{name}\" was assessed {phase}"),
        Stop::No | Stop::Requested => "the run was terminated".to_owned(),
    };
    let measured = result.count.saturating_add(result.error);
    if measured == 0 {
        return (
            AnalysisPhase::Inconclusive,
            format!("stopped before anything was measured: {why}"),
        );
    }
    let endless = limits.count.is_none() && limits.consecutive_success == 0;
    if *stop == Stop::Requested && endless && result.successful > 0 && result.consecutive_error == 0 {
        return (
            AnalysisPhase::Successful,
            format!("stopped after {measured} measurements, within the limits: {why}"),
        );
    }
    (
        AnalysisPhase::Inconclusive,
        format!("stopped after {measured} measurements, before it was decided: {why}"),
    )
}

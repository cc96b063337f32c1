//! One answer, put into a metric's result: its verdict, and the counters by Argo Rollouts' rules. An error counts as no measurement; everything else
//! ends the row of errors.

use api::parts::IntOrString;
use api::v1alpha1::{AnalysisPhase, Measurement, MetricResult, OnWarnings, Semantics, number};
use jiff::Timestamp;

use super::prepare::PreparedMetric;
use super::{Fault, Judge, Judgement, Measured, Outcome};
use crate::run::schedule::{in_flight, second};

/// Key in a measurement's metadata: one word for why it is no good one.
const REASON: &str = "reason";
/// Key in a measurement's metadata: what the provider said beside the value.
const WARNINGS: &str = "warnings";

/// The most characters of a value or a message that are kept.
const MOST_SHOWN: usize = 1024;

/// The result with the answer in it. One that answers another measurement than the next one changes nothing.
pub(super) fn record(
    result: &mut MetricResult,
    metric: &PreparedMetric,
    measured: &Measured,
    semantics: Semantics,
    now: Timestamp,
    judge: &impl Judge,
) {
    if measured.ordinal != ordinal(result) {
        return;
    }
    let begun = in_flight(result).and_then(|measurement| measurement.started_at.clone());
    let mut measurement = Measurement {
        started_at: Some(begun.unwrap_or_else(|| second(measured.started_at))),
        metadata: (!measured.metadata.is_empty()).then(|| measured.metadata.clone()),
        ..Measurement::default()
    };
    if let Outcome::Unfinished { resume_at } = &measured.outcome {
        measurement.phase = AnalysisPhase::Running;
        measurement.resume_at = Some(second(*resume_at));
    } else {
        let judgement = judgement(result, metric, measured, semantics, now, judge);
        count(result, &judgement.phase);
        measurement.value = value(&measured.outcome);
        measurement.finished_at = Some(second(now));
        measurement.phase = judgement.phase;
        measurement.message = judgement.message.filter(|message| !message.is_empty()).map(short);
        if let Some(reason) = judgement.reason {
            note(&mut measurement, REASON, reason.to_owned());
        }
    }
    if !measured.warnings.is_empty() {
        note(&mut measurement, WARNINGS, measured.warnings.join("; "));
    }
    if !measured.about.is_empty() {
        result.metadata.get_or_insert_default().extend(measured.about.clone());
    }
    let resumed = in_flight(result).is_some();
    let measurements = result.measurements.get_or_insert_default();
    if resumed {
        measurements.pop();
    }
    measurements.push(measurement);
}

/// Which measurement of a metric is the next to come in, from 1.
pub(super) fn ordinal(result: &MetricResult) -> i32 {
    result.count.saturating_add(result.error).saturating_add(1)
}

fn judgement(
    result: &mut MetricResult,
    metric: &PreparedMetric,
    measured: &Measured,
    semantics: Semantics,
    now: Timestamp,
    judge: &impl Judge,
) -> Judgement {
    let doubt = |reason, message| Judgement {
        phase: AnalysisPhase::Inconclusive,
        reason: Some(reason),
        message: Some(message),
    };
    match &measured.outcome {
        Outcome::Error { fault, message } => Judgement {
            phase: AnalysisPhase::Error,
            reason: Some(fault.as_str()),
            message: Some(message.clone()),
        },
        Outcome::Verdict { phase, message } => Judgement {
            phase: phase.clone(),
            reason: None,
            message: Some(message.clone()),
        },
        // Argo Rollouts calls a Job that was stopped a success.
        Outcome::Stopped if semantics == Semantics::Argo => Judgement {
            phase: AnalysisPhase::Successful,
            ..Judgement::default()
        },
        Outcome::Stopped => doubt("Stopped", "stopped before it was finished".to_owned()),
        Outcome::Value(_) | Outcome::Counted(_) if partial(metric, measured, semantics) => doubt(
            "Warnings",
            format!("the answer may be wrong: {}", measured.warnings.join("; ")),
        ),
        Outcome::Value(value) => match too_few(metric, measured) {
            Some(message) => doubt("TooFewSamples", message),
            None => judge.value(&metric.metric, value, semantics, now),
        },
        Outcome::Counted(reading) => match &metric.metric.comparison {
            Some(comparison) => {
                let (judgement, standing) = judge.counts(comparison, metric.among, result.comparison.as_ref(), reading);
                result.comparison = Some(standing);
                judgement
            }
            None => Judgement {
                phase: AnalysisPhase::Error,
                reason: Some(Fault::Template.as_str()),
                message: Some("the metric has no comparison; give it one, or conditions".to_owned()),
            },
        },
        Outcome::Unfinished { .. } => Judgement::default(),
    }
}

/// Whether the answer came with warnings that are heeded.
fn partial(metric: &PreparedMetric, measured: &Measured, semantics: Semantics) -> bool {
    let asked = metric
        .metric
        .provider
        .prometheus
        .as_ref()
        .and_then(|prometheus| prometheus.on_warnings);
    let heeded = match asked {
        Some(OnWarnings::Inconclusive) => true,
        Some(OnWarnings::Ignore) => false,
        None => semantics == Semantics::Strict,
    };
    heeded && !measured.warnings.is_empty()
}

/// Says so when the new version had fewer requests than the metric needs. No answer, and an answer that is no number, are none.
fn too_few(metric: &PreparedMetric, measured: &Measured) -> Option<String> {
    let wanted = metric.metric.min_samples.as_ref()?;
    let least = number(&wanted.at_least).unwrap_or(1);
    let samples = measured.samples.filter(|samples| samples.is_finite()).unwrap_or(0.0);
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
    let enough = samples >= least as f64;
    let said = match &wanted.at_least {
        IntOrString::Int(least) => least.to_string(),
        IntOrString::String(least) => least.clone(),
    };
    (!enough).then(|| format!("the new version had {samples} requests, and {said} are needed to judge it"))
}

fn value(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Value(value) => Some(short(value.to_string())),
        _ => None,
    }
}

/// A text of bounded length: a run keeps many of them in its status, and an answer may be as long as it likes.
fn short(mut text: String) -> String {
    if let Some((cut, _)) = text.char_indices().nth(MOST_SHOWN) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

fn note(measurement: &mut Measurement, key: &str, value: String) {
    measurement
        .metadata
        .get_or_insert_default()
        .insert(key.to_owned(), value);
}

fn count(result: &mut MetricResult, phase: &AnalysisPhase) {
    match phase {
        AnalysisPhase::Successful => {
            result.successful += 1;
            result.count += 1;
            result.consecutive_success += 1;
            result.consecutive_error = 0;
        }
        AnalysisPhase::Failed => {
            result.failed += 1;
            result.count += 1;
            result.consecutive_success = 0;
            result.consecutive_error = 0;
        }
        AnalysisPhase::Inconclusive => {
            result.inconclusive += 1;
            result.count += 1;
            result.consecutive_success = 0;
            result.consecutive_error = 0;
        }
        _ => {
            result.error += 1;
            result.consecutive_error += 1;
            result.consecutive_success = 0;
        }
    }
}

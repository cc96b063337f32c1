//! When a metric is measured next. A measurement is due an interval after the last one ended, so that times drift, as Argo Rollouts' do; after an error
//! it is due after ten seconds, whatever the interval. Times are whole seconds, since that is what a status holds.

use std::time::Duration;

use api::v1alpha1::{AnalysisPhase, Measurement, MetricResult};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::prepare::PreparedMetric;
use super::record::ordinal;
use super::{ERROR_RETRY, MeasureRequest, Work};

/// What a metric waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// Something is to be done now.
    Due(Box<MeasureRequest>),
    /// It is looked at again then.
    At(Timestamp),
    /// Nothing more.
    Nothing,
}

/// What a metric that is not finished waits for.
pub(super) fn next(
    metric: &PreparedMetric,
    result: Option<&MetricResult>,
    begun: Timestamp,
    now: Timestamp,
    stopping: bool,
) -> Next {
    let due = |work| {
        Next::Due(Box::new(MeasureRequest {
            metric: metric.metric.clone(),
            ordinal: result.map_or(1, ordinal),
            secrets: metric.secrets.clone(),
            work,
        }))
    };
    if result.is_some_and(|result| result.phase.is_final()) {
        return Next::Nothing;
    }
    let last = result.and_then(last);
    if let Some(last) = last.filter(|last| last.finished_at.is_none()) {
        let resume_at = last.resume_at.as_ref().map(|time| time.0);
        return match resume_at {
            _ if stopping => due(Work::Stop(last.clone())),
            Some(resume_at) if resume_at > now => Next::At(resume_at),
            _ => due(Work::Resume(last.clone())),
        };
    }
    if stopping {
        return Next::Nothing;
    }
    let at = match last.and_then(|last| Some((last, last.finished_at.as_ref()?.0))) {
        None => after(begun, metric.limits.initial_delay),
        Some(_) if result.is_some_and(|result| metric.limits.reached(result.count)) => return Next::Nothing,
        Some((last, ended)) if last.phase == AnalysisPhase::Error => after(ended, ERROR_RETRY),
        Some((_, ended)) => after(ended, metric.limits.interval.unwrap_or(ERROR_RETRY)),
    };
    if at > now { Next::At(at) } else { due(Work::Start) }
}

/// The last measurement.
pub(super) fn last(result: &MetricResult) -> Option<&Measurement> {
    result
        .measurements
        .as_ref()
        .and_then(|measurements| measurements.last())
}

/// The measurement that takes long and is not over yet.
pub(super) fn in_flight(result: &MetricResult) -> Option<&Measurement> {
    last(result).filter(|measurement| measurement.finished_at.is_none())
}

/// A moment as a status holds it.
pub(super) fn second(moment: Timestamp) -> Time {
    Time(Timestamp::from_second(moment.as_second()).unwrap_or(moment))
}

/// A moment later; the last there is when that is beyond all time.
pub(super) fn after(moment: Timestamp, time: Duration) -> Timestamp {
    moment.checked_add(time).unwrap_or(Timestamp::MAX)
}

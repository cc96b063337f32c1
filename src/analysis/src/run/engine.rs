//! One step of a run: answers are taken in, metrics and the run are assessed, measurements that are not kept go, and what is to be measured now is
//! named.

use api::v1alpha1::{AnalysisPhase, AnalysisRunSpec, AnalysisRunStatus, MetricResult, Semantics};
use jiff::Timestamp;

use super::expiry::expires;
use super::metric_phase::{Stop, metric_phase};
use super::prepare::{Prepared, PreparedMetric, prepare};
use super::record::record;
use super::run_phase::{dry_run_message, of, run_phase, summaries};
use super::schedule::{Next, last, next, second};
use super::{Judge, MeasureRequest, Measured};

/// What a run does next.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What its status becomes. The same as before when nothing has changed.
    pub status: AnalysisRunStatus,
    /// What is to be measured now, unless it is under way already.
    pub due: Vec<MeasureRequest>,
    /// When to ask again, apart from answers that come in. Not after now means at once, with this status.
    pub next: Option<Timestamp>,
    /// Whether the run has outlived its time and is to be deleted.
    pub expired: bool,
}

/// How a run would end if it were told to stop at `now`: no final phase while a measurement is under way.
pub fn if_stopped(
    spec: &AnalysisRunSpec,
    status: &AnalysisRunStatus,
    now: Timestamp,
    judge: &impl Judge,
) -> AnalysisPhase {
    let stopped = AnalysisRunSpec {
        terminate: Some(true),
        ..spec.clone()
    };
    advance(&stopped, status, now, &[], judge).status.phase
}

/// Takes a run one step further, at `now`, with the answers that have come in since.
pub fn advance(
    spec: &AnalysisRunSpec,
    status: &AnalysisRunStatus,
    now: Timestamp,
    arrived: &[Measured],
    judge: &impl Judge,
) -> Step {
    if status.phase.is_final() {
        return over(spec, status.clone(), now);
    }
    let mut status = status.clone();
    let begun = status.started_at.get_or_insert_with(|| second(now)).0;
    let prepared = match prepare(spec, judge) {
        Ok(prepared) => prepared,
        Err(error) => {
            finish(&mut status, AnalysisPhase::Error, Some(error.to_string()), now);
            return over(spec, status, now);
        }
    };
    // Argo Rollouts looks whether it stops before it takes the answers in, so that siblings of a metric that fails now are told next time.
    let before = stop(spec, &prepared, &status);
    for measured in arrived {
        take_in(&mut status, &prepared, measured, now, judge);
    }
    assess(&mut status, &prepared, &before);
    let after = stop(spec, &prepared, &status);
    let settled = prepared.semantics == Semantics::Argo || after == before;
    if !settled {
        assess(&mut status, &prepared, &after);
    }
    let assessed_with = if settled { &before } else { &after };
    for metric in &prepared.metrics {
        trim(&mut status, metric);
    }
    let (run, dry_run) = summaries(&prepared.metrics, &status, prepared.semantics);
    status.run_summary = run;
    status.dry_run_summary = dry_run;
    let found = run_phase(&prepared.metrics, &status, assessed_with, prepared.semantics);
    if found.phase.is_final() {
        finish(&mut status, found.phase, found.message, now);
        return over(spec, status, now);
    }
    status.phase = found.phase;
    status.message = found.message;
    let mut due = Vec::new();
    let mut again = (after != *assessed_with).then_some(now);
    for metric in &prepared.metrics {
        let result = of(&status, &metric.metric.name);
        match next(metric, result, begun, now, after != Stop::No) {
            Next::Due(request) => due.push(*request),
            Next::At(time) => again = Some(again.map_or(time, |earlier| earlier.min(time))),
            Next::Nothing => {}
        }
    }
    Step {
        status,
        due,
        next: again,
        expired: false,
    }
}

fn over(spec: &AnalysisRunSpec, status: AnalysisRunStatus, now: Timestamp) -> Step {
    let expires = expires(spec.ttl_strategy.as_ref(), &status);
    Step {
        status,
        due: Vec::new(),
        next: expires.filter(|expires| *expires > now),
        expired: expires.is_some_and(|expires| expires <= now),
    }
}

fn finish(status: &mut AnalysisRunStatus, phase: AnalysisPhase, message: Option<String>, now: Timestamp) {
    status.phase = phase;
    status.message = message;
    status.completed_at = Some(second(now));
}

/// Whether the run measures no more, as its status says.
fn stop(spec: &AnalysisRunSpec, prepared: &Prepared, status: &AnalysisRunStatus) -> Stop {
    if spec.terminate == Some(true) {
        return Stop::Requested;
    }
    let bad = prepared
        .metrics
        .iter()
        .filter(|metric| !metric.dry_run)
        .find_map(|metric| {
            let result = of(status, &metric.metric.name)?;
            let bad = result.phase.is_final() && result.phase != AnalysisPhase::Successful;
            bad.then(|| (result.name.clone(), result.phase.clone()))
        });
    bad.map_or(Stop::No, |(name, phase)| Stop::Sibling { name, phase })
}

fn take_in(
    status: &mut AnalysisRunStatus,
    prepared: &Prepared,
    measured: &Measured,
    now: Timestamp,
    judge: &impl Judge,
) {
    let Some(metric) = prepared
        .metrics
        .iter()
        .find(|metric| metric.metric.name == measured.metric)
    else {
        return;
    };
    let result = result_of(status, metric);
    if !result.phase.is_final() {
        record(result, metric, measured, prepared.semantics, now, judge);
    }
}

/// A metric's result, made when it is not there.
fn result_of<'a>(status: &'a mut AnalysisRunStatus, metric: &PreparedMetric) -> &'a mut MetricResult {
    let results = status.metric_results.get_or_insert_default();
    let at = results
        .iter()
        .position(|result| result.name == metric.metric.name)
        .unwrap_or(results.len());
    if at == results.len() {
        results.push(MetricResult {
            name: metric.metric.name.clone(),
            phase: AnalysisPhase::Running,
            dry_run: metric.dry_run.then_some(true),
            ..MetricResult::default()
        });
    }
    &mut results[at]
}

/// Brings the phases of all metrics up to date.
fn assess(status: &mut AnalysisRunStatus, prepared: &Prepared, stop: &Stop) {
    for metric in &prepared.metrics {
        let there = of(status, &metric.metric.name).is_some();
        // Argo Rollouts has no result for what it never measured.
        if !there && (*stop == Stop::No || prepared.semantics == Semantics::Argo) {
            continue;
        }
        let result = result_of(status, metric);
        let (phase, said) = metric_phase(metric, result, stop, prepared.semantics);
        if phase == result.phase {
            continue;
        }
        result.phase = phase;
        result.message = said.or_else(|| last(result).and_then(|measurement| measurement.message.clone()));
        if metric.dry_run
            && result.phase.is_final()
            && let Some(said) = dry_run_message(metric, result, prepared.semantics)
        {
            result.message = Some(said);
        }
    }
}

/// Lets the oldest measurements go that are more than are kept.
fn trim(status: &mut AnalysisRunStatus, metric: &PreparedMetric) {
    let results = status.metric_results.iter_mut().flatten();
    for result in results.filter(|result| result.name == metric.metric.name) {
        if let Some(measurements) = &mut result.measurements {
            measurements.drain(..measurements.len().saturating_sub(metric.kept));
        }
    }
}

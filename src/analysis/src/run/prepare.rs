//! A run's spec, read and checked once for each call: arguments filled in, rules resolved, metrics valid. What is wrong here ends the run as an Error
//! before anything is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use api::field_error;
use api::v1alpha1::{AnalysisRunSpec, Metric, Provider, SecretKeyRef, Semantics};
use api::validate;

use super::arguments::{self, ArgumentError};
use super::{Judge, Limits};
use crate::references::{Part, parts};
use crate::rules::{self, BadRule};

/// What a run measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The metrics, in order.
    pub metrics: Vec<PreparedMetric>,
    /// Whose rules hold.
    pub semantics: Semantics,
}

/// One metric of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedMetric {
    /// The metric; of its references only those to secret arguments are left.
    pub metric: Metric,
    /// Its count and limits.
    pub limits: Limits,
    /// Whether it changes nothing.
    pub dry_run: bool,
    /// How many measurements are kept.
    pub kept: usize,
    /// How many comparisons the run makes, this one among them.
    pub among: NonZeroU32,
    /// The secret arguments that it refers to.
    pub secrets: BTreeMap<String, SecretKeyRef>,
}

/// Measurements that are kept when no rule says.
const KEPT: usize = 10;

/// Why a run cannot measure anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// There is nothing to measure.
    #[error("no metrics specified; give the run at least one")]
    Empty,
    /// An argument or a reference.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// A secret in a place that everybody may read.
    #[error(
        "metric '{metric}' uses the secret argument '{name}' outside of its provider, where everybody may read it; use it in provider only"
    )]
    Exposed {
        /// The metric.
        metric: String,
        /// The argument.
        name: String,
    },
    /// A rule that picks metrics.
    #[error(transparent)]
    Rule(#[from] BadRule),
    /// Metrics that are not valid.
    #[error("the AnalysisRun is invalid: {0}")]
    Invalid(String),
    /// A condition that cannot be read.
    #[error("metric '{metric}': {field} cannot be read: {why}")]
    Condition {
        /// The metric.
        metric: String,
        /// Which condition.
        field: &'static str,
        /// Where and why.
        why: String,
    },
}

/// Reads a run's spec.
///
/// # Errors
/// What keeps it from measuring.
pub fn prepare(spec: &AnalysisRunSpec, judge: &impl Judge) -> Result<Prepared, PrepareError> {
    let semantics = spec.semantics.unwrap_or_default();
    let written = spec.metrics.as_deref().unwrap_or_default();
    if written.is_empty() {
        return Err(PrepareError::Empty);
    }
    let (values, secrets) = arguments_of(spec)?;
    let open: Vec<&str> = secrets.keys().map(String::as_str).collect();
    let filled: Vec<Metric> = written
        .iter()
        .map(|metric| arguments::fill(metric, &values, &open))
        .collect::<Result<_, _>>()?;
    let errors = validate::metrics(&filled, semantics);
    if !errors.is_empty() {
        return Err(PrepareError::Invalid(field_error::aggregate(&errors)));
    }
    let names: Vec<&str> = filled.iter().map(|metric| metric.name.as_str()).collect();
    let dry_run: BTreeSet<String> = rules::dry_run(&names, spec.dry_run.as_deref().unwrap_or_default())?
        .into_iter()
        .collect();
    let retention = rules::retention(&names, spec.measurement_retention.as_deref().unwrap_or_default())?;
    let compared = filled
        .iter()
        .filter(|metric| metric.comparison.is_some() && !dry_run.contains(&metric.name));
    let among = u32::try_from(compared.count())
        .ok()
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MIN);
    let metrics = filled
        .into_iter()
        .map(|metric| {
            if semantics == Semantics::Strict {
                conditions(&metric, judge)?;
            }
            let used = used(&metric, &secrets)?;
            let kept = retention
                .get(&metric.name)
                .and_then(|limit| usize::try_from(*limit).ok());
            Ok(PreparedMetric {
                limits: Limits::of(&metric),
                dry_run: dry_run.contains(&metric.name),
                // Argo Rollouts takes a limit of 0 or less for none that is given.
                kept: kept.filter(|kept| *kept > 0).unwrap_or(KEPT),
                among,
                secrets: used,
                metric,
            })
        })
        .collect::<Result<_, PrepareError>>()?;
    Ok(Prepared { metrics, semantics })
}

/// Arguments with a value, and arguments of a Secret.
type Arguments = (BTreeMap<String, String>, BTreeMap<String, SecretKeyRef>);

fn arguments_of(spec: &AnalysisRunSpec) -> Result<Arguments, ArgumentError> {
    let (mut values, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for argument in spec.args.iter().flatten() {
        let name = argument.name.clone();
        let source = argument
            .value_from
            .as_ref()
            .and_then(|source| source.secret_key_ref.clone());
        match (&argument.value, source) {
            (Some(value), _) => {
                if let Some(inner) = arguments::first_reference(value) {
                    return Err(ArgumentError::Nested {
                        name,
                        inner: inner.to_owned(),
                    });
                }
                values.insert(name, value.clone());
            }
            (None, Some(secret)) => {
                secrets.insert(name, secret);
            }
            (None, None) => return Err(ArgumentError::Unresolved { name }),
        }
    }
    Ok((values, secrets))
}

/// The secret arguments that a metric's provider refers to. Anywhere else they would be shown.
fn used(
    metric: &Metric,
    secrets: &BTreeMap<String, SecretKeyRef>,
) -> Result<BTreeMap<String, SecretKeyRef>, PrepareError> {
    let open = Metric {
        provider: Provider::default(),
        ..metric.clone()
    };
    let text = |part: Result<serde_json::Value, serde_json::Error>| part.unwrap_or_default().to_string();
    let open = text(serde_json::to_value(&open));
    let provider = text(serde_json::to_value(&metric.provider));
    if let Some(name) = references_in(&open).into_iter().next() {
        return Err(PrepareError::Exposed {
            metric: metric.name.clone(),
            name: name.to_owned(),
        });
    }
    let used = references_in(&provider)
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), secrets.get(name)?.clone())));
    Ok(used.collect())
}

/// The arguments that a text still refers to.
fn references_in(text: &str) -> BTreeSet<&str> {
    let names = parts(text).into_iter().filter_map(|part| match part {
        Part::Reference { name, .. } => Some(name),
        Part::Text(_) | Part::Unclosed(_) => None,
    });
    names.collect()
}

/// Under strict semantics a condition that cannot be read ends the run at once; Argo Rollouts finds out at each measurement.
fn conditions(metric: &Metric, judge: &impl Judge) -> Result<(), PrepareError> {
    for (field, text) in [
        ("successCondition", &metric.success_condition),
        ("failureCondition", &metric.failure_condition),
    ] {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            judge.readable(text).map_err(|why| PrepareError::Condition {
                metric: metric.name.clone(),
                field,
                why,
            })?;
        }
    }
    Ok(())
}

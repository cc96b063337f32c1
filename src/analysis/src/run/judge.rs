//! What one measurement says, seen from the engine: a phase and a message. The engine asks through a trait, so that counting verdicts and finding them
//! stay apart; [`Conditions`] is what everybody takes.

use std::num::NonZeroU32;

use api::v1alpha1::{AnalysisPhase, Comparison, ComparisonResult, Metric, Semantics};
use jiff::Timestamp;

use super::{Fault, comparison};
use crate::condition::{Condition, Scope};
use crate::sequential::counters::Reading;
use crate::value::Value;
use crate::verdict::{self, Verdict};

/// What a measurement says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Successful, Failed, Inconclusive or Error.
    pub phase: AnalysisPhase,
    /// One word for what is not good about it, such as NoData.
    pub reason: Option<&'static str>,
    /// A sentence about it.
    pub message: Option<String>,
}

/// Whoever finds out what a measurement says.
pub trait Judge {
    /// Whether a condition can be read; the text says why not.
    ///
    /// # Errors
    /// Where and why it cannot.
    fn readable(&self, condition: &str) -> Result<(), String>;

    /// Judges a value by the metric's conditions.
    fn value(&self, metric: &Metric, value: &Value, semantics: Semantics, now: Timestamp) -> Judgement;

    /// Takes one more look at the counters, going on from how the comparison stood. `among` comparisons are made in the run.
    fn counts(
        &self,
        comparison: &Comparison,
        among: NonZeroU32,
        before: Option<&ComparisonResult>,
        reading: &Reading,
    ) -> (Judgement, ComparisonResult);
}

/// Judges by the metrics' own conditions, and comparisons by the sequential test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions;

impl Judge for Conditions {
    fn readable(&self, condition: &str) -> Result<(), String> {
        Condition::parse(condition)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    fn value(&self, metric: &Metric, value: &Value, semantics: Semantics, now: Timestamp) -> Judgement {
        let wrong = |message: String| Judgement {
            phase: AnalysisPhase::Error,
            reason: Some(Fault::Template.as_str()),
            message: Some(message),
        };
        let parse = |field: &str, text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match Condition::parse(text) {
                Ok(condition) => Ok(Some(condition)),
                Err(error) => Err(format!("{field} \"{text}\" cannot be read: {error}")),
            },
        };
        let success = match parse("successCondition", &metric.success_condition) {
            Ok(success) => success,
            Err(message) => return wrong(message),
        };
        let failure = match parse("failureCondition", &metric.failure_condition) {
            Ok(failure) => failure,
            Err(message) => return wrong(message),
        };
        let scope = Scope { now, semantics };
        match verdict::judge(success.as_ref(), failure.as_ref(), value, scope) {
            Verdict::Successful => Judgement {
                phase: AnalysisPhase::Successful,
                ..Judgement::default()
            },
            Verdict::Failed => Judgement {
                phase: AnalysisPhase::Failed,
                ..Judgement::default()
            },
            Verdict::Inconclusive(doubt) => Judgement {
                phase: AnalysisPhase::Inconclusive,
                reason: Some(doubt.reason()),
                // Argo Rollouts says nothing about a measurement that is neither.
                message: (semantics == Semantics::Strict).then(|| doubt.to_string()),
            },
            Verdict::Error(unanswered) if value.is_empty() => Judgement {
                phase: AnalysisPhase::Error,
                reason: Some(Fault::NoData.as_str()),
                message: Some(unanswered.to_string()),
            },
            Verdict::Error(unanswered) => wrong(unanswered.to_string()),
        }
    }

    fn counts(
        &self,
        comparison: &Comparison,
        among: NonZeroU32,
        before: Option<&ComparisonResult>,
        reading: &Reading,
    ) -> (Judgement, ComparisonResult) {
        comparison::look(comparison, among, before, reading)
    }
}

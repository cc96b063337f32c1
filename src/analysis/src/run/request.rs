//! What goes between the engine and whoever measures: requests out, measurements in. Neither holds a secret.

use std::collections::BTreeMap;

use api::v1alpha1::{AnalysisPhase, Measurement, Metric, SecretKeyRef};
use jiff::Timestamp;

use crate::sequential::counters::Reading;
use crate::value::Value;

/// Something to be measured now. The same request comes again from every call until its answer has come in; whoever measures knows by metric and
/// ordinal what is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureRequest {
    /// The metric; of its references only those to secret arguments are left.
    pub metric: Metric,
    /// Which measurement of the metric this is, from 1. Also the same after a restart, so that a Job can be found again by a name made of it.
    pub ordinal: i32,
    /// The secret arguments that the metric refers to, by their names.
    pub secrets: BTreeMap<String, SecretKeyRef>,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done for a measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Begin it.
    Start,
    /// Look at one that takes long.
    Resume(Measurement),
    /// Stop one that takes long, and clean up after it.
    Stop(Measurement),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The metric.
    pub metric: String,
    /// Which measurement of it. An answer to one that is over already counts for nothing.
    pub ordinal: i32,
    /// When it was begun.
    pub started_at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// What the provider said beside it. No secret may be in there: [`super::Secrets::mask`].
    pub warnings: Vec<String>,
    /// How many requests `minSamples` counted, when the metric has it and the query had an answer.
    pub samples: Option<f64>,
    /// What is worth knowing about this measurement.
    pub metadata: BTreeMap<String, String>,
    /// What is worth knowing about all of them, such as the query.
    pub about: BTreeMap<String, String>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value, for the metric's conditions.
    Value(Value),
    /// The counters of a comparison, for its test.
    Counted(Reading),
    /// A verdict of the provider's own, as a Job's.
    Verdict {
        /// Successful, Failed or Inconclusive.
        phase: AnalysisPhase,
        /// What there is to say.
        message: String,
    },
    /// It takes longer.
    Unfinished {
        /// When to look again.
        resume_at: Timestamp,
    },
    /// It was stopped.
    Stopped,
    /// It failed. No secret may be in the message: [`super::Secrets::mask`].
    Error {
        /// Whose fault it is.
        fault: Fault,
        /// What went wrong.
        message: String,
    },
}

/// Whose fault it is that something could not be measured: never the new version's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The metric server is down, slow, or overloaded. Time may mend it.
    Unavailable,
    /// It refuses the query. Only an edit mends it.
    Refused,
    /// What it answers cannot be read.
    Unreadable,
    /// It has nothing to say: no such series, or no requests.
    NoData,
    /// The template, or what it names: a missing Secret, an expression that does not fit the value.
    Template,
}

impl Fault {
    /// One word for status, conditions and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "MetricServerUnavailable",
            Self::Refused => "QueryRefused",
            Self::Unreadable => "AnswerUnreadable",
            Self::NoData => "NoData",
            Self::Template => "TemplateWrong",
        }
    }
}

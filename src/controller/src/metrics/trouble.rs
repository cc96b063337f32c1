//! Why a measurement brought no value, by class, so that a metric server that is down is told apart from a bad release and from a mistake in the
//! template. A [`Trouble`] is what leaves the providers, always masked; a `Fault` is the same before masking and stays among them. Pure.

use std::time::Duration;

use super::secrets::{Masked, Secrets};

/// What kind of trouble it is. The words stand in status and as labels of counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The request cannot be made as it is written.
    Misconfigured,
    /// Nobody answered, or the answer broke off.
    Transport,
    /// No whole answer in time.
    Timeout,
    /// The server does not accept the request: 4xx.
    QueryRefused,
    /// The server cannot answer now: 5xx, 408, 425, 429.
    ServerError,
    /// The answer is not of the expected form.
    Malformed,
    /// The answer is larger than is read.
    TooLarge,
    /// The answer leads elsewhere, and is not followed.
    Redirect,
    /// The answer holds native histograms, which are no numbers.
    HistogramRefused,
    /// The answer holds something else that is no number.
    NotNumeric,
    /// The answer does not hold what was asked for.
    NoValue,
    /// The cluster does not accept a Job, or lost it.
    JobRefused,
}

impl Class {
    /// The word for status, in the form of Kubernetes' reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Misconfigured => "Misconfigured",
            Self::Transport => "MetricServerUnreachable",
            Self::Timeout => "MetricServerTimeout",
            Self::QueryRefused => "QueryRefused",
            Self::ServerError => "MetricServerError",
            Self::Malformed => "MalformedAnswer",
            Self::TooLarge => "AnswerTooLarge",
            Self::Redirect => "Redirected",
            Self::HistogramRefused => "NativeHistogram",
            Self::NotNumeric => "NotNumeric",
            Self::NoValue => "NoValue",
            Self::JobRefused => "JobRefused",
        }
    }

    /// Whose trouble it is.
    pub fn cause(self) -> Cause {
        match self {
            Self::Transport | Self::Timeout | Self::ServerError => Cause::Server,
            Self::Misconfigured
            | Self::QueryRefused
            | Self::Redirect
            | Self::HistogramRefused
            | Self::NotNumeric
            | Self::JobRefused => Cause::Template,
            Self::Malformed | Self::TooLarge | Self::NoValue => Cause::Answer,
        }
    }
}

/// Whose trouble it is. None of them says anything of the release that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The metric server's: it is away, slow or broken. To ask again may help.
    Server,
    /// The template's: the same request will fail again until somebody changes something.
    Template,
    /// The answer's: it came and cannot be used. The next one may be better.
    Answer,
}

/// A measurement that brought no value. Its text is masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    class: Class,
    message: Masked,
    retry_after: Option<Duration>,
}

impl Trouble {
    /// What kind it is.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The text, for status, events and logs.
    pub fn message(&self) -> &Masked {
        &self.message
    }

    /// How long the server asks to be left alone, when it does; an hour at most.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Trouble whose texts may hold secrets.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Misconfigured(String),
    #[error("no answer: {0}; check that the server is up and that the address and its certificate are right")]
    Transport(String),
    #[error("no whole answer within {}; is the server up, and the query cheap enough?", seconds(.0))]
    Timeout(Duration),
    #[error("refused with {status}: {words}; {}", advice(*.status))]
    QueryRefused { status: u16, words: String },
    #[error("the server cannot answer now, {status}: {words}")]
    ServerError {
        status: u16,
        words: String,
        retry_after: Option<Duration>,
    },
    #[error("the answer cannot be read: {0}")]
    Malformed(String),
    #[error("the answer has more than {0}; let the query aggregate")]
    TooLarge(String),
    #[error(
        "the answer leads elsewhere ({status} to {to}), and that is not followed; give the address that answers by itself"
    )]
    Redirect { status: u16, to: String },
    #[error(
        "the answer holds native histograms, which are no numbers; let the query make numbers of them, as histogram_quantile() or \
         histogram_fraction() do"
    )]
    HistogramRefused,
    #[error("Prometheus metric type not supported: the answer is a {0}; write a query that gives numbers")]
    NotNumeric(String),
    #[error("the answer has nothing at {path}: {words}")]
    NoValue { path: String, words: String },
    #[error("{0}")]
    JobRefused(String),
}

impl Fault {
    fn class(&self) -> Class {
        match self {
            Self::Misconfigured(_) => Class::Misconfigured,
            Self::Transport(_) => Class::Transport,
            Self::Timeout(_) => Class::Timeout,
            Self::QueryRefused { .. } => Class::QueryRefused,
            Self::ServerError { .. } => Class::ServerError,
            Self::Malformed(_) => Class::Malformed,
            Self::TooLarge(_) => Class::TooLarge,
            Self::Redirect { .. } => Class::Redirect,
            Self::HistogramRefused => Class::HistogramRefused,
            Self::NotNumeric(_) => Class::NotNumeric,
            Self::NoValue { .. } => Class::NoValue,
            Self::JobRefused(_) => Class::JobRefused,
        }
    }

    /// The trouble with `what` was being done, without the secrets.
    pub(super) fn about(self, what: &str, secrets: &Secrets) -> Trouble {
        Trouble {
            class: self.class(),
            message: secrets.mask(&format!("{what}: {self}")),
            retry_after: match self {
                Self::ServerError { retry_after, .. } => retry_after,
                _ => None,
            },
        }
    }
}

fn seconds(limit: &Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "check the metric's authentication",
        404 | 410 => "check the address and its path",
        _ => "correct the query, the same one will be refused again",
    }
}

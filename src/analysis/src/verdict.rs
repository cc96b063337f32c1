//! What one measurement says, from its value and the metric's two conditions: the table that Argo documents, and the rows where ours is strict. The
//! run engine counts verdicts, the command line shows them.

#[cfg(test)]
mod tests;

use crate::condition::{Condition, EvalError, Scope};
use crate::semantics::Semantics;
use crate::value::Value;

/// What one measurement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wanted.
    Successful,
    /// Not as wanted.
    Failed,
    /// Neither; a person has to look.
    Inconclusive(Doubt),
    /// A condition could not be answered.
    Error(Unanswered),
}

/// Why a measurement is Inconclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The success condition does not hold, and the failure condition does not either.
    #[error("neither successCondition nor failureCondition holds")]
    Neither,
    /// The provider had no data, and the conditions would have let that pass.
    #[error(
        "the metric provider returned no data, which is never a success; look at the query and at whether the new version gets requests"
    )]
    NoData,
    /// The value is or holds NaN, and the conditions would have let that pass.
    #[error("the value is not a number (NaN), which is never a success; look at whether the query divides by zero")]
    NotANumber,
}

impl Doubt {
    /// One word for conditions and events.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Neither => "NeitherConditionHolds",
            Self::NoData => "NoData",
            Self::NotANumber => "NotANumber",
        }
    }
}

/// Which of a metric's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// `successCondition`.
    Success,
    /// `failureCondition`.
    Failure,
}

impl Which {
    /// The field's name.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Success => "successCondition",
            Self::Failure => "failureCondition",
        }
    }
}

/// A condition that could not be answered, in Argo's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not evaluate {} \"{condition}\": {}", which.field(), if *.no_data { NO_DATA.to_owned() } else { error.to_string() })]
pub struct Unanswered {
    /// Which condition.
    pub which: Which,
    /// Its text.
    pub condition: String,
    /// Where and why it stopped.
    pub error: EvalError,
    /// Whether there was nothing to ask about, which then explains the error better than the error does.
    pub no_data: bool,
}

const NO_DATA: &str = "metric result is nil or empty: no data returned from the metric provider";

/// Judges a measurement. The success condition is answered first, and both are answered whenever the first could be.
#[must_use]
pub fn judge(success: Option<&Condition>, failure: Option<&Condition>, value: &Value, scope: Scope) -> Verdict {
    let answer = |condition: Option<&Condition>, which| {
        let answered = condition.map(|condition| (condition, condition.holds(value, scope)));
        match answered {
            None => Ok(None),
            Some((_, Ok(holds))) => Ok(Some(holds)),
            Some((condition, Err(error))) => Err(Unanswered {
                which,
                condition: condition.as_str().to_owned(),
                error,
                no_data: value.is_empty(),
            }),
        }
    };
    let answers = answer(success, Which::Success).and_then(|success| Ok((success, answer(failure, Which::Failure)?)));
    let verdict = match answers {
        Err(unanswered) => Verdict::Error(unanswered),
        Ok((_, Some(true)) | (Some(false), None)) => Verdict::Failed,
        Ok((Some(true), _) | (None, _)) => Verdict::Successful,
        Ok((Some(false), Some(false))) => Verdict::Inconclusive(Doubt::Neither),
    };
    match (scope.semantics, verdict) {
        (Semantics::Strict, Verdict::Successful | Verdict::Inconclusive(_)) if value.is_empty() => {
            Verdict::Inconclusive(Doubt::NoData)
        }
        (Semantics::Strict, Verdict::Successful | Verdict::Inconclusive(_)) if value.holds_nan() => {
            Verdict::Inconclusive(Doubt::NotANumber)
        }
        (_, verdict) => verdict,
    }
}

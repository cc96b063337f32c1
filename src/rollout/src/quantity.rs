//! Numbers that may be percentages: replicas of a step, of a batch, tolerated failures, a step's share of traffic. Arithmetic in one place,
//! because who rounds which way decides how many pods a user gets.

use serde_json::Value;

/// A number of pods, absolute or as a share of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Count(i64),
    Percent(i64),
}

/// Which way a share that is no whole number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Up,
    Down,
}

/// A value that is neither a count nor a percentage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is neither a whole number nor a percentage such as \"20%\"")]
pub(crate) struct NotAQuantity {
    value: String,
}

impl Quantity {
    /// Reads a Kubernetes int-or-string: `5`, `"5"` or `"20%"`; never negative.
    pub(crate) fn read(value: &Value) -> Result<Self, NotAQuantity> {
        let wrong = || NotAQuantity {
            value: value.to_string(),
        };
        let read = match value {
            Value::Number(number) => number.as_i64().map(Self::Count),
            Value::String(text) => match text.strip_suffix('%') {
                Some(percent) => percent.parse().ok().map(Self::Percent),
                None => text.parse().ok().map(Self::Count),
            },
            _ => None,
        };
        let (Self::Count(number) | Self::Percent(number)) = read.ok_or_else(wrong)?;
        if (0..=i64::from(i32::MAX)).contains(&number) {
            read.ok_or_else(wrong)
        } else {
            Err(wrong())
        }
    }

    /// How many of `whole` that is. A count is itself, whatever the whole.
    pub(crate) fn of(self, whole: i64, rounding: Rounding) -> i64 {
        match (self, rounding) {
            (Self::Count(count), _) => count,
            (Self::Percent(percent), Rounding::Up) => percent.saturating_mul(whole).saturating_add(99).div_euclid(100),
            (Self::Percent(percent), Rounding::Down) => percent.saturating_mul(whole).div_euclid(100),
        }
    }

    /// Pods of the new revision that a batch wants of a workload with `replicas` pods: a share is rounded up, and never more than there are.
    pub(crate) fn planned(self, replicas: i64) -> i64 {
        self.of(replicas, Rounding::Up).clamp(0, replicas.max(0))
    }
}

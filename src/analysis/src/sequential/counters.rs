//! Slices out of raw counters: what grew between two readings, series by series. Pure; the run engine keeps a [`Baseline`] from one reading to the next, in
//! its status, and reads the four queries of a metric.
//!
//! - **Every request is in one slice, once.** A slice is the difference to the last reading that was counted. A reading that is refused or empty leaves the
//!   baseline where it is, so that the next slice is the wider.
//! - **Per series, then the sum.** A counter that fell was reset, and counts from zero. A series that is new counts from zero, too: clients create the series
//!   of an error with the first one. A series that is gone keeps its last value and goes on from there when it comes back.
//! - **Series, not sums.** A query that adds pods up (`sum(…)` without `by (pod)`) falls when a pod goes, which looks like a reset of the whole.
//! - **Counts are whole.** A counter that is not (a scaled or sampled one) is rounded to the nearest, half away from zero, and what was rounded off is carried
//!   into the next slice, so that a total of many slices is off by no more than one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decimal;
use super::slice::{Arm, BadArm, Slice};

/// The most series of one query that are kept from reading to reading.
pub const MOST_SERIES: usize = 1_000;

/// Counters of one query by series; the key is the series' labels, written in one way.
pub type Series = BTreeMap<String, f64>;

/// What the two queries of an arm gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmReading {
    /// Requests.
    pub total: Series,
    /// Bad requests.
    pub errors: Series,
}

/// What the four queries of a metric gave at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The new version.
    pub canary: ArmReading,
    /// What it is compared with.
    pub stable: ArmReading,
}

/// Why a reading gives no slice.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadReading {
    /// Not the value of a counter.
    #[error(
        "read {query}: series {series} is {value}; a raw counter is a number from 0 on, so query the counter itself"
    )]
    NotACounter {
        /// Which query.
        query: Query,
        /// The series' labels.
        series: String,
        /// Its value.
        value: f64,
    },
    /// More than [`MOST_SERIES`].
    #[error("read {query}: more than {MOST_SERIES} series; keep fewer labels, for instance sum by (pod) (…)")]
    TooManySeries {
        /// Which query.
        query: Query,
    },
    /// The counts of an arm do not fit together.
    #[error("compare {arm}: {source}")]
    Arm {
        /// "canary" or "stable".
        arm: &'static str,
        /// What is wrong.
        source: BadArm,
    },
}

/// One of the four queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Requests of the canary.
    CanaryTotal,
    /// Bad requests of the canary.
    CanaryErrors,
    /// Requests of stable.
    StableTotal,
    /// Bad requests of stable.
    StableErrors,
}

impl std::fmt::Display for Query {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::CanaryTotal => "canary.total",
            Self::CanaryErrors => "canary.errors",
            Self::StableTotal => "stable.total",
            Self::StableErrors => "stable.errors",
        })
    }
}

/// The counters as they were last counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    canary_total: Counter,
    canary_errors: Counter,
    stable_total: Counter,
    stable_errors: Counter,
}

/// The series of one query, and what rounding left over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counter {
    #[serde(with = "decimal::map")]
    series: Series,
    #[serde(with = "decimal")]
    carry: f64,
}

/// What a reading came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Counted {
    /// An arm has no series of requests: nothing is known, and the baseline, if there is one, stays.
    NoData,
    /// The first reading: from here on it is counted.
    Begun(Baseline),
    /// A slice since the baseline.
    Slice {
        /// What the next reading is compared with.
        baseline: Baseline,
        /// What both arms did in the meantime.
        slice: Slice,
        /// The same for each series of stable's requests, for [`super::dispersion`]; empty when errors come by other series than requests.
        pods: Vec<Arm>,
    },
}

/// Counts what happened since `baseline`; without one, begins.
///
/// # Errors
/// Values that no counter has, too many series, more errors than requests. The caller keeps its baseline and reads again later.
pub fn count(baseline: Option<&Baseline>, reading: &Reading) -> Result<Counted, BadReading> {
    let Reading { canary, stable } = reading;
    let queries = [
        (Query::CanaryTotal, &canary.total),
        (Query::CanaryErrors, &canary.errors),
        (Query::StableTotal, &stable.total),
        (Query::StableErrors, &stable.errors),
    ];
    for (query, series) in queries {
        check(query, series)?;
    }
    if canary.total.is_empty() || stable.total.is_empty() {
        return Ok(Counted::NoData);
    }
    let Some(before) = baseline else {
        return Ok(Counted::Begun(Baseline {
            canary_total: Counter::at(&canary.total),
            canary_errors: Counter::at(&canary.errors),
            stable_total: Counter::at(&stable.total),
            stable_errors: Counter::at(&stable.errors),
        }));
    };
    let [canary_total, canary_errors, stable_total, stable_errors] = [
        before.canary_total.growth(&canary.total),
        before.canary_errors.growth(&canary.errors),
        before.stable_total.growth(&stable.total),
        before.stable_errors.growth(&stable.errors),
    ];
    let pods = by_series(&stable_total, &stable_errors);
    let (canary_arm, canary_carry) = whole("canary", &canary_total, &canary_errors)?;
    let (stable_arm, stable_carry) = whole("stable", &stable_total, &stable_errors)?;
    let slice = Slice {
        canary: canary_arm,
        stable: stable_arm,
    };
    let baseline = Baseline {
        canary_total: before.canary_total.moved(&canary.total, canary_carry.total),
        canary_errors: before.canary_errors.moved(&canary.errors, canary_carry.errors),
        stable_total: before.stable_total.moved(&stable.total, stable_carry.total),
        stable_errors: before.stable_errors.moved(&stable.errors, stable_carry.errors),
    };
    for (query, counter) in [
        (Query::CanaryTotal, &baseline.canary_total),
        (Query::CanaryErrors, &baseline.canary_errors),
        (Query::StableTotal, &baseline.stable_total),
        (Query::StableErrors, &baseline.stable_errors),
    ] {
        if counter.series.len() > MOST_SERIES {
            return Err(BadReading::TooManySeries { query });
        }
    }
    Ok(Counted::Slice { baseline, slice, pods })
}

fn check(query: Query, series: &Series) -> Result<(), BadReading> {
    if series.len() > MOST_SERIES {
        return Err(BadReading::TooManySeries { query });
    }
    match series.iter().find(|(_, value)| !(value.is_finite() && **value >= 0.0)) {
        Some((series, value)) => Err(BadReading::NotACounter {
            query,
            series: series.clone(),
            value: *value,
        }),
        None => Ok(()),
    }
}

/// How much each series grew, and what is carried over from before.
struct Growth {
    series: Series,
    carry: f64,
}

/// What rounding leaves over of an arm.
struct Carry {
    total: f64,
    errors: f64,
}

impl Counter {
    fn at(series: &Series) -> Self {
        Self {
            series: series.clone(),
            carry: 0.0,
        }
    }

    fn growth(&self, now: &Series) -> Growth {
        let grown = |(series, value): (&String, &f64)| {
            let before = self.series.get(series).copied().unwrap_or(0.0);
            let increase = if *value < before { *value } else { value - before };
            (series.clone(), increase)
        };
        Growth {
            series: now.iter().map(grown).collect(),
            carry: self.carry,
        }
    }

    fn moved(&self, now: &Series, carry: f64) -> Self {
        let mut series = self.series.clone();
        series.extend(now.iter().map(|(name, value)| (name.clone(), *value)));
        Self { series, carry }
    }
}

/// Whole counts of an arm. Errors beyond the requests by less than one half are rounding's, and wait for the next slice.
fn whole(arm: &'static str, total: &Growth, errors: &Growth) -> Result<(Arm, Carry), BadReading> {
    let requests: f64 = total.series.values().sum();
    let bad: f64 = errors.series.values().sum();
    let refused = |source| BadReading::Arm { arm, source };
    if bad >= requests + 0.5 {
        let source = Arm::new(to_count(requests), to_count(bad)).err();
        return Err(refused(source.unwrap_or(BadArm::MoreErrorsThanRequests {
            errors: to_count(bad),
            total: to_count(requests),
        })));
    }
    let (requests, bad) = (requests + total.carry, bad + errors.carry);
    let counted = to_count(requests);
    let counted_bad = to_count(bad).min(counted);
    let carry = Carry {
        total: requests - counted as f64,
        errors: bad - counted_bad as f64,
    };
    Ok((Arm::new(counted, counted_bad).map_err(refused)?, carry))
}

/// The nearest count; a float beyond all counts becomes the largest one, which [`Arm`] refuses.
fn to_count(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

/// Each series of requests with the errors of the same name, when there is no other series of errors.
fn by_series(total: &Growth, errors: &Growth) -> Vec<Arm> {
    if errors.series.keys().any(|series| !total.series.contains_key(series)) {
        return Vec::new();
    }
    let arm = |(series, requests): (&String, &f64)| {
        let bad = errors.series.get(series).copied().unwrap_or(0.0);
        let requests = to_count(*requests);
        Arm::new(requests, to_count(bad).min(requests)).ok()
    };
    total.series.iter().filter_map(arm).collect()
}

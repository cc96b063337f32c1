//! A metric's count and limits as numbers, with Argo Rollouts' defaults in the place of those that are not given.

use std::time::Duration;

use api::go_duration;
use api::parts::IntOrString;
use api::v1alpha1::{Metric, number};

/// Time before a measurement that failed is tried again, whatever the interval.
pub const ERROR_RETRY: Duration = Duration::from_secs(10);
/// Errors in a row that are accepted.
const CONSECUTIVE_ERRORS: i64 = 4;

/// Count, limits and times of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many measurements with a verdict there are to be; nothing is as many as there is time for.
    pub count: Option<i64>,
    /// Bad ones that are accepted; -1 is not used.
    pub failure: i64,
    /// Ones neither good nor bad that are accepted.
    pub inconclusive: i64,
    /// Errors in a row that are accepted.
    pub consecutive_error: i64,
    /// Good ones in a row that are enough; 0 is not used.
    pub consecutive_success: i64,
    /// Time between two measurements, when it is given.
    pub interval: Option<Duration>,
    /// Time before the first measurement.
    pub initial_delay: Duration,
}

impl Limits {
    /// Those of a metric whose references are filled in. What cannot be read counts as not given; [`super::prepare`] refuses it before.
    pub fn of(metric: &Metric) -> Self {
        let of = |given: &Option<IntOrString>, default| given.as_ref().and_then(number).unwrap_or(default);
        let time = |text: &Option<String>| {
            text.as_deref()
                .filter(|text| !text.is_empty())
                .and_then(|text| go_duration::parse(text).ok())
        };
        let interval = time(&metric.interval);
        let count = match (of(&metric.count, 0), interval) {
            (0, None) => Some(1),
            (0, Some(_)) => None,
            (count, _) => Some(count),
        };
        Self {
            count,
            failure: of(&metric.failure_limit, 0),
            inconclusive: of(&metric.inconclusive_limit, 0),
            consecutive_error: of(&metric.consecutive_error_limit, CONSECUTIVE_ERRORS),
            consecutive_success: of(&metric.consecutive_success_limit, 0),
            interval,
            initial_delay: time(&metric.initial_delay).unwrap_or_default(),
        }
    }

    /// Whether there are as many measurements as there are to be.
    pub fn reached(&self, count: i32) -> bool {
        self.count.is_some_and(|wanted| i64::from(count) >= wanted)
    }
}

//! What was counted in one slice of time: requests and errors of each arm. Pure values; made from raw counters by [`super::counters`], read by every
//! test of this folder. Slices are disjoint: no request is in two of them.

use serde::{Deserialize, Serialize};

/// The largest count that every computation here takes: the last integer up to which `f64` has them all.
pub const LARGEST: u64 = 1 << 53;

/// Why counts are no arm of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadArm {
    /// An error is a request, too.
    #[error(
        "{errors} errors of {total} requests: the query of errors must count a part of what the query of totals counts"
    )]
    MoreErrorsThanRequests {
        /// The errors.
        errors: u64,
        /// The requests.
        total: u64,
    },
    /// Beyond [`LARGEST`].
    #[error("{total} requests in one slice are more than can be counted; look whether the query gives a counter")]
    TooLarge {
        /// The requests.
        total: u64,
    },
}

/// Requests of one arm in one slice, and how many of them were bad. "Bad" is whatever the metric counts: a 5xx, or slower than the bound of a
/// histogram's bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Counts")]
pub struct Arm {
    total: u64,
    errors: u64,
}

/// Counts as they are read, before they are known to make sense.
#[derive(Deserialize)]
struct Counts {
    total: u64,
    errors: u64,
}

impl TryFrom<Counts> for Arm {
    type Error = BadArm;

    fn try_from(counts: Counts) -> Result<Self, BadArm> {
        Self::new(counts.total, counts.errors)
    }
}

impl Arm {
    /// Counts of requests and of errors among them.
    ///
    /// # Errors
    /// More errors than requests, or more requests than [`LARGEST`].
    pub fn new(total: u64, errors: u64) -> Result<Self, BadArm> {
        if errors > total {
            return Err(BadArm::MoreErrorsThanRequests { errors, total });
        }
        if total > LARGEST {
            return Err(BadArm::TooLarge { total });
        }
        Ok(Self { total, errors })
    }

    /// Requests, the bad ones among them.
    pub fn total(self) -> u64 {
        self.total
    }

    /// Bad requests.
    pub fn errors(self) -> u64 {
        self.errors
    }

    /// Both counts of two slices together; they stay at [`LARGEST`] once they are there.
    pub(crate) fn and(self, other: Self) -> Self {
        let total = self.total.saturating_add(other.total).min(LARGEST);
        Self {
            total,
            errors: self.errors.saturating_add(other.errors).min(total),
        }
    }
}

/// One slice of time, both arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The new version.
    pub canary: Arm,
    /// The version that it is compared with, in the same time.
    pub stable: Arm,
}

//! A metric that is judged against the stable version by a sequential test: what is counted, and how sure the verdict has to be. The test is in
//! crate `analysis`, module `sequential`; these are its settings as a template writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::choice;

/// Errors and requests of both versions, from raw counters. Each interval of the metric is one slice: what the counters grew by in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The stable version's counters.
    pub stable: Counters,
    /// The new version's counters.
    pub canary: Counters,
    /// The most that a version no worse than nullRatio may be stopped by mistake, over all looks together; 0.01 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The most that a version as bad as harmRatio may be let pass by mistake, over all looks together; 0.05 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// The odds ratio of errors, new to stable, that is still as good; 1 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_ratio: Option<f64>,
    /// The odds ratio of errors that must not pass; 2 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm_ratio: Option<f64>,
    /// A share of errors, from 0 to 1, below which the new version is never bad, whatever the stable one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_bound: Option<f64>,
    /// How many requests the new version must have had, in all, before it can pass; 100 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<i64>,
    /// How many requests of the new version, in all, are enough to say that it cannot be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_samples: Option<i64>,
    /// Exact, or Robust where errors come in bursts and both versions have as many requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ComparisonMode>,
}

/// Counters of one version: queries for values that only grow, but for restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Requests that went wrong: http_requests_total{code=~"5.."}. For latency: those slower than a histogram's bucket.
    pub errors: String,
    /// All requests, those that went wrong among them.
    pub total: String,
}

choice! {
    /// How the counts are weighed.
    ComparisonMode, careful Exact {
        /// Fisher's exact likelihood, slice by slice: the most that independent errors can tell.
        Exact = "Exact",
        /// Only which version did worse in each slice: right also when errors of one version come in bursts.
        Robust = "Robust",
    }
}

//! One metric: how often it is measured, which values are good, and how many of the others are borne.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Comparison, Provider};
use crate::parts::IntOrString;

/// One measurement and its judgement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Metric {
    /// Name of the metric, for messages.
    pub name: String,
    /// Time between two measurements: 30s, 5m, 1h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Time before the first measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<String>,
    /// How many measurements are taken. Without it one, or with an interval as many as there is time for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<IntOrString>,
    /// When it holds, the measurement is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_condition: Option<String>,
    /// When it holds, the measurement is bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_condition: Option<String>,
    /// How many bad measurements are accepted; -1 leaves consecutiveSuccessLimit alone to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<IntOrString>,
    /// How many measurements that are neither good nor bad are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inconclusive_limit: Option<IntOrString>,
    /// How many failed queries in a row are accepted; 4 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_error_limit: Option<IntOrString>,
    /// How many good measurements in a row are enough; 0 is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_success_limit: Option<IntOrString>,
    /// The new version's requests that a measurement needs to count for anything; with fewer it is inconclusive. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<MinSamples>,
    /// Judge the new version against the stable one, in place of conditions. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// Where the measurement comes from.
    pub provider: Provider,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A guard against judging a version that nobody calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinSamples {
    /// A query, to the metric's own Prometheus server, that counts the new version's requests. No data counts as none.
    pub query: String,
    /// How many there must be.
    pub at_least: IntOrString,
}

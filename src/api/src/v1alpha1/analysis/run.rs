//! AnalysisRun: one use of templates, flattened and frozen in its spec, and what it has measured in its status. Field names are Argo Rollouts', since
//! `kubectl get` columns, Kargo and dashboards read them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Argument, DryRun, MeasurementRetention, Metric, Semantics};
use crate::kind::kind;
use crate::words::words;

kind! {
    /// Measures metrics and judges them.
    AnalysisRun in "v1alpha1", plural "analysisruns", scope NamespaceResourceScope, spec AnalysisRunSpec, status AnalysisRunStatus
}

/// What is measured: the metrics of the templates as they were when the run was made, with its arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct AnalysisRunSpec {
    /// The arguments. A secret one is only named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Argument>>,
    /// The metrics, with {{args.name}} still in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
    /// Metrics that are measured and shown, and change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Vec<DryRun>>,
    /// How many measurements of a metric the status keeps; 10 without a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurement_retention: Option<Vec<MeasurementRetention>>,
    /// Stop measuring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate: Option<bool>,
    /// When the run is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_strategy: Option<TtlStrategy>,
    /// Whose rules hold: Strict, or Argo for Argo Rollouts' to the letter. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Semantics>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// Seconds after its end that a run is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TtlStrategy {
    /// However it ended, unless one of the others says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_completion: Option<i32>,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_failure: Option<i32>,
    /// When it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_success: Option<i32>,
}

words! {
    /// Where a run, a metric or a measurement is. The last four are final.
    AnalysisPhase {
        /// Nothing was done yet.
        Unset = "",
        /// Nothing was measured yet.
        Pending = "Pending",
        /// Measurements go on.
        Running = "Running",
        /// Good.
        Successful = "Successful",
        /// Bad.
        Failed = "Failed",
        /// It could not be measured.
        Error = "Error",
        /// Measured, and neither good nor bad.
        Inconclusive = "Inconclusive",
    }
}

impl AnalysisPhase {
    /// Whether nothing can change any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Successful | Self::Failed | Self::Error | Self::Inconclusive)
    }
}

/// What a run has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisRunStatus {
    /// Where the run is.
    #[serde(default, skip_serializing_if = "AnalysisPhase::is_empty")]
    pub phase: AnalysisPhase,
    /// Why it ended as it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What each metric has found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_results: Option<Vec<MetricResult>>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// How its metrics ended.
    #[serde(default, skip_serializing_if = "RunSummary::is_empty")]
    pub run_summary: RunSummary,
    /// How the metrics that change nothing ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run_summary: Option<RunSummary>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
}

/// How many metrics there are, and how many of them ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RunSummary {
    /// All.
    #[serde(skip_serializing_if = "is_zero")]
    pub count: i32,
    /// Good ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub successful: i32,
    /// Bad ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: i32,
    /// Those that were neither.
    #[serde(skip_serializing_if = "is_zero")]
    pub inconclusive: i32,
    /// Those that could not be measured.
    #[serde(skip_serializing_if = "is_zero")]
    pub error: i32,
}

impl RunSummary {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What one metric has found. The counters count all measurements, also those that are no longer kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricResult {
    /// The metric.
    pub name: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "AnalysisPhase::is_empty")]
    pub phase: AnalysisPhase,
    /// The last measurements, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<Vec<Measurement>>,
    /// What there is to say about the last measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Measurements that gave a verdict: all but errors.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: i32,
    /// Good ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub successful: i32,
    /// Bad ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: i32,
    /// Those that were neither.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub inconclusive: i32,
    /// Those that failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub error: i32,
    /// Those that failed since the last that did not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub consecutive_error: i32,
    /// Good ones since the last other one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub consecutive_success: i32,
    /// Whether the metric changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// What is worth knowing about all measurements, such as the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// How a comparison stands. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparisonResult>,
}

/// How a comparison with the stable version stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonResult {
    /// Failed, Successful or Inconclusive once the test has decided; Running before.
    #[serde(default, skip_serializing_if = "AnalysisPhase::is_empty")]
    pub verdict: AnalysisPhase,
    /// Natural logarithm of the evidence M that the new version is worse; at ln(1/alpha) it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_evidence: Option<f64>,
    /// A p-value that holds however often one looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// How near it is to failing, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_fail: Option<f64>,
    /// How near it is to passing, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_pass: Option<f64>,
    /// What the test goes on from: its sums and the last counters. Only crate `analysis` reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub state: Option<Value>,
}

/// One measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// Where it is.
    #[serde(default, skip_serializing_if = "AnalysisPhase::is_empty")]
    pub phase: AnalysisPhase,
    /// Why it is no good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// What was measured, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is worth knowing about it: warnings, the name of a Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When one that takes long is looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Time>,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

fn any_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

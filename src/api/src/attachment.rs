//! How a Rollout uses analysis: which templates, with which arguments, and what their verdict does. The same block stands in both versions and at
//! every place; [`crate::validate`] says which of its fields belong where. Upstream has none of this, and its definitions drop it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::v1alpha1::{AnalysisPhase, Argument, DryRun, MeasurementRetention, TemplateRef, TtlStrategy};
use crate::words::choice;

/// Templates to measure by, and what the verdict does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutAnalysis {
    /// The templates; their metrics are measured together, in one AnalysisRun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<TemplateRef>>,
    /// Values for the templates' arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "arguments")]
    pub args: Option<Vec<Argument>>,
    /// The step, from 1, from which on is measured; the first without it. Only of strategy.*.analysis, which measures all along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_step: Option<i32>,
    /// Seconds that the version before stands by. Only of postPromotionAnalysis; without it until the run ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i32>,
    /// Metrics that are measured and shown, and change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Vec<DryRun>>,
    /// How many measurements of a metric a run keeps; 10 without a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurement_retention: Option<Vec<MeasurementRetention>>,
    /// What happens when the new version is found bad: Pause without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<VerdictAction>,
    /// What happens when it cannot be measured: Pause without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<VerdictAction>,
    /// What happens when it is found neither good nor bad: Pause without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_inconclusive: Option<VerdictAction>,
    /// How many runs that ended well are kept; 5 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successful_run_history_limit: Option<i32>,
    /// How many runs that ended otherwise are kept; 5 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsuccessful_run_history_limit: Option<i32>,
    /// When runs are deleted by their age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_strategy: Option<TtlStrategy>,
}

choice! {
    /// What a verdict does to the release.
    VerdictAction, careful Pause {
        /// It stays where it is until somebody decides.
        Pause = "Pause",
        /// Traffic goes back to the version before at once, then the new one is taken away.
        Rollback = "Rollback",
        /// It goes on.
        Continue = "Continue",
    }
}

/// How many runs of each sort are kept when a Rollout does not say.
pub const DEFAULT_RUN_HISTORY: i32 = 5;

/// A run as a Rollout's status shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunState {
    /// Name of the AnalysisRun.
    pub name: String,
    /// Where it is: Pending, Running, Successful, Failed, Error or Inconclusive.
    #[serde(default, skip_serializing_if = "AnalysisPhase::is_empty")]
    pub phase: AnalysisPhase,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Arguments without room for unknown fields: what a Rollout says is either known or pruned, in both versions alike.
fn arguments(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = generator.subschema_for::<Vec<Argument>>();
    if let Some(items) = schema.get_mut("items").and_then(|items| items.as_object_mut()) {
        items.remove("x-kubernetes-preserve-unknown-fields");
    }
    schema
}

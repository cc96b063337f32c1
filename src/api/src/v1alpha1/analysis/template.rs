//! AnalysisTemplate and ClusterAnalysisTemplate: arguments, metrics, and other templates to take in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Metric;
use crate::kind::kind;
use crate::parts::IntOrString;
use crate::words::choice;

kind! {
    /// What is measured during a release, and what counts as good.
    AnalysisTemplate in "v1alpha1", plural "analysistemplates", scope NamespaceResourceScope, spec AnalysisTemplateSpec
}

kind! {
    /// An AnalysisTemplate for every namespace.
    ClusterAnalysisTemplate in "v1alpha1", plural "clusteranalysistemplates", scope ClusterResourceScope, spec AnalysisTemplateSpec
}

choice! {
    /// Whose rules a template is judged by.
    Semantics, careful Strict {
        /// Argo Rollouts', to the letter, with its ways to call something good that was never seen to be.
        Argo = "Argo",
        /// The same, but nothing is good without evidence: no data, NaN and a run that was stopped are inconclusive, and combinations of count and
        /// limits that can never fail are refused.
        Strict = "Strict",
    }
}

/// Arguments and metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct AnalysisTemplateSpec {
    /// Names that metrics may use as {{args.name}}.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Argument>>,
    /// What is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
    /// Metrics that are measured and shown, and change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Vec<DryRun>>,
    /// How many measurements of a metric the status keeps; 10 without a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurement_retention: Option<Vec<MeasurementRetention>>,
    /// Templates whose arguments and metrics are taken in as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<TemplateRef>>,
    /// Whose rules hold: Strict, or Argo for Argo Rollouts' to the letter. A run of several templates is strict unless all say Argo. Not a field of
    /// Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Semantics>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A name that metrics may use, of a template or of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The value, when whoever uses the template gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where the value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ArgumentSource>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// Where an argument's value comes from; exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArgumentSource {
    /// A key of a Secret in the run's namespace. It is read at each measurement and never stored in the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A field of the Rollout. Only where a Rollout gives arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<FieldRef>,
    /// Revision label of one of the two versions' pods. Only where a Rollout gives arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_template_hash_value: Option<PodTemplateHashValue>,
}

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// The key.
    pub key: String,
}

/// A field of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldRef {
    /// Where: metadata.labels['team'], or any path of fields with dots.
    pub field_path: String,
}

choice! {
    /// Which version's pods.
    PodTemplateHashValue, careful Latest {
        /// The version before the release.
        Stable = "Stable",
        /// The new version.
        Latest = "Latest",
    }
}

/// Another template.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateRef {
    /// Name of the template.
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_scope: Option<bool>,
}

/// Metrics that change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Their name, or a regular expression that it contains.
    pub metric_name: String,
}

/// How many measurements are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeasurementRetention {
    /// The metrics' name, or a regular expression that it contains.
    pub metric_name: String,
    /// How many, the last ones.
    pub limit: i32,
}

/// A count or a limit as a number: nothing when it is a text that only an argument makes a number.
pub fn number(quantity: &IntOrString) -> Option<i64> {
    match quantity {
        IntOrString::Int(number) => Some(i64::from(*number)),
        IntOrString::String(text) => text.trim().parse().ok(),
    }
}

//! AnalysisTemplate and ClusterAnalysisTemplate: what is measured during a release and what counts as good. Stored and read back whole; nothing in
//! this crate judges them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kind::kind;
use crate::parts::IntOrString;

kind! {
    /// What is measured during a release, and what counts as good.
    AnalysisTemplate in "v1alpha1", plural "analysistemplates", scope NamespaceResourceScope, spec AnalysisTemplateSpec
}

kind! {
    /// An AnalysisTemplate for every namespace.
    ClusterAnalysisTemplate in "v1alpha1", plural "clusteranalysistemplates", scope ClusterResourceScope, spec AnalysisTemplateSpec
}

/// Arguments and metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct AnalysisTemplateSpec {
    /// Names that queries may use as {{args.name}}.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Argument>>,
    /// What is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A name that queries may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The value, when whoever uses the template gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

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
    /// How many measurements are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<IntOrString>,
    /// When it holds, the measurement is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_condition: Option<String>,
    /// When it holds, the measurement is bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_condition: Option<String>,
    /// How many bad measurements are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<IntOrString>,
    /// How many measurements that are neither good nor bad are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inconclusive_limit: Option<IntOrString>,
    /// How many failed queries in a row are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_error_limit: Option<IntOrString>,
    /// Where the measurement comes from.
    pub provider: Provider,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// Where a measurement comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Provider {
    /// A Prometheus server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A query to a Prometheus server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Prometheus {
    /// URL of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The query, in PromQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

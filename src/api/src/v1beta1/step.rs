//! One step of a strategy: how many pods, which requests, and how it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attachment::RolloutAnalysis;
use crate::parts::{HeaderMatch, HeaderModifier, IntOrString, Pause, TOKEN};

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Share of requests that goes to the new version, as a percentage: "20%".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<String>,
    /// Requests that go to the new version; any one match is enough. Wins over traffic when both are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub matches: Option<Vec<RouteMatch>>,
    /// Changes to the headers of requests that go to the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_header_modifier: Option<HeaderModifier>,
    /// Pods of the new version, in all: a number, or a percentage of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<IntOrString>,
    /// How the step ends: after a time, by approval, or with its analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// What is measured before the step may end. Not in OpenKruise's schema, which drops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
}

/// Conditions that a request must all meet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteMatch {
    /// The request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = { "type": "PathPrefix", "value": "/" }))]
    pub path: Option<PathMatch>,
    /// The request's headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub headers: Option<Vec<HeaderMatch>>,
    /// The request's query parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub query_params: Option<Vec<QueryParamMatch>>,
}

/// A path to match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathMatch {
    /// How the path is compared.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PathPrefix", "enum" = ["Exact", "PathPrefix", "RegularExpression"]))]
    pub match_type: Option<String>,
    /// The path, prefix or regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), extend("default" = "/"))]
    pub value: Option<String>,
}

/// A query parameter to match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueryParamMatch {
    /// How the value is compared.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Exact", "enum" = ["Exact", "RegularExpression"]))]
    pub match_type: Option<String>,
    /// Name of the parameter.
    #[schemars(length(min = 1, max = 256), regex(pattern = TOKEN))]
    pub name: String,
    /// Value, or regular expression, that the parameter must have.
    #[schemars(length(min = 1, max = 1024))]
    pub value: String,
}

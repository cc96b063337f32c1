//! Where measurements come from: a Prometheus server, any HTTP service that answers JSON, or a Kubernetes Job.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SecretKeyRef;
use crate::words::choice;

/// Where a measurement comes from; exactly one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Provider {
    /// A Prometheus server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
    /// An HTTP service that answers JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<Web>,
    /// A Kubernetes Job: good when it completes, bad when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    /// Providers that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A query to a Prometheus server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Prometheus {
    /// URL of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The query, in PromQL. Not with a comparison, which has queries of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Ask for a range in place of an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_query: Option<RangeQuery>,
    /// Seconds that an answer may take; 30 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Headers of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<ProviderHeader>>,
    /// Accept any certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// Whose certificates are trusted, beside the public authorities. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_from: Option<SecretSource>,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What an answer with warnings, such as a partial one, counts as: Inconclusive without it, or Ignore under Argo's semantics. Not a field of Argo
    /// Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_warnings: Option<OnWarnings>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// The range of a range query; start and end as expressions: now() - duration("1h").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeQuery {
    /// Its begin.
    pub start: String,
    /// Its end.
    pub end: String,
    /// Time between two points: 30s, 1m.
    pub step: String,
}

choice! {
    /// What an answer with warnings counts as.
    OnWarnings, careful Inconclusive {
        /// As no judgement.
        Inconclusive = "Inconclusive",
        /// As any other.
        Ignore = "Ignore",
    }
}

/// A request to an HTTP service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Web {
    /// The URL.
    pub url: String,
    /// GET without it, or POST or PUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Headers of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<ProviderHeader>>,
    /// Body of a POST or PUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Body of a POST or PUT, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub json_body: Option<Value>,
    /// Which part of the answer is the value: {$.data.ok}. All of it without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
    /// Seconds that an answer may take; 10 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    /// Accept any certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// Whose certificates are trusted, beside the public authorities. Not a field of Argo Rollouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_from: Option<SecretSource>,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A Job that is made for each measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Job {
    /// Labels and annotations of the Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JobMetadata>,
    /// The Job's spec, as batch/v1 has it.
    #[schemars(schema_with = "any_object")]
    pub spec: Value,
    /// Fields that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// Labels and annotations of a Job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobMetadata {
    /// Annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// A header of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderHeader {
    /// Its name.
    pub key: String,
    /// Its value; arguments may be used.
    pub value: String,
}

/// Who asks; at most one. Argo Rollouts' oauth2 and sigv4 are not served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Authentication {
    /// A user and a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuthentication>,
    /// A token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<SecretSource>,
    /// Ways that this version does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A user and a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BasicAuthentication {
    /// The user.
    pub username: SecretSource,
    /// The password.
    pub password: SecretSource,
}

/// A value in a Secret of the run's namespace, read at each measurement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretSource {
    /// Which one.
    pub secret_key_ref: SecretKeyRef,
}

fn any_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

//! What a valid Rollout or AnalysisTemplate is, beyond what the schema can say: the rules of the validating webhooks. A rule looks at the new object,
//! the stored one and the other Rollouts of the namespace, and says what is wrong, where, and what to write instead.

mod alpha;
mod attachment;
mod beta;
mod parts;
mod provider;
mod template;

use serde::Deserialize;
use serde_json::Value;

use crate::field_error::FieldError;
use crate::names::PARTITION_PERCENT_LIMIT;
use crate::{v1alpha1, v1beta1};

pub use alpha::rollout_alpha;
pub use beta::rollout_beta;
pub use template::{analysis_template, metrics};

/// What an installation may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Refuse kinds of workload that are not known.
    pub known_workloads_only: bool,
    /// Most of a workload, in percent, that a partition step with traffic may take.
    pub partition_percent: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            known_workloads_only: true,
            partition_percent: PARTITION_PERCENT_LIMIT,
        }
    }
}

/// Judges a Rollout of either version as JSON, as an admission request carries it.
///
/// # Errors
/// When the object cannot be read at all; the text says why. That is a bad request, not an invalid object.
pub fn rollout(
    new: &Value,
    old: Option<&Value>,
    others: &[v1beta1::Rollout],
    limits: Limits,
) -> Result<Vec<FieldError>, String> {
    fn read<T: for<'a> Deserialize<'a>>(object: &Value) -> Result<T, String> {
        T::deserialize(object).map_err(|error| {
            format!("cannot read the Rollout: {error}; compare it with `kubectl explain rollout.spec`")
        })
    }
    match new.get("apiVersion").and_then(Value::as_str) {
        Some(v1beta1::Rollout::API_VERSION) => Ok(rollout_beta(
            &read(new)?,
            old.map(read).transpose()?.as_ref(),
            others,
            limits,
        )),
        Some(v1alpha1::Rollout::API_VERSION) => Ok(rollout_alpha(
            &read(new)?,
            old.map(read).transpose()?.as_ref(),
            others,
            limits,
        )),
        other => Err(format!(
            "cannot read the Rollout: apiVersion is {}; write {} or {}",
            other.unwrap_or("missing"),
            v1beta1::Rollout::API_VERSION,
            v1alpha1::Rollout::API_VERSION,
        )),
    }
}

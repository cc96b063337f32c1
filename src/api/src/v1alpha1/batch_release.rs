//! BatchRelease in its older shape: the workload is one level deeper, and the style is an annotation first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::kind;
use crate::v1alpha1::ObjectRef;
use crate::v1beta1::{BatchReleaseStatus, ReleasePlan};

kind! {
    /// Releases a workload's new version in batches of pods.
    BatchRelease in "v1alpha1", plural "batchreleases", scope NamespaceResourceScope, spec BatchReleaseSpec, status BatchReleaseStatus
}

/// Which workload, in which batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReleaseSpec {
    /// The workload, in the same namespace.
    pub target_reference: ObjectRef,
    /// The batches and how far to go.
    pub release_plan: ReleasePlan,
}

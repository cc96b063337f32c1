//! The words of the project: the custom resources of `rollouts.kruise.io` in both versions, how one version becomes the other, what a valid
//! object is, every label, annotation and reason, and the small arithmetic (percentages, hashes) that both sides of the house must agree on.
//!
//! Pure: no client, no clock, no channel. Everything else in the workspace that speaks of rollouts depends on it.

mod crds;
mod kind;
mod schema;
mod words;

pub mod attachment;
pub mod convert;
pub mod field_error;
pub mod go_duration;
pub mod hash;
pub mod names;
pub mod parts;
pub mod plan;
pub mod quantity;
pub mod v1alpha1;
pub mod v1beta1;
pub mod validate;

pub use crds::{crds, crds_with_conversion};

#[cfg(test)]
mod tests;

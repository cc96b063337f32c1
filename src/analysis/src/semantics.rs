//! Whose meaning a measurement has: Argo's, bit for bit, or ours, which never takes the absence of data for success. The word is a template's, so that it
//! belongs to crate `api`; conditions and verdicts read it here.

pub use api::v1alpha1::Semantics;

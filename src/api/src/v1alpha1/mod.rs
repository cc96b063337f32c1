//! Version v1alpha1: the article's. Served beside v1beta1; the house converts and never works with it, except for the kinds that exist in no
//! other version.

mod analysis;
mod batch_release;
mod rollout;

pub use analysis::*;
pub use batch_release::*;
pub use rollout::*;

//! Version v1beta1: the stored one, and the one that everything in the house works with.

mod batch_release;
mod rollout;
mod routing;
mod status;
mod step;

pub use batch_release::*;
pub use rollout::*;
pub use routing::*;
pub use status::*;
pub use step::*;

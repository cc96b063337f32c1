//! Analysis during a release: templates that say what is measured and what counts as good, and runs that measure. Field names and meanings are Argo
//! Rollouts', so that its templates and its readers (Kargo, dashboards) fit; what is ours is said at the field. Fields that this version does not
//! know are kept as they are. Nothing in this crate judges: crate `analysis` does.

mod comparison;
mod metric;
mod provider;
mod run;
mod template;

pub use comparison::*;
pub use metric::*;
pub use provider::*;
pub use run::*;
pub use template::*;

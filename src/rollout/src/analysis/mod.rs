//! Analysis within a release: which templates a Rollout concerns ([`templates`]), the AnalysisRun that is made from them (`make`), how a run goes
//! on (`measure`), what its verdict does to a step (`gate`), the way back that a verdict may order (`abort`), and what a person may do ([`verdicts`]). What a measurement means is
//! crate `analysis`; who measures is the controller.

mod abort;
mod background;
mod gate;
mod make;
mod measure;
mod templates;
mod verdicts;

pub(crate) use abort::{abort, aborted};
pub(crate) use measure::{measure, tidy};
pub use templates::{has_analysis, templates};
pub use verdicts::{Judges, Judging, Retry, judging, retry};

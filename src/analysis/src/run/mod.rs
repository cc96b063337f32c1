//! The life of an AnalysisRun, pure: which templates and arguments make one ([`flatten()`], [`arguments`]), and what it does next ([`advance`]).
//!
//! [`advance`] is asked whenever time has passed, a measurement has come in, or the run was edited. It says what the status becomes, what is to be
//! measured now, and when to ask again. Everything it knows is in the spec and the status: a process that dies between two calls loses nothing
//! but measurements that had not come in, and those are asked for again.
//!
//! The rules are Argo Rollouts', in its order and its words; under strict semantics some differ, and each place says how. May use `api` and the
//! rest of this crate. Used by the controller, which measures and writes, and by the command line.

pub mod arguments;
mod comparison;
mod engine;
mod expiry;
mod flatten;
mod judge;
mod limits;
mod metric_phase;
mod prepare;
mod record;
mod request;
mod run_phase;
mod schedule;
mod secrets;
#[cfg(test)]
mod tests;

pub use engine::{Step, advance, if_stopped};
pub use expiry::{Kept, surplus};
pub use flatten::{Flat, FlattenError, flatten};
pub use judge::{Conditions, Judge, Judgement};
pub use limits::{ERROR_RETRY, Limits};
pub use prepare::{PrepareError, Prepared, PreparedMetric, prepare};
pub use request::{Fault, MeasureRequest, Measured, Outcome, Work};
pub use secrets::Secrets;

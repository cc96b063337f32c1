//! Analysis, pure: what may be measured and how measurements become verdicts. Values go in and values come out; whoever measures, waits and writes is
//! crate `controller`. Uses the types of crate `api`.

pub mod admission;
pub mod condition;
pub mod references;
pub mod rules;
pub mod run;
pub mod semantics;
pub mod sequential;
pub mod value;
pub mod verdict;

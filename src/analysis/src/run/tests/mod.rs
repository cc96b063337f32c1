//! Runs played to their end by a script of answers, on a clock that jumps; the vectors of both semantics, and what holds for every run.

mod arguments;
mod comparisons;
mod flatten;
mod history;
mod laws;
mod limits;
mod play;
mod secrets;
mod vectors;

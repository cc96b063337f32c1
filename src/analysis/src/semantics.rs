//! Whose meaning a measurement has: Argo's, bit for bit, or ours, which never takes the absence of data for success. Chosen by whoever judges
//! (the run engine, the command line) and read by conditions and verdicts.

/// The two sets of rules. They differ in few places, and each place names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// What Argo Rollouts 1.9 does, its surprises included, for templates that were written against it.
    Argo,
    /// No data and NaN are never Successful; `isNil` and `default` look at the expression that they are given.
    #[default]
    Strict,
}

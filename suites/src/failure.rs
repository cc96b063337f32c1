//! What a broken promise looks like: which check found it, and what it saw.
//!
//! Used by every check of the suite. A check has an id, so that a mutant can be shown to be caught by the check that names it.

/// A promise that the suite holds a controller to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The share of traffic that reaches the new version is what the step says.
    Weight,
    /// Every request of a user was answered.
    LostRequest,
    /// A manual pause was left without an approval, or an approval opened a gate that nobody looked at.
    Gate,
    /// An approval was taken, and the release went on.
    Approval,
    /// A timed pause was shorter than asked.
    PauseLength,
    /// What the release made is gone, and what it changed is put back.
    Inventory,
    /// The workload's spec is what the user wrote, field by field.
    WorkloadSpec,
    /// A route never points at pods that are not ready.
    RouteBeforeReady,
    /// The data plane had its grace before capacity went away.
    Grace,
    /// A controller with nothing to do writes nothing.
    Idle,
    /// Bad input is refused with one clear error, and nothing is changed.
    Refusal,
    /// Something came about within its time.
    Until,
    /// Something stayed as it was.
    Holds,
    /// The API server or the cluster did not do what the scenario needs.
    Cluster,
}

impl Check {
    /// The name under which reports and mutants know the check.
    pub fn id(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::LostRequest => "lost-request",
            Self::Gate => "gate",
            Self::Approval => "approval",
            Self::PauseLength => "pause-length",
            Self::Inventory => "inventory",
            Self::WorkloadSpec => "workload-spec",
            Self::RouteBeforeReady => "route-before-ready",
            Self::Grace => "grace",
            Self::Idle => "idle",
            Self::Refusal => "refusal",
            Self::Until => "until",
            Self::Holds => "holds",
            Self::Cluster => "cluster",
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {message}")]
pub struct Failure {
    /// The check that found it.
    pub check: Check,
    /// What was seen, of which object, against what was expected.
    pub message: String,
}

impl Failure {
    /// A failure found by `check`.
    pub fn new(check: Check, message: impl Into<String>) -> Self {
        Self {
            check,
            message: message.into(),
        }
    }
}

impl From<crate::ApiError> for Failure {
    fn from(error: crate::ApiError) -> Self {
        Self::new(Check::Cluster, error.to_string())
    }
}

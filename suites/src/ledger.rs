//! What the person did during a scenario, and at which revision of the cluster.
//!
//! Written by the stage's verbs; the invariants hold the controller's behaviour against it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::dialect::Committed;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Gave the workload an image.
    Release { image: String },
    /// Opened the gate of a step of a revision.
    Approve { step: u32, revision: String },
    /// Sent the release to a step.
    Jump { step: u32 },
    /// Made the rollout stand still.
    Pause,
    /// Let it go on.
    Resume,
    /// Changed the plan.
    EditPlan,
    /// Changed the number of pods.
    Scale { replicas: u32 },
    /// Switched the rollout off, or deleted it.
    End,
    /// Ended a pod.
    EndPod { pod: String },
}

/// The acts in order. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<(Committed, Act)>>>);

impl Ledger {
    /// Writes an act down.
    pub fn record(&self, at: Committed, act: Act) {
        self.0.lock().push((at, act));
    }

    /// Everything that was done.
    pub fn acts(&self) -> Vec<(Committed, Act)> {
        self.0.lock().clone()
    }
}

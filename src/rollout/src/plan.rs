//! What a decision returns: an ordered list of typed, guarded writes, what is waited for, when to look again, and why. Plain data; the
//! controller's *apply* sends the writes in order and stops at the first that fails or whose evidence no longer holds.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use analysis::run::MeasureRequest;

use crate::{Evidence, Kind, Op};

/// The outcome of one decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The writes, in the order they must be sent. At most one per object: a later one would carry a resourceVersion that the earlier one spent.
    pub writes: Vec<Write>,
    /// What has to be measured, once the writes before it went through.
    pub asks: Vec<Ask>,
    /// What has to happen in the world before the release goes on.
    pub waiting_on: Vec<WaitReason>,
    /// When to look again.
    pub wake: Wake,
    /// Notes for people, to be published as Events on the object once the writes before them went through.
    pub events: Vec<EventNote>,
    /// The rule that decided, a short fixed name for logs, traces and metrics.
    pub rule: &'static str,
    /// The same in a sentence, with names and numbers.
    pub message: String,
}

/// A measurement that an AnalysisRun asks for. The same one is asked for again until its answer has come in; run and ordinal tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The run.
    pub run: Target,
    /// `metadata.uid` of the run.
    pub uid: String,
    /// What is to be measured.
    pub request: MeasureRequest,
}

/// When the key is looked at again, beside any change of what it watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// At this moment of the cluster's clock (the clock of [`crate::World::now`]).
    At(Timestamp),
    /// Only when something changes.
    #[default]
    OnChange,
}

impl Wake {
    /// The earlier of the two.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        self.min(other)
    }
}

/// The object that a write is for. The namespace is the key's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Kind.
    pub kind: Kind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// The version of the object that a write was decided on. The write must fail if the stored object has another uid or resourceVersion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
}

/// How the garbage collector treats what a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// The object goes at once, what it owns afterwards.
    Background,
    /// The object stays until everything it owns is gone.
    Foreground,
}

/// One write to the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object written to.
    pub target: Target,
    /// What is done to it.
    pub action: Action,
    /// What must still be true, read again from the API server immediately before the write is sent. `None` for writes that do not need it.
    pub recheck: Option<Evidence>,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Creates the object under its computed name. `AlreadyExists` means that an earlier try went through (or that somebody else took the
    /// name): the controller stops here and decides again on what it reads.
    Create {
        /// The whole object, with apiVersion, kind and metadata.
        object: Value,
    },
    /// A JSON Patch of the object, guarded.
    Patch {
        /// What it was decided on.
        guard: Guard,
        /// The operations, in order.
        ops: Vec<Op>,
    },
    /// Replaces the whole of `status` through the status subresource, guarded.
    Status {
        /// What it was decided on.
        guard: Guard,
        /// The new status.
        status: Value,
    },
    /// Deletes the object, with uid and resourceVersion as preconditions.
    Delete {
        /// What it was decided on.
        guard: Guard,
        /// What becomes of the objects it owns.
        propagation: Propagation,
    },
}

/// Something that must happen before the release goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Pods of the new revision are not available yet.
    Pods {
        /// Available now.
        ready: i64,
        /// Needed for the batch.
        wanted: i64,
    },
    /// The EndpointSlices of a Service do not show the pods yet.
    Endpoints {
        /// Name of the Service.
        service: String,
        /// Ready endpoints seen.
        seen: usize,
        /// Needed for the batch.
        wanted: i64,
    },
    /// The data plane gets its time to follow a change of routing.
    Grace {
        /// Ends then.
        until: Timestamp,
    },
    /// The implementation behind the routes has not taken in their current generation.
    Routes {
        /// Which, and by whom.
        why: String,
    },
    /// A person has to approve the step.
    Approval {
        /// 1-based.
        step: i32,
    },
    /// An analysis has not come to a verdict.
    Analysis {
        /// Name of the AnalysisRun.
        run: String,
    },
    /// The step's own pause runs.
    Pause {
        /// Ends then.
        until: Timestamp,
    },
    /// The user asked the whole rollout to hold.
    Paused,
    /// The workload has not rolled to its template yet.
    Workload {
        /// What is missing, in words.
        why: String,
    },
    /// An object is being deleted.
    Gone {
        /// The object.
        object: Target,
    },
    /// An object that the Rollout names is absent or unusable.
    Blocked {
        /// What, and what to do.
        why: String,
    },
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods { ready, wanted } => write!(f, "{ready} of {wanted} new pods are available"),
            Self::Endpoints { service, seen, wanted } => {
                write!(f, "Service {service} shows {seen} of {wanted} ready endpoints")
            }
            Self::Grace { until } => write!(f, "the routes settle until {until}"),
            Self::Approval { step } => write!(f, "step {step} waits for approval"),
            Self::Pause { until } => write!(f, "the step pauses until {until}"),
            Self::Analysis { run } => write!(f, "AnalysisRun {run} judges metrics"),
            Self::Paused => f.write_str("the rollout is paused"),
            Self::Workload { why } | Self::Blocked { why } | Self::Routes { why } => f.write_str(why),
            Self::Gone { object } => write!(f, "{object} is being deleted"),
        }
    }
}

/// Whether an Event reports the normal course or a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// The normal course.
    Normal,
    /// Something a person should look at.
    Warning,
}

/// A note for people, published as an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNote {
    /// The object it is about, always one that exists in the world.
    pub regarding: Target,
    /// Normal or Warning.
    pub event_type: EventType,
    /// CamelCase word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

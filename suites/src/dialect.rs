//! A dialect: how one family of rollout controllers is spoken to, and how its objects are read.
//!
//! Scenarios use verbs and observations only, so that another family can be judged by the same list.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::routes::Behind;
use crate::{ApiError, ObjectRef, World};

/// What a scenario is about: the workload, the object that rolls it out, and how its traffic comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The namespace of all of it.
    pub namespace: String,
    /// The workload's name.
    pub workload: String,
    /// The rollout object's name.
    pub rollout: String,
    /// The stable Service's name.
    pub service: String,
    /// The name of the route that leads to the Service.
    pub route: String,
}

impl Target {
    /// The workload.
    pub fn workload(&self) -> ObjectRef {
        ObjectRef::namespaced("apps/v1", "Deployment", &self.namespace, &self.workload)
    }
}

/// Where a rollout object is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does not exist.
    Absent,
    /// It has not found its workload yet.
    Initial,
    /// Nothing is being released.
    Healthy,
    /// A release is on its way.
    Progressing,
    /// It is being deleted.
    Terminating,
    /// It is being switched off.
    Disabling,
    /// It is switched off.
    Disabled,
    /// A word that the dialect does not know.
    Other(String),
}

/// Where a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// There is no step.
    None,
    /// Pods or routes are being changed.
    Working,
    /// It waits for a person or for time.
    Paused,
    /// The gate is open.
    Ready,
    /// The last step is done.
    Completed,
    /// A verdict took the new version back.
    TakenBack,
}

/// How the last release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The new version took over.
    Completed,
    /// The old version was put back.
    RolledBack,
}

/// What a step waits for before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// A person.
    Approval,
    /// Time.
    After(Duration),
    /// An analysis that finds the new version good.
    Analysis,
}

/// One step of the plan as the rollout object holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The share of traffic, in percent; none leaves traffic with the stable version.
    pub weight: Option<u32>,
    /// The number or percentage of pods, as written.
    pub replicas: String,
    /// What it waits for.
    pub gate: Gate,
}

/// What can be seen of a release at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The phase.
    pub phase: Phase,
    /// The current step, counted from 1; 0 when there is none.
    pub step: u32,
    /// The step's state.
    pub state: StepState,
    /// The new revision, as the controller names it.
    pub revision: String,
    /// How the last release ended, once it has.
    pub ending: Option<Ending>,
    /// Whether the whole rollout stands still by the person's wish.
    pub paused: bool,
    /// The canary weight in the route object; 0 without one.
    pub weight: u32,
    /// Where the canary route leads.
    pub canary: Option<Behind>,
    /// What the controller says.
    pub message: String,
    /// The plan.
    pub plan: Vec<PlannedStep>,
    /// How long the data plane is to have after each change of routing.
    pub grace: Duration,
    /// Whether the controller has seen the latest version of the rollout object.
    pub is_current: bool,
}

impl Observation {
    /// Whether the release waits at `step`.
    pub fn waits_at(&self, step: u32) -> bool {
        self.phase == Phase::Progressing && self.step == step && self.state == StepState::Paused && !self.paused
    }

    /// The plan of the current step.
    pub fn planned(&self) -> Option<&PlannedStep> {
        let index = usize::try_from(self.step).ok()?.checked_sub(1)?;
        self.plan.get(index)
    }
}

impl std::fmt::Display for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}, step {}/{} {:?}, weight {} %",
            self.phase,
            self.step,
            self.plan.len(),
            self.state,
            self.weight
        )?;
        if let Some(ending) = self.ending {
            write!(f, ", {ending:?}")?;
        }
        if !self.message.is_empty() {
            write!(f, ", says {:?}", self.message)?;
        }
        Ok(())
    }
}

/// The revision of the cluster at which a person's write was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Committed(pub u64);

type Done<'a, T> = BoxFuture<'a, Result<T, ApiError>>;

/// The verbs of one family of controllers, for one target.
pub trait Dialect: Send + Sync {
    /// The family's name.
    fn name(&self) -> &'static str;

    /// The target.
    fn target(&self) -> &Target;

    /// The same for another target.
    fn aimed_at(&self, target: Target) -> Box<dyn Dialect>;

    /// The rollout object.
    fn rollout(&self) -> ObjectRef;

    /// The kinds (API version and kind) from which it reads observations.
    fn kinds(&self) -> Vec<(&'static str, &'static str)>;

    /// Reads what can be seen; pure.
    fn read(&self, world: &World) -> Observation;

    /// Looks at the cluster.
    fn observe(&self) -> Done<'_, Observation>;

    /// Gives the workload a new image.
    fn release<'a>(&'a self, image: &'a str) -> Done<'a, Committed>;

    /// Opens the gate that `seen` shows, and no other.
    fn approve<'a>(&'a self, seen: &'a Observation) -> Done<'a, Committed>;

    /// Goes on at another step.
    fn jump(&self, step: u32) -> Done<'_, Committed>;

    /// Makes the whole rollout stand still.
    fn pause(&self) -> Done<'_, Committed>;

    /// Lets it go on.
    fn resume(&self) -> Done<'_, Committed>;

    /// Switches the rollout off.
    fn disable(&self) -> Done<'_, Committed>;

    /// Gives the workload its old image back.
    fn roll_back<'a>(&'a self, image: &'a str) -> Done<'a, Committed>;
}

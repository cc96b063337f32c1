//! The dialect of OpenKruise Rollouts (`rollouts.kruise.io`), in canary style, behind routes of any family.
//!
//! Reads the hub version v1beta1, whatever version the Rollout was written in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::{Committed, Dialect, Ending, Gate, Observation, Phase, PlannedStep, StepState, Target};
use crate::object::{condition, number, text};
use crate::routes::{Family, Shown};
use crate::{ApiError, Feature, Kubernetes, ObjectRef, PatchKind, World};

const VERSION: &str = "rollouts.kruise.io/v1beta1";

/// The grace that the custom resource declares as its default.
const GRACE: Duration = Duration::from_secs(3);

/// The dialect for one target.
#[derive(Clone, Debug)]
pub struct Kruise {
    kubernetes: Kubernetes,
    target: Target,
    family: Family,
}

impl Kruise {
    /// The dialect for `target`, whose routes are of `family`, spoken through `kubernetes`.
    pub fn new(kubernetes: Kubernetes, target: Target, family: Family) -> Self {
        Self {
            kubernetes,
            target,
            family,
        }
    }

    /// The name of the route object that shows the split.
    fn route(&self) -> String {
        self.family.shows_in(&self.target.route)
    }

    async fn set_image(&self, image: &str) -> Result<Committed, ApiError> {
        let workload = self.target.workload();
        let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
        self.kubernetes
            .patch(&workload, None, PatchKind::Json, &patch)
            .await
            .map(|object| committed(&object))
    }

    async fn patch_spec(&self, spec: Value) -> Result<Committed, ApiError> {
        self.kubernetes
            .patch(&self.rollout(), None, PatchKind::Merge, &json!({ "spec": spec }))
            .await
            .map(|object| committed(&object))
    }
}

fn committed(object: &Value) -> Committed {
    Committed(text(object, "/metadata/resourceVersion").parse().unwrap_or_default())
}

fn step(step: &Value) -> PlannedStep {
    let traffic = text(step, "/traffic");
    let replicas = step.get("replicas").cloned().unwrap_or_default();
    PlannedStep {
        weight: traffic.strip_suffix('%').and_then(|weight| weight.parse().ok()),
        replicas: replicas.as_str().map_or_else(|| replicas.to_string(), str::to_owned),
        gate: match step.pointer("/pause/duration").and_then(Value::as_u64) {
            Some(seconds) => Gate::After(Duration::from_secs(seconds)),
            None if step.pointer("/pause/untilAnalysis") == Some(&Value::Bool(true)) => Gate::Analysis,
            None => Gate::Approval,
        },
    }
}

/// The listed steps, and those that a promotion which is measured has: as the last one, and with everything on the new version.
fn plan(canary: &Value) -> Vec<PlannedStep> {
    let listed = canary["steps"].as_array();
    let mut plan: Vec<PlannedStep> = listed.into_iter().flatten().map(step).collect();
    if let Some(last) = plan.last().filter(|_| canary["prePromotionAnalysis"].is_object()) {
        let gate = Gate::Analysis;
        plan.push(PlannedStep { gate, ..last.clone() });
    }
    if canary["postPromotionAnalysis"].is_object() {
        plan.push(PlannedStep {
            weight: Some(100),
            replicas: "100%".to_owned(),
            gate: Gate::Analysis,
        });
    }
    plan
}

fn phase(rollout: &Value) -> Phase {
    match text(rollout, "/status/phase") {
        "" | "Initial" => Phase::Initial,
        "Healthy" => Phase::Healthy,
        "Progressing" => Phase::Progressing,
        "Terminating" => Phase::Terminating,
        "Disabling" => Phase::Disabling,
        "Disabled" => Phase::Disabled,
        other => Phase::Other(other.to_owned()),
    }
}

fn state(status: &Value) -> StepState {
    match text(status, "/currentStepState") {
        "" => StepState::None,
        "StepPaused" => StepState::Paused,
        "StepReady" => StepState::Ready,
        "StepAborted" => StepState::TakenBack,
        "Completed" => StepState::Completed,
        _ => StepState::Working,
    }
}

fn ending(rollout: &Value) -> Option<Ending> {
    let progressing = condition(rollout, "Progressing")?;
    if text(progressing, "/reason") != "Completed" {
        return None;
    }
    match text(condition(rollout, "Succeeded")?, "/status") {
        "True" => Some(Ending::Completed),
        "False" => Some(Ending::RolledBack),
        _ => None,
    }
}

impl Dialect for Kruise {
    fn name(&self) -> &'static str {
        "kruise"
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn aimed_at(&self, target: Target) -> Box<dyn Dialect> {
        Box::new(Self { target, ..self.clone() })
    }

    fn rollout(&self) -> ObjectRef {
        ObjectRef::namespaced(VERSION, "Rollout", &self.target.namespace, &self.target.rollout)
    }

    fn kinds(&self) -> Vec<(&'static str, &'static str)> {
        let mut kinds = vec![
            (VERSION, "Rollout"),
            ("apps/v1", "Deployment"),
            self.family.kind(),
            ("v1", "Service"),
            ("v1", "Pod"),
        ];
        if self.family.features().contains(&Feature::Subsets) {
            kinds.push(("networking.istio.io/v1", "DestinationRule"));
        }
        kinds
    }

    fn read(&self, world: &World) -> Observation {
        let route = world.get(self.family.kind().1, &self.route());
        let Shown { weight, canary } = route
            .map(|route| self.family.shown(route, &self.target.service))
            .unwrap_or_default();
        let Some(rollout) = world.get("Rollout", &self.target.rollout) else {
            return Observation {
                phase: Phase::Absent,
                step: 0,
                state: StepState::None,
                revision: String::new(),
                ending: None,
                paused: false,
                weight,
                canary,
                message: String::new(),
                plan: Vec::new(),
                grace: GRACE,
                is_current: true,
            };
        };
        let none = Value::Null;
        let status = rollout.pointer("/status/canaryStatus").unwrap_or(&none);
        let plan = plan(&rollout["spec"]["strategy"]["canary"]);
        let grace = rollout
            .pointer("/spec/strategy/canary/trafficRoutings/0/gracePeriodSeconds")
            .and_then(Value::as_u64)
            .map_or(GRACE, Duration::from_secs);
        Observation {
            phase: phase(rollout),
            step: u32::try_from(number(status, "/currentStepIndex")).unwrap_or(u32::MAX),
            state: state(status),
            revision: text(status, "/canaryRevision").to_owned(),
            ending: ending(rollout),
            paused: rollout
                .pointer("/spec/strategy/paused")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            weight,
            canary,
            message: text(rollout, "/status/message").to_owned(),
            plan,
            grace,
            is_current: number(rollout, "/status/observedGeneration") == number(rollout, "/metadata/generation"),
        }
    }

    fn observe(&self) -> futures::future::BoxFuture<'_, Result<Observation, ApiError>> {
        Box::pin(async move {
            let mut world = World::default();
            let (api_version, kind) = self.family.kind();
            let route = ObjectRef::namespaced(api_version, kind, &self.target.namespace, &self.route());
            for name in [route, self.rollout()] {
                if let Some(object) = self.kubernetes.get(&name).await? {
                    world.put(Arc::new(object));
                }
            }
            Ok(self.read(&world))
        })
    }

    fn release<'a>(&'a self, image: &'a str) -> futures::future::BoxFuture<'a, Result<Committed, ApiError>> {
        Box::pin(self.set_image(image))
    }

    fn approve<'a>(&'a self, seen: &'a Observation) -> futures::future::BoxFuture<'a, Result<Committed, ApiError>> {
        Box::pin(async move {
            let patch = json!([
                {"op": "test", "path": "/status/canaryStatus/currentStepIndex", "value": seen.step},
                {"op": "test", "path": "/status/canaryStatus/canaryRevision", "value": seen.revision},
                {"op": "test", "path": "/status/canaryStatus/currentStepState", "value": "StepPaused"},
                {"op": "replace", "path": "/status/canaryStatus/currentStepState", "value": "StepReady"},
            ]);
            self.kubernetes
                .patch(&self.rollout(), Some("status"), PatchKind::Json, &patch)
                .await
                .map(|object| committed(&object))
        })
    }

    fn jump(&self, step: u32) -> futures::future::BoxFuture<'_, Result<Committed, ApiError>> {
        Box::pin(async move {
            let patch = json!({"status": {"canaryStatus": {"nextStepIndex": step}}});
            self.kubernetes
                .patch(&self.rollout(), Some("status"), PatchKind::Merge, &patch)
                .await
                .map(|object| committed(&object))
        })
    }

    fn pause(&self) -> futures::future::BoxFuture<'_, Result<Committed, ApiError>> {
        Box::pin(self.patch_spec(json!({"strategy": {"paused": true}})))
    }

    fn resume(&self) -> futures::future::BoxFuture<'_, Result<Committed, ApiError>> {
        Box::pin(self.patch_spec(json!({"strategy": {"paused": false}})))
    }

    fn disable(&self) -> futures::future::BoxFuture<'_, Result<Committed, ApiError>> {
        Box::pin(self.patch_spec(json!({"disabled": true})))
    }

    fn roll_back<'a>(&'a self, image: &'a str) -> futures::future::BoxFuture<'a, Result<Committed, ApiError>> {
        Box::pin(self.set_image(image))
    }
}

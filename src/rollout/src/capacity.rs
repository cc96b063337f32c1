//! Capacity of a step: the BatchRelease, the canary Deployment at its planned size, the Services that tell the revisions apart, and the
//! judgement whether the batch is there. Level-triggered: whatever is missing or has drifted is written again.

use api::names::{annotation, finalizer, label};
use api::parts::{BatchReleasePhase, BatchState, IntOrString, ObjectReference, RollingStyle};
use api::plan::{Plan as Spec, Step, Strategy};
use api::v1beta1::{BatchRelease, BatchReleaseSpec, BatchReleaseStatus, CanaryStatus, ReleaseBatch, ReleasePlan};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::DynamicObject;
use serde_json::{Value, json};
use traffic::service::{CanaryService, narrow};

use crate::draft::Draft;
use crate::meta::Meta;
use crate::traffic_step::{canary_ingress, owner_reference, withdrawn};
use crate::view::{Acting, View};
use crate::{Evidence, Kind, Op, WaitReason};

/// A batch that is there this soon is reported once, as ready, and never as under way.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// The pods of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Pods of the new revision that the step wants.
    pub(crate) planned: i64,
    /// Pods of it that exist.
    pub(crate) updated: i64,
    /// Pods of it that are available.
    pub(crate) ready: i64,
    /// Endpoints that the canary Service must show before it may be routed to.
    pub(crate) endpoints: i64,
    /// What is missing, if anything.
    pub(crate) missing: Option<WaitReason>,
    /// Since when nothing is missing, as far as the cluster has stored it.
    pub(crate) since: Option<Timestamp>,
}

/// The step in progress and what it is decided with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) acting: &'a Acting<'a>,
    pub(crate) spec: &'a Spec,
    pub(crate) step: &'a Step,
    /// From 1.
    pub(crate) index: i32,
}

impl Current<'_> {
    /// Writes what the step's capacity needs and judges whether it is there.
    pub(crate) fn ensure(self, sub: &mut CanaryStatus, draft: &mut Draft) -> Batch {
        let Self { view, spec, step, .. } = self;
        let narrowing = spec
            .routing
            .as_ref()
            .filter(|routing| routing.canary_service && step.route.is_some());
        if let (Some(routing), Some(stable)) = (narrowing, sub.common.stable_revision.as_deref())
            && let Some(service) = view.service(&routing.service)
        {
            let ops = narrow(service, label::POD_TEMPLATE_HASH, stable);
            draft.patch(Kind::Service, service, ops, None);
        }
        let wanted = self.batch_release_spec(&sub.canary_revision);
        let Some((object, batch_release)) = &view.batch_release else {
            draft.create(Kind::BatchRelease, self.batch_release_object(&wanted), None);
            return self.judge(None);
        };
        if batch_release.spec != wanted {
            draft.patch(Kind::BatchRelease, object, vec![Op::set("/spec", json!(wanted))], None);
        }
        self.control(object, draft);
        self.canary(object, &sub.canary_revision, draft);
        if let Some(hash) = view.canary_pod_hash() {
            hash.clone_into(&mut sub.common.pod_template_hash);
            self.canary_service(hash, draft);
        }
        self.judge(Some(batch_release))
    }

    fn replicas(self) -> i64 {
        self.view.workload.as_ref().map_or(0, |workload| workload.replicas)
    }

    /// Pods of the new revision that the step wants: never more than the workload has.
    pub(crate) fn planned(self) -> i64 {
        let replicas = self.replicas();
        i64::from(self.step.pods(i32::try_from(replicas).unwrap_or(i32::MAX))).clamp(0, replicas)
    }

    /// What the release is called: by the user's label, else by its revision.
    pub(crate) fn rollout_id(self, revision: &str) -> String {
        let workload = self.view.workload.as_ref().map(|workload| workload.object);
        let given = workload.and_then(|object| {
            object
                .label(label::ROLLOUT_ID)
                .or(object.annotation(annotation::ROLLOUT_ID))
        });
        given.filter(|id| !id.is_empty()).unwrap_or(revision).into()
    }

    fn batch_release_spec(self, revision: &str) -> BatchReleaseSpec {
        let spec = self.spec;
        let batches = spec.steps.iter().map(|step| ReleaseBatch {
            canary_replicas: step.replicas.clone(),
        });
        let patch = match &spec.strategy {
            Strategy::Canary(canary) => Some(canary.pod_patch.clone()),
            Strategy::BlueGreen => None,
        };
        BatchReleaseSpec {
            workload_ref: Some(ObjectReference {
                api_version: spec.workload.api_version.clone(),
                kind: spec.workload.kind.clone(),
                name: spec.workload.name.clone(),
            }),
            release_plan: ReleasePlan {
                batches: Some(batches.collect()),
                batch_partition: Some(self.index - 1),
                rollout_id: Some(self.rollout_id(revision)),
                failure_threshold: spec.failure_threshold.clone(),
                patch_pod_template_metadata: patch
                    .filter(|patch| patch.labels.is_some() || patch.annotations.is_some()),
                rolling_style: RollingStyle::Canary,
                enable_extra_workload_for_canary: true,
                ..ReleasePlan::default()
            },
        }
    }

    fn batch_release_object(self, spec: &BatchReleaseSpec) -> Value {
        json!({
            "apiVersion": BatchRelease::API_VERSION,
            "kind": BatchRelease::KIND,
            "metadata": {
                "name": self.acting.name(),
                "namespace": self.view.world.key.namespace,
                "ownerReferences": [owner_reference(Kind::Rollout, self.acting.object)],
            },
            "spec": spec,
        })
    }

    /// Says on the user's Deployment which BatchRelease controls it, and keeps it frozen.
    fn control(self, batch_release: &DynamicObject, draft: &mut Draft) {
        let Some(workload) = &self.view.workload else { return };
        let wanted = owner_reference(Kind::BatchRelease, batch_release).to_string();
        let mut marks = [(annotation::CONTROL_INFO.to_owned(), wanted)].into();
        if workload.object.annotation(annotation::IN_PROGRESSING).is_none() {
            std::collections::BTreeMap::insert(
                &mut marks,
                annotation::IN_PROGRESSING.to_owned(),
                api::names::in_progressing(self.acting.name()),
            );
        }
        let present = workload.object.metadata.annotations.as_ref();
        let mut ops = Op::map("/metadata/annotations", present, &marks, |_| false);
        if !workload.paused {
            ops.push(Op::set("/spec/paused", true));
        }
        draft.patch(Kind::Deployment, workload.object, ops, None);
    }

    /// Makes the canary Deployment at its planned size, or lets it grow; it never shrinks while a release lasts.
    fn canary(self, batch_release: &DynamicObject, revision: &str, draft: &mut Draft) {
        let Some(canary) = self.view.canary() else {
            for leaving in &self.view.canaries {
                // Its pods serve until nothing routes to them.
                let routing = self.spec.routing.as_ref();
                if routing.is_none_or(|routing| canary_ingress(self.view, routing, self.acting.object).is_none()) {
                    strip_finalizer(leaving.object, withdrawn(self.view, routing), draft);
                }
                draft.wait(WaitReason::Gone {
                    object: leaving.object.target(Kind::Deployment),
                });
            }
            if self.view.canaries.is_empty()
                && let Some(object) = self.canary_object(batch_release, revision)
            {
                draft.create(Kind::Deployment, object, None);
            }
            return;
        };
        if canary.replicas < self.planned() {
            draft.patch(
                Kind::Deployment,
                canary.object,
                vec![Op::set("/spec/replicas", self.planned())],
                None,
            );
        }
    }

    fn canary_object(self, batch_release: &DynamicObject, revision: &str) -> Option<Value> {
        let workload = self.view.workload.as_ref()?;
        let mut spec = workload.object.data.get("spec")?.clone();
        spec["replicas"] = json!(self.planned());
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("paused");
        }
        if let Strategy::Canary(canary) = &self.spec.strategy {
            let patch = [
                ("labels", &canary.pod_patch.labels),
                ("annotations", &canary.pod_patch.annotations),
            ];
            for (field, values) in patch {
                for (key, value) in values.iter().flatten() {
                    spec["template"]["metadata"][field][key] = json!(value);
                }
            }
        }
        let stable = &workload.object.name();
        let owner = owner_reference(Kind::BatchRelease, batch_release);
        let mut metadata = json!({
            "name": canary_deployment_name(stable, self.acting.object.uid(), revision),
            "namespace": self.view.world.key.namespace,
            "ownerReferences": [owner],
            "finalizers": [finalizer::CANARY_DEPLOYMENT],
        });
        metadata["labels"][label::CANARY_DEPLOYMENT] = json!(stable);
        metadata["annotations"][annotation::CONTROL_INFO] = json!(owner.to_string());
        Some(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}))
    }

    fn canary_service(self, hash: &str, draft: &mut Draft) {
        let routing = self
            .spec
            .routing
            .as_ref()
            .filter(|routing| routing.canary_service && self.step.route.is_some());
        let Some(routing) = routing else { return };
        let Some(stable) = self.view.service(&routing.service) else {
            return;
        };
        let name = api::names::canary_name(&routing.service);
        let pod_labels = match &self.spec.strategy {
            Strategy::Canary(canary) => canary.pod_patch.labels.as_ref(),
            Strategy::BlueGreen => None,
        };
        let wanted = CanaryService {
            stable,
            name: &name,
            owner: &owner_reference(Kind::Rollout, self.acting.object),
            revision_key: label::POD_TEMPLATE_HASH,
            revision: hash,
            pod_labels,
        };
        match self.view.service(&name) {
            None => draft.create(Kind::Service, wanted.object(), None),
            Some(existing) if existing.deleting() || !existing.controlled_by(self.acting.object.uid()) => {
                draft.wait(WaitReason::Gone {
                    object: existing.target(Kind::Service),
                });
            }
            Some(existing) => draft.patch(Kind::Service, existing, wanted.drift(existing), None),
        }
    }

    fn judge(self, batch_release: Option<&BatchRelease>) -> Batch {
        let planned = self.planned();
        let canary = self.view.canary();
        // Pods that nobody has counted for the current spec are not there yet.
        let seen = canary.filter(|canary| canary.observed());
        let (updated, ready) = seen.map_or((0, 0), |canary| (canary.status_replicas, canary.available_replicas));
        let tolerated = match &self.spec.failure_threshold {
            None => 0,
            Some(IntOrString::Int(count)) => i64::from(*count),
            Some(quantity) => {
                let updated = i32::try_from(updated).unwrap_or(i32::MAX);
                i64::from(api::quantity::scaled(quantity, updated).unwrap_or(0))
            }
        };
        let needed = (planned - tolerated).max(planned.min(1));
        let mut missing = None;
        if canary.is_none() || updated < planned || ready < needed {
            missing = Some(WaitReason::Pods { ready, wanted: needed });
        }
        let routing = self.spec.routing.as_ref().filter(|_| self.step.route.is_some());
        let endpoints = match routing {
            Some(routing) if routing.canary_service => needed.max(1),
            _ => 0,
        };
        if let (Some(routing), None) = (routing.filter(|routing| routing.canary_service), &missing) {
            let name = api::names::canary_name(&routing.service);
            let seen = self
                .view
                .service(&name)
                .map_or(0, |service| self.view.endpoints(service));
            let selects = self.view.service(&name).and_then(|service| {
                service
                    .data
                    .pointer(&format!("/spec/selector/{}", label::POD_TEMPLATE_HASH))?
                    .as_str()
            });
            if selects.is_none()
                || selects != self.view.canary_pod_hash()
                || i64::try_from(seen).unwrap_or(i64::MAX) < endpoints
            {
                missing = Some(WaitReason::Endpoints {
                    service: name,
                    seen,
                    wanted: endpoints,
                });
            }
        }
        let status = batch_release.and_then(|batch_release| Some((batch_release, batch_release.status.as_ref()?)));
        let since = status.filter(|(batch_release, status)| {
            missing.is_none()
                && status.canary_status.state == BatchState::Ready
                && status.canary_status.current_batch == self.index - 1
                && status.observed_release_plan_hash
                    == Some(api::hash::release_plan_hash(&batch_release.spec.release_plan))
                && status.observed_workload_replicas.map(i64::from) == Some(self.replicas())
        });
        Batch {
            planned,
            updated,
            ready,
            endpoints,
            missing,
            since: since.and_then(|(_, status)| Some(status.canary_status.batch_ready_time.as_ref()?.0)),
        }
    }

    /// Writes what the BatchRelease says, where that is news: a batch that is there, one that is late, one that was lost.
    pub(crate) fn report(self, batch: &Batch, sub: &CanaryStatus, draft: &mut Draft) {
        let Some((object, batch_release)) = &self.view.batch_release else {
            return;
        };
        let spec = self.batch_release_spec(&sub.canary_revision);
        if batch_release.spec != spec {
            return;
        }
        let old = batch_release.status.clone().unwrap_or_default();
        let mut new = BatchReleaseStatus {
            stable_revision: sub.common.stable_revision.clone(),
            update_revision: Some(sub.canary_revision.clone()),
            observed_generation: Some(object.generation()),
            observed_rollout_id: spec.release_plan.rollout_id.clone(),
            observed_workload_replicas: Some(i32::try_from(self.replicas()).unwrap_or(i32::MAX)),
            observed_release_plan_hash: Some(api::hash::release_plan_hash(&spec.release_plan)),
            phase: BatchReleasePhase::Progressing,
            message: batch.missing.as_ref().map(ToString::to_string),
            ..old.clone()
        };
        new.canary_status.current_batch = self.index - 1;
        new.canary_status.updated_replicas = Some(i32::try_from(batch.updated).unwrap_or(i32::MAX));
        new.canary_status.updated_ready_replicas = Some(i32::try_from(batch.ready).unwrap_or(i32::MAX));
        match batch.missing {
            None => {
                new.canary_status.state = BatchState::Ready;
                new.canary_status.batch_ready_time = Some(Time(batch.since.unwrap_or(self.view.now)));
            }
            Some(_) => {
                new.canary_status.state = BatchState::Upgrading;
                new.canary_status.batch_ready_time = None;
                let anchor = sub
                    .common
                    .last_update_time
                    .as_ref()
                    .map_or(self.view.now, |time| time.0);
                let lost =
                    old.canary_status.state == BatchState::Ready && old.canary_status.current_batch == self.index - 1;
                if !lost && self.view.now < anchor + PATIENCE {
                    draft.wake_at(anchor + PATIENCE);
                    return;
                }
            }
        }
        if old != new {
            draft.batch_status(object, &new);
        }
    }

    /// Whether the step has waited for its pods for so long that people should be told.
    pub(crate) fn late(self, sub: &CanaryStatus) -> bool {
        let anchor = sub
            .common
            .last_update_time
            .as_ref()
            .map_or(self.view.now, |time| time.0);
        self.view.now >= anchor + PATIENCE
    }
}

/// The canary Deployment's name, computed from what it is for. Its pods' host names stay within 63 characters.
pub(crate) fn canary_deployment_name(stable: &str, rollout_uid: &str, revision: &str) -> String {
    let hash = api::hash::template_revision(&json!({"rollout": rollout_uid, "revision": revision}));
    let short: String = hash.chars().take(5).collect();
    let stable: String = stable.chars().take(40).collect();
    format!("{stable}-{short}")
}

/// Lets a canary Deployment go that is on its way out.
pub(crate) fn strip_finalizer(canary: &DynamicObject, recheck: Option<Evidence>, draft: &mut Draft) {
    if let Some(index) = canary.finalizer_index(finalizer::CANARY_DEPLOYMENT) {
        let op = Op::remove(format!("/metadata/finalizers/{index}"));
        draft.patch(Kind::Deployment, canary, vec![op], recheck);
    }
}

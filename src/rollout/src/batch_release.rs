//! The BatchRelease of a release: what it says of the plan, how it marks the workload, and what its status reports.

use std::collections::BTreeMap;

use api::names::annotation;
use api::parts::{BatchReleasePhase, BatchState, ObjectReference, RollingStyle};
use api::plan::Strategy;
use api::v1beta1::{BatchRelease, BatchReleaseSpec, BatchReleaseStatus, CanaryStatus, ReleaseBatch, ReleasePlan};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::capacity::{Current, PATIENCE};
use crate::draft::Draft;
use crate::judge::Batch;
use crate::meta::Meta;
use crate::traffic_step::owner_reference;
use crate::{Kind, Op};

impl Current<'_> {
    pub(crate) fn batch_release_spec(self, revision: &str) -> BatchReleaseSpec {
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

    pub(crate) fn batch_release_object(self, spec: &BatchReleaseSpec) -> Value {
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
    pub(crate) fn control(self, batch_release: &DynamicObject, draft: &mut Draft) {
        let Some(workload) = &self.view.workload else { return };
        let wanted = owner_reference(Kind::BatchRelease, batch_release).to_string();
        let mut marks = BTreeMap::from([(annotation::CONTROL_INFO.to_owned(), wanted)]);
        if workload.object.annotation(annotation::IN_PROGRESSING).is_none() {
            let held = api::names::in_progressing(self.acting.name());
            marks.insert(annotation::IN_PROGRESSING.to_owned(), held);
        }
        let present = workload.object.metadata.annotations.as_ref();
        let mut ops = Op::map("/metadata/annotations", present, &marks, |_| false);
        if !workload.paused {
            ops.push(Op::set("/spec/paused", true));
        }
        draft.patch(Kind::Deployment, workload.object, ops, None);
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
}

//! The end of a release: everything that was made is taken away and everything that was changed is put back, in an order that depends on why
//! it ends. Traffic leaves before capacity goes. What is left to do is read from the cluster; only the moment at which traffic left is stored.

use api::names::{annotation, label};
use api::parts::FinalisingStep;
use api::plan::Routing;
use api::v1beta1::CanaryStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::canary;
use crate::draft::Draft;
use crate::meta::Meta;
use crate::steps::{anchor, closing_grace};
use crate::traffic_step::{canary_ingress, canary_service, withdrawn};
use crate::view::View;
use crate::{Evidence, Kind, Op, Propagation, WaitReason};

/// Why a release ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// All steps are behind: the workload takes the new revision everywhere, and only then the canary goes.
    Success,
    /// The user went back: the route goes first, the stable Service is opened last.
    Rollback,
    /// The Rollout is disabled or deleted, or the workload is gone: everything is given back at once.
    Released,
}

/// What finalising looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finalising<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) rollout: &'a DynamicObject,
    pub(crate) routing: Option<&'a Routing>,
    pub(crate) why: Why,
}

impl<'a> Finalising<'a> {
    /// One decision; true once nothing is left.
    pub(crate) fn go(self, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
        draft.rule("finalise", self.words());
        if sub.common.finalising_step == FinalisingStep::End {
            return true;
        }
        let traces = self.traces();
        if !traces {
            sub.common.finalising_step = FinalisingStep::End;
            return true;
        }
        if self.why != Why::Rollback {
            self.open_stable_service(draft);
        }
        let routed = self
            .routing
            .and_then(|routing| canary_ingress(self.view, routing, self.rollout));
        if let Some(ingress) = routed {
            draft.delete(Kind::Ingress, ingress, Propagation::Background, None);
        }
        if sub.common.finalising_step.is_empty() {
            // With the write of this moment, after the delete: the grace counts from here, also after a restart.
            sub.common.finalising_step = FinalisingStep::ResumeWorkload;
            sub.common.last_update_time = Some(Time(self.view.now));
            return false;
        }
        if routed.is_none() {
            self.give_back(sub, draft);
        }
        false
    }

    fn words(self) -> &'static str {
        match self.why {
            Why::Success => "the release is complete and is being cleaned up",
            Why::Rollback => "the release is rolled back and is being cleaned up",
            Why::Released => "the workload is being given back",
        }
    }

    /// Whether anything of the release is left.
    fn traces(self) -> bool {
        let view = self.view;
        let routing = self.routing;
        let ingress = routing.and_then(|routing| canary_ingress(view, routing, self.rollout));
        let service = routing.and_then(|routing| canary_service(view, routing, self.rollout));
        ingress.is_some()
            || service.is_some()
            || self.narrowed()
            || !view.canaries.is_empty()
            || self.has_batch_release()
            || self.held()
    }

    fn has_batch_release(self) -> bool {
        let found = self.view.batch_release.as_ref();
        found.is_some_and(|(object, _)| object.controlled_by(self.rollout.uid()))
    }

    /// Whether the workload is still marked as ours.
    fn held(self) -> bool {
        let marks = [annotation::IN_PROGRESSING, annotation::CONTROL_INFO];
        let workload = self.view.workload.as_ref();
        workload.is_some_and(|workload| marks.iter().any(|mark| workload.object.annotation(mark).is_some()))
    }

    fn stable_service(self) -> Option<&'a DynamicObject> {
        self.view.service(&self.routing?.service)
    }

    /// Whether the stable Service still selects one revision only.
    fn narrowed(self) -> bool {
        let service = self.stable_service();
        service.is_some_and(|service| !traffic::service::widen(service, label::POD_TEMPLATE_HASH).is_empty())
    }

    fn open_stable_service(self, draft: &mut Draft) {
        if let Some(service) = self.stable_service() {
            let ops = traffic::service::widen(service, label::POD_TEMPLATE_HASH);
            draft.patch(Kind::Service, service, ops, None);
        }
    }

    /// Nothing routes to the canary any more: the workload goes on by itself, then the capacity goes, then what is left.
    fn give_back(self, sub: &mut CanaryStatus, draft: &mut Draft) {
        let view = self.view;
        let gone = withdrawn(view, self.routing);
        if self.held() {
            self.resume(gone, draft);
            return;
        }
        if let (Why::Success, Some(workload)) = (self.why, &view.workload)
            && let Err(why) = workload.rolled()
        {
            return draft.wait(WaitReason::Workload { why });
        }
        let until = anchor(sub, view.now) + closing_grace(self.routing);
        if view.now < until {
            draft.wait(WaitReason::Grace { until });
            return draft.wake_at(until);
        }
        let mut evidence: Vec<Evidence> = gone.into_iter().collect();
        if let (Why::Success, Some(workload)) = (self.why, &view.workload) {
            evidence.push(Evidence::WorkloadRolled(workload.object.target(Kind::Deployment)));
        }
        let recheck = (!evidence.is_empty()).then_some(Evidence::All(evidence));
        for canary in &view.canaries {
            canary::remove(canary.object, recheck.clone(), draft);
        }
        if let Some((object, _)) = &view.batch_release
            && object.controlled_by(self.rollout.uid())
        {
            draft.delete(Kind::BatchRelease, object, Propagation::Background, recheck);
        }
        // On the way back the stable Service stays narrow until the canary's last pod is gone, or it would serve from it.
        if self.why != Why::Rollback || view.canaries.is_empty() {
            if self.why == Why::Rollback {
                self.open_stable_service(draft);
            }
            if let Some(service) = self
                .routing
                .and_then(|routing| canary_service(view, routing, self.rollout))
            {
                draft.delete(Kind::Service, service, Propagation::Background, None);
            }
        }
    }

    /// One patch takes every mark off the workload and lets it roll; the BatchRelease says so.
    fn resume(self, gone: Option<Evidence>, draft: &mut Draft) {
        if let Some((object, batch_release)) = &self.view.batch_release
            && batch_release.spec.release_plan.batch_partition.is_some()
            && !object.deleting()
        {
            let policy = if self.why == Why::Success {
                "WaitResume"
            } else {
                "Immediate"
            };
            let ops = vec![
                Op::remove("/spec/releasePlan/batchPartition"),
                Op::set("/spec/releasePlan/finalizingPolicy", policy),
            ];
            draft.patch(Kind::BatchRelease, object, ops, None);
        }
        if let Some(workload) = &self.view.workload {
            let object = workload.object;
            let mut ops = Vec::new();
            for mark in [annotation::IN_PROGRESSING, annotation::CONTROL_INFO] {
                if object.annotation(mark).is_some() {
                    ops.push(Op::remove(format!("/metadata/annotations/{}", traffic::escape(mark))));
                }
            }
            if object.label(label::STABLE_REVISION).is_some() {
                ops.push(Op::remove(format!(
                    "/metadata/labels/{}",
                    traffic::escape(label::STABLE_REVISION)
                )));
            }
            if object.data.pointer("/spec/paused") == Some(&Value::Bool(true)) {
                ops.push(Op::remove("/spec/paused"));
            }
            draft.patch(Kind::Deployment, object, ops, gone);
        }
    }
}

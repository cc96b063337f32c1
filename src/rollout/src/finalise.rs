//! The end of a release: everything that was made is taken away and everything that was changed is put back, in an order that depends on why
//! it ends. Traffic leaves before capacity goes. What is left to do is read from the cluster; only the moments from which something is waited
//! are stored.

use api::names::label;
use api::parts::FinalisingStep;
use api::plan::{Route, Routing, Step};
use api::v1beta1::CanaryStatus;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::DynamicObject;

use crate::canary;
use crate::deployment::Deployment;
use crate::draft::Draft;
use crate::meta::Meta;
use crate::steps::{anchor, grace};
use crate::traffic_step::{Position, Split, canary_service};
use crate::view::View;
use crate::{Evidence, Kind, Propagation, WaitReason};

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
    /// The last step of the plan, where there is one that can be read.
    pub(crate) last: Option<&'a Step>,
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
        let split = self.routing.map(|routing| Split::of(self.view, routing, self.rollout));
        if let (Why::Success, Some(split)) = (self.why, &split)
            && self.hand_over(split, sub, draft)
        {
            return false;
        }
        if self.opens_early() {
            self.open_stable_service(draft);
        }
        let away = split
            .as_ref()
            .is_none_or(|split| match self.opens_early() || self.view.canaries.is_empty() {
                true => split.withdraw(draft),
                // What would be the canary's too is kept from it until its last pod is gone.
                false => split.leave(draft),
            });
        let told = split.as_ref().is_some_and(Split::is_told);
        let begun = matches!(
            sub.common.finalising_step,
            FinalisingStep::ResumeWorkload | FinalisingStep::ReleaseWorkloadControl
        );
        if !begun && (away || !told) {
            // With the write of this moment, after the edit of the routes: the time counts from here, also after a restart.
            sub.common.finalising_step = FinalisingStep::ResumeWorkload;
            sub.common.last_update_time = Some(Time(self.view.now));
            return false;
        }
        if away {
            self.give_back(split.as_ref(), sub, draft);
        }
        false
    }

    /// The end of a release whose last step leads everything to the canary: it serves while the workload rolls, so that not even the workload's own
    /// rolling update can lose a request; then the stable Service, of new pods only, takes over. True while that is under way.
    fn hand_over(self, split: &Split<'_>, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
        let view = self.view;
        let (Some(last), Some(workload), Some(stable)) = (self.last, &view.workload, self.stable_service()) else {
            return false;
        };
        if !self.carries_all(split, last, sub) {
            return false;
        }
        let own = self.narrowed_to_own();
        if !own {
            // Who comes to the stable Service by other ways than the routes finds whatever pods there are.
            self.open_stable_service(draft);
        }
        if self.held() {
            // The last pause began one grace after the routes were written; the old pods stay until the slowest data plane has followed.
            let rest = split.farewell() - grace(self.routing);
            let until = anchor(sub, view.now) + rest.max(SignedDuration::ZERO);
            if view.now < until {
                draft.wait(WaitReason::Grace { until });
                draft.wake_at(until);
            } else {
                self.resume(self.carried(workload.replicas), draft);
            }
            return true;
        }
        if let Err(why) = workload.rolled() {
            draft.wait(WaitReason::Workload { why });
            return true;
        }
        if !own {
            return self.narrow_to_own(stable, workload, draft);
        }
        let (seen, wanted) = (view.endpoints(stable), workload.available_replicas.max(1));
        if i64::try_from(seen).unwrap_or(i64::MAX) < wanted {
            draft.wait(WaitReason::Endpoints {
                service: stable.name().to_owned(),
                seen,
                wanted,
            });
            return true;
        }
        if sub.common.finalising_step != FinalisingStep::RouteTrafficToStable {
            sub.common.finalising_step = FinalisingStep::RouteTrafficToStable;
            sub.common.last_update_time = Some(Time(view.now));
            return true;
        }
        let until = anchor(sub, view.now) + split.farewell();
        if view.now < until {
            draft.wait(WaitReason::Grace { until });
            draft.wake_at(until);
            return true;
        }
        let evidence = Evidence::EndpointsReady {
            namespace: view.world.key.namespace.clone(),
            service: stable.name().to_owned(),
            at_least: wanted,
        };
        split.withdraw_over(Some(&evidence), draft);
        if !split.is_told() {
            sub.common.finalising_step = FinalisingStep::ResumeWorkload;
            sub.common.last_update_time = Some(Time(view.now));
        }
        true
    }

    /// The workload has rolled: its pods alone stay in the stable Service, for the canary's are about to go. True while that is under way.
    fn narrow_to_own(self, stable: &DynamicObject, workload: &Deployment<'_>, draft: &mut Draft) -> bool {
        let narrowed = traffic::service::widen(stable, label::POD_TEMPLATE_HASH);
        match self.view.pod_hash(workload) {
            // Opened in this very decision: at most one write per object.
            _ if !narrowed.is_empty() => {}
            Some(hash) => {
                let ops = traffic::service::narrow(stable, label::POD_TEMPLATE_HASH, hash);
                draft.patch(Kind::Service, stable, ops, self.carried(workload.replicas));
            }
            None => draft.wait(WaitReason::Workload {
                why: format!(
                    "Deployment {} has no ReplicaSet of its template yet",
                    workload.object.name()
                ),
            }),
        }
        true
    }

    /// Whether the routes lead everything to the canary and it is big enough for that.
    fn carries_all(self, split: &Split<'_>, last: &Step, sub: &CanaryStatus) -> bool {
        let Some(route @ Route::Weight(weight)) = &last.route else {
            return false;
        };
        let (Some(workload), Some(canary)) = (&self.view.workload, self.view.canary()) else {
            return false;
        };
        weight.percents() == 100
            && self.routing.is_some_and(|routing| routing.canary_service)
            && canary.available_replicas >= workload.replicas
            && workload.replicas > 0
            && split.routed()
            && matches!(split.position(last, route, sub), Position::There | Position::Unseen(_))
    }

    /// The evidence that the canary can carry everything.
    fn carried(self, replicas: i64) -> Option<Evidence> {
        Some(Evidence::EndpointsReady {
            namespace: self.view.world.key.namespace.clone(),
            service: api::names::canary_name(&self.routing?.service),
            at_least: replicas,
        })
    }

    /// Whether the stable Service selects one revision only that the workload makes itself: then it waits for the canary's last pod, like on the
    /// way back.
    fn narrowed_to_own(self) -> bool {
        let selector = format!("/spec/selector/{}", label::POD_TEMPLATE_HASH);
        let selects = self
            .stable_service()
            .and_then(|service| service.data.pointer(&selector)?.as_str());
        let own = self
            .view
            .workload
            .as_ref()
            .and_then(|workload| self.view.pod_hash(workload));
        selects.is_some() && selects == own
    }

    /// Whether the stable Service takes in all pods before the canary goes. Otherwise it stays narrow until the canary's last pod is gone, or it
    /// would serve from it.
    fn opens_early(self) -> bool {
        match self.why {
            Why::Rollback => false,
            Why::Success => !self.narrowed_to_own(),
            Why::Released => true,
        }
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
        let service = routing.and_then(|routing| canary_service(view, routing, self.rollout));
        routing.is_some_and(|routing| {
            let split = Split::of(view, routing, self.rollout);
            split.routed() || !split.clearances().is_empty()
        }) || service.is_some()
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
        self.view.workload.as_ref().is_some_and(Deployment::held)
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
    fn give_back(self, split: Option<&Split<'_>>, sub: &mut CanaryStatus, draft: &mut Draft) {
        let view = self.view;
        let gone = split.map(Split::withdrawn);
        if self.held() {
            self.resume(gone, draft);
            return;
        }
        if let (Why::Success, Some(workload)) = (self.why, &view.workload)
            && let Err(why) = workload.rolled()
        {
            return draft.wait(WaitReason::Workload { why });
        }
        let until = anchor(sub, view.now) + split.map(Split::farewell).unwrap_or_default();
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
        if self.opens_early() || view.canaries.is_empty() {
            if !self.opens_early() {
                self.open_stable_service(draft);
            }
            if let Some(service) = self
                .routing
                .and_then(|routing| canary_service(view, routing, self.rollout))
            {
                draft.delete(Kind::Service, service, Propagation::Background, None);
            }
        }
        if let (Some(split), true) = (split, view.canaries.is_empty()) {
            self.clear(split, sub, draft);
        }
    }

    /// The canary's pods are gone: the routes need not tell the versions apart any more, and the subsets go once nobody can be sent there.
    fn clear(self, split: &Split<'_>, sub: &mut CanaryStatus, draft: &mut Draft) {
        let clearances = split.clearances();
        if !split.withdraw(draft) || clearances.is_empty() {
            return;
        }
        if sub.common.finalising_step != FinalisingStep::ReleaseWorkloadControl {
            sub.common.finalising_step = FinalisingStep::ReleaseWorkloadControl;
            sub.common.last_update_time = Some(Time(self.view.now));
            return;
        }
        let until = anchor(sub, self.view.now) + split.farewell();
        if self.view.now < until {
            draft.wait(WaitReason::Grace { until });
            return draft.wake_at(until);
        }
        split.send(clearances, None, draft);
    }

    /// One patch takes every mark off the workload and lets it roll.
    fn resume(self, gone: Option<Evidence>, draft: &mut Draft) {
        if let Some(workload) = &self.view.workload {
            workload.give_back(gone, draft);
        }
    }
}

//! Capacity of a step: everything that its pods need to be told apart and counted. Level-triggered: whatever is missing or has drifted is written
//! again. The parts are written by [`crate::batch_release`] and [`crate::canary`], and judged by [`crate::judge`].

use api::names::{annotation, label};
use api::plan::{Plan as Spec, Routing, Step, Strategy};
use api::v1beta1::CanaryStatus;
use jiff::{SignedDuration, Timestamp};
use traffic::service::{CanaryService, narrow};

use crate::draft::Draft;
use crate::judge::Batch;
use crate::meta::Meta;
use crate::steps::anchor;
use crate::traffic_step::{Split, owner_reference};
use crate::view::{Acting, View};
use crate::{Kind, Op, WaitReason};

/// A batch that is there this soon is reported once, as ready, and never as under way.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

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

impl<'a> Current<'a> {
    /// Writes what the step's capacity needs and judges whether it is there.
    pub(crate) fn ensure(self, sub: &mut CanaryStatus, draft: &mut Draft) -> Batch {
        let view = self.view;
        if let (Some(routing), Some(stable)) = (self.split(), sub.common.stable_revision.as_deref())
            && let Some(service) = view.service(&routing.service)
        {
            let ops = narrow(service, label::POD_TEMPLATE_HASH, stable);
            draft.patch(Kind::Service, service, ops, None);
        }
        if let Some(routing) = self.shared() {
            let split = self.routes(routing);
            let canary = view.canary_pod_hash().unwrap_or_default();
            split.send(split.preparations(sub, canary), None, draft);
        }
        let wanted = self.batch_release_spec(&sub.canary_revision);
        let Some((object, batch_release)) = &view.batch_release else {
            draft.create(Kind::BatchRelease, self.batch_release_object(&wanted), None);
            return self.judge(None, sub);
        };
        if batch_release.spec != wanted {
            let op = Op::set("/spec", serde_json::json!(wanted));
            draft.patch(Kind::BatchRelease, object, vec![op], None);
        }
        self.control(object, draft);
        self.canary(object, &sub.canary_revision, draft);
        if let Some(hash) = view.canary_pod_hash() {
            hash.clone_into(&mut sub.common.pod_template_hash);
            self.canary_service(hash, draft);
        }
        self.judge(Some(batch_release), sub)
    }

    /// The routing, when this step splits traffic between two Services.
    pub(crate) fn split(self) -> Option<&'a Routing> {
        let routing = self.spec.routing.as_ref()?;
        (routing.canary_service && self.step.route.is_some()).then_some(routing)
    }

    /// The routes of a routing, split for this release.
    pub(crate) fn routes(self, routing: &'a Routing) -> Split<'a> {
        Split::of(self.view, routing, self.acting.object)
    }

    /// The routing, when this step tells the versions apart behind one Service.
    pub(crate) fn shared(self) -> Option<&'a Routing> {
        let routing = self.spec.routing.as_ref()?;
        (!routing.canary_service && self.step.route.is_some()).then_some(routing)
    }

    /// Whether the routes lead anybody to the new version.
    pub(crate) fn routed(self) -> bool {
        let routing = self.spec.routing.as_ref();
        routing.is_some_and(|routing| self.routes(routing).leads_to_canary())
    }

    pub(crate) fn replicas(self) -> i64 {
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

    fn canary_service(self, hash: &str, draft: &mut Draft) {
        let Some(routing) = self.split() else { return };
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

    /// Whether the step has waited for its pods for so long that people should be told.
    pub(crate) fn late(self, sub: &CanaryStatus) -> bool {
        self.view.now >= self.patience(sub)
    }

    /// When people should be told what the step waits for.
    pub(crate) fn patience(self, sub: &CanaryStatus) -> Timestamp {
        anchor(sub, self.view.now) + PATIENCE
    }
}

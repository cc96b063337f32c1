//! Whether the pods of a step are there, and from when on: the judgement that lets traffic follow.

use api::names::label;
use api::parts::{BatchState, IntOrString};
use api::v1beta1::{BatchRelease, CanaryStatus};
use jiff::Timestamp;

use crate::WaitReason;
use crate::capacity::Current;
use crate::traffic_step::canary_service_name;

/// Ready endpoints that a Service has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// Name of the Service.
    pub(crate) service: String,
    /// How many.
    pub(crate) at_least: i64,
}

/// The pods of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Pods of the new revision that the step wants.
    pub(crate) planned: i64,
    /// Pods of it that exist.
    pub(crate) updated: i64,
    /// Pods of it that are available.
    pub(crate) ready: i64,
    /// What the new version's Service must show before it may be routed to.
    pub(crate) endpoints: Option<Endpoints>,
    /// What is missing, if anything.
    pub(crate) missing: Option<WaitReason>,
    /// What the canary Deployment's controller complains of, in words.
    pub(crate) trouble: Option<String>,
    /// Since when nothing is missing, as far as the cluster has stored it.
    pub(crate) since: Option<Timestamp>,
}

impl Current<'_> {
    pub(crate) fn judge(self, batch_release: Option<&BatchRelease>, sub: &CanaryStatus) -> Batch {
        let planned = self.planned();
        let canary = self.view.canary();
        // Pods that nobody has counted for the current spec are not there yet.
        let seen = canary.filter(|canary| canary.observed());
        let (updated, ready) = seen.map_or((0, 0), |canary| (canary.status_replicas, canary.available_replicas));
        let needed = (planned - self.tolerated(updated)).max(planned.min(1));
        let pods = canary.is_none() || updated < planned || ready < needed;
        let trouble = seen.filter(|_| pods).and_then(|canary| canary.trouble());
        let endpoints = self.endpoints(needed);
        let missing = match pods {
            true => Some(WaitReason::Pods { ready, wanted: needed }),
            false => endpoints
                .as_ref()
                .and_then(|endpoints| self.endpoints_missing(endpoints))
                .or_else(|| self.subsets_missing(sub)),
        };
        let stored = batch_release.and_then(|batch_release| Some((batch_release, batch_release.status.as_ref()?)));
        let stored = stored.filter(|(batch_release, status)| {
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
            trouble,
            since: stored.and_then(|(_, status)| Some(status.canary_status.batch_ready_time.as_ref()?.0)),
        }
    }

    /// The subsets by which the routes tell the versions apart are not made yet.
    fn subsets_missing(self, sub: &CanaryStatus) -> Option<WaitReason> {
        let split = self.routes(self.shared()?);
        let canary = self.view.canary_pod_hash().unwrap_or_default();
        (!split.preparations(sub, canary).is_empty()).then(|| WaitReason::Routes {
            why: "the DestinationRule gets its subsets".into(),
        })
    }

    /// Pods of the new revision that may be unready: none unless the Rollout says so; a share is one of those that exist.
    fn tolerated(self, updated: i64) -> i64 {
        let tolerated = match &self.spec.failure_threshold {
            None => 0,
            Some(IntOrString::Int(count)) => i64::from(*count),
            Some(quantity) => {
                let updated = i32::try_from(updated).unwrap_or(i32::MAX);
                i64::from(api::quantity::scaled(quantity, updated).unwrap_or(0))
            }
        };
        tolerated.max(0)
    }

    /// What must be seen of `needed` pods before they are routed to: in their own Service, or beside the stable ones where there is one for both.
    fn endpoints(self, needed: i64) -> Option<Endpoints> {
        let routing = self.spec.routing.as_ref()?;
        self.step.route.as_ref()?;
        let beside = match routing.canary_service {
            true => 0,
            false => self
                .view
                .workload
                .as_ref()
                .map_or(0, |stable| stable.available_replicas),
        };
        Some(Endpoints {
            service: canary_service_name(routing),
            at_least: beside + needed.max(1),
        })
    }

    /// What keeps the new version's Service from being routed to.
    fn endpoints_missing(self, wanted: &Endpoints) -> Option<WaitReason> {
        let service = self.view.service(&wanted.service);
        let seen = service.map_or(0, |service| self.view.endpoints(service));
        let selector = format!("/spec/selector/{}", label::POD_TEMPLATE_HASH);
        let selects = service.and_then(|service| service.data.pointer(&selector)?.as_str());
        let ours = match self.split() {
            Some(_) => selects.is_some() && selects == self.view.canary_pod_hash(),
            None => selects.is_none(),
        };
        let enough = i64::try_from(seen).unwrap_or(i64::MAX) >= wanted.at_least;
        (!ours || !enough).then(|| WaitReason::Endpoints {
            service: wanted.service.clone(),
            seen,
            wanted: wanted.at_least,
        })
    }
}

//! The world as the rules see it: the acting Rollout with its plan, its BatchRelease, the workload with its revisions, our canaries, and the
//! route objects by name. Read once per decision; what cannot be read is said, not guessed.

use api::names::{annotation, label};
use api::parts::RolloutPhase;
use api::plan::{Plan as Spec, Routing};
use api::v1beta1::{BatchRelease, Rollout, RolloutStatus};
use jiff::Timestamp;
use kube::core::DynamicObject;

use crate::binding::Binding;
use crate::deployment::Deployment;
use crate::evidence::ready_endpoints;
use crate::meta::Meta;
use crate::traffic_step::{Split, canary_service_name};
use crate::{Kind, Object, World, service_of_slice};

/// A Rollout and what it asks for.
#[derive(Debug)]
pub(crate) struct Acting<'a> {
    pub(crate) object: &'a DynamicObject,
    pub(crate) rollout: Rollout,
    /// What it asks for, or why that cannot be done.
    pub(crate) spec: Result<Spec, String>,
    /// The workload and the routes that it is bound to.
    pub(crate) bound: Binding,
    /// The workload and the routes that its spec asks for.
    pub(crate) asked: Binding,
    /// The routing that it is bound to: what has to be put back.
    pub(crate) routing: Option<Routing>,
}

/// Everything about one workload.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) now: Timestamp,
    pub(crate) world: &'a World,
    pub(crate) workload: Option<Deployment<'a>>,
    /// Why the workload cannot be read, when it is there and cannot.
    pub(crate) unreadable: Option<String>,
    pub(crate) batch_release: Option<(&'a DynamicObject, BatchRelease)>,
    pub(crate) canaries: Vec<Deployment<'a>>,
}

impl Acting<'_> {
    pub(crate) fn name(&self) -> &str {
        self.object.name()
    }

    pub(crate) fn status(&self) -> RolloutStatus {
        self.rollout.status.clone().unwrap_or_default()
    }

    /// Whether its spec names another workload than the one that it is bound to.
    pub(crate) fn turned(&self) -> bool {
        self.bound.workload_ref != self.asked.workload_ref
    }

    /// Whether it is in the middle of something that it has to end itself.
    pub(crate) fn busy(&self) -> bool {
        let phase = self.rollout.status.as_ref().map(|status| &status.phase);
        matches!(
            phase,
            Some(RolloutPhase::Progressing | RolloutPhase::Disabling | RolloutPhase::Terminating)
        )
    }
}

/// The Rollouts of the world that can be read, those that act before those that must stand back. The acting one is the one in the middle of
/// a release; else the oldest that is not disabled.
pub(crate) fn rollouts(world: &World) -> Vec<Acting<'_>> {
    let mut found: Vec<Acting<'_>> = world
        .of_kind(Kind::Rollout)
        .iter()
        .filter(|object| crate::Key::of_rollout(object).as_ref() == Some(&world.key))
        .filter_map(acting)
        .collect();
    found.sort_by_key(|one| {
        let disabled = one.rollout.spec.disabled == Some(true);
        (!one.busy(), disabled, one.object.created(), one.name().to_owned())
    });
    found
}

fn acting(object: &Object) -> Option<Acting<'_>> {
    let whole = serde_json::to_value(object.as_ref()).ok()?;
    let rollout: Rollout = serde_json::from_value(whole).ok()?;
    let spec = Spec::of(&rollout).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    });
    let spec = spec.and_then(|spec| crate::served::served(&spec).map(|()| spec));
    let bound = Binding::of(object);
    let routing = bound.routing(spec.as_ref().ok().and_then(|spec| spec.routing.as_ref()));
    Some(Acting {
        object,
        rollout,
        spec,
        bound,
        asked: Binding::asked(object),
        routing,
    })
}

impl<'a> View<'a> {
    pub(crate) fn read(world: &'a World, rollout_name: Option<&str>) -> Self {
        let mut workload = None;
        let mut unreadable = None;
        let mut canaries = Vec::new();
        for object in world.of_kind(Kind::Deployment) {
            let canary_of = object.label(label::CANARY_DEPLOYMENT);
            let read = Deployment::read(object);
            match (canary_of, read) {
                (Some(of), Ok(canary)) if of == world.key.name => canaries.push(canary),
                (None, Ok(found)) if object.name() == world.key.name => workload = Some(found),
                (None, Err(error)) if object.name() == world.key.name => unreadable = Some(error.to_string()),
                _ => {}
            }
        }
        let batch_release = world
            .of_kind(Kind::BatchRelease)
            .iter()
            .find(|object| Some(object.name()) == rollout_name);
        let batch_release = batch_release.and_then(|object| {
            let whole = serde_json::to_value(object.as_ref()).ok()?;
            Some((object.as_ref(), serde_json::from_value(whole).ok()?))
        });
        Self {
            now: world.now,
            world,
            workload,
            unreadable,
            batch_release,
            canaries,
        }
    }

    pub(crate) fn named(&self, kind: Kind, name: &str) -> Option<&'a DynamicObject> {
        let objects = self.world.of_kind(kind).iter();
        objects
            .map(AsRef::as_ref)
            .find(|object: &&DynamicObject| object.name() == name)
    }

    pub(crate) fn service(&self, name: &str) -> Option<&'a DynamicObject> {
        self.named(Kind::Service, name)
    }

    /// Ready endpoints of a Service.
    pub(crate) fn endpoints(&self, service: &DynamicObject) -> usize {
        let of_service = |slice: &&DynamicObject| {
            let owners = slice.metadata.owner_references.as_deref().unwrap_or_default();
            // A Service made again under the same name does not inherit the slices of the one before.
            let stale = owners
                .iter()
                .any(|owner| owner.kind == "Service" && owner.uid != service.uid());
            service_of_slice(slice) == Some(service.name()) && !stale
        };
        ready_endpoints(
            self.world
                .of_kind(Kind::EndpointSlice)
                .iter()
                .map(AsRef::as_ref)
                .filter(of_service),
        )
    }

    /// The ReplicaSets of a Deployment that run pods, the oldest first.
    fn active_replica_sets(&self, owner: &DynamicObject) -> Vec<&'a DynamicObject> {
        active_replica_sets(self.world.of_kind(Kind::ReplicaSet), owner)
    }

    /// The stable revision's ReplicaSet: the one stored for this release, or named by the webhook's label, while it exists, even one that was
    /// scaled to nothing; else the oldest that runs pods.
    pub(crate) fn stable_replica_set(&self, stored: Option<&str>) -> Option<&'a DynamicObject> {
        let owner = self.workload.as_ref()?.object;
        let stored = stored.or(owner.label(label::STABLE_REVISION));
        let sets = self.world.of_kind(Kind::ReplicaSet).iter().map(AsRef::as_ref);
        let mut stored = sets.filter(|set: &&DynamicObject| {
            stored.is_some()
                && set.label(label::POD_TEMPLATE_HASH) == stored
                && set.controlled_by(owner.uid())
                && !set.deleting()
        });
        stored
            .next()
            .or_else(|| self.active_replica_sets(owner).first().copied())
    }

    /// The canary Deployment that is there to stay.
    pub(crate) fn canary(&self) -> Option<&Deployment<'a>> {
        self.canaries.iter().find(|canary| !canary.object.deleting())
    }

    /// The revision label of the canary's pods, once its ReplicaSet exists.
    pub(crate) fn canary_pod_hash(&self) -> Option<&'a str> {
        self.pod_hash(self.canary()?)
    }

    /// The revision label of the pods that a Deployment makes by its template, once its ReplicaSet exists.
    pub(crate) fn pod_hash(&self, deployment: &Deployment<'_>) -> Option<&'a str> {
        let sets = self.world.of_kind(Kind::ReplicaSet).iter().map(AsRef::as_ref);
        let mut own = sets.filter(|set: &&DynamicObject| {
            let template = set.data.pointer("/spec/template");
            set.controlled_by(deployment.object.uid())
                && !set.deleting()
                && template.is_some_and(|template| api::hash::same_template(template, deployment.template))
        });
        own.next()?.label(label::POD_TEMPLATE_HASH)
    }

    pub(crate) fn in_progressing(&self) -> bool {
        self.workload
            .as_ref()
            .is_some_and(|workload| workload.object.annotation(annotation::IN_PROGRESSING).is_some())
    }

    /// Revision of the workload's template.
    pub(crate) fn revision(&self) -> Option<String> {
        self.workload
            .as_ref()
            .map(|workload| api::hash::template_revision(workload.template))
    }

    /// Whether the workload's template is the stable revision's again.
    pub(crate) fn rolled_back(&self, stable_revision: Option<&str>) -> bool {
        let set = self.stable_replica_set(stable_revision);
        let template = set.and_then(|set| set.data.pointer("/spec/template"));
        match (template, &self.workload) {
            (Some(stable), Some(workload)) => api::hash::same_template(stable, workload.template),
            _ => false,
        }
    }

    /// Why nothing can be routed, if it cannot: the Service and the routes must be there and usable, and the canary names free.
    pub(crate) fn routing_blocker(&self, rollout: &DynamicObject, routing: &Routing) -> Option<String> {
        let namespace = &self.world.key.namespace;
        let Some(service) = self.service(&routing.service) else {
            return Some(format!(
                "Service {namespace}/{} is not found; create it, or correct trafficRoutings[0].service",
                routing.service
            ));
        };
        if let Some(why) = traffic::service::unusable(service) {
            return Some(format!(
                "Service {namespace}/{} cannot be split: {why}",
                routing.service
            ));
        }
        if let Some(why) = Split::of(self, routing, rollout).unusable() {
            return Some(why);
        }
        let canary = self.service(&canary_service_name(routing))?;
        (routing.canary_service && !canary.controlled_by(rollout.uid())).then(|| {
            format!(
                "Service {namespace}/{} exists and is not of this release; rename or delete it",
                canary.name()
            )
        })
    }
}

/// The ReplicaSets of `owner` that run pods, the oldest first.
pub(crate) fn active_replica_sets<'a>(sets: &'a [Object], owner: &DynamicObject) -> Vec<&'a DynamicObject> {
    let replicas = |set: &DynamicObject| set.data.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
    let mut active: Vec<&DynamicObject> = sets
        .iter()
        .map(AsRef::as_ref)
        .filter(|set: &&DynamicObject| set.controlled_by(owner.uid()) && !set.deleting() && replicas(set) != Some(0))
        .collect();
    active.sort_by_key(|set| (set.created(), set.name().to_owned()));
    active
}

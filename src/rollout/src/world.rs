//! The world of one workload: everything a decision may look at, as raw objects, and the clock's reading. The controller's *observe* fills it
//! from its caches; [`crate::plan`] reads it. Selection rules (which objects belong to a key) live here too, so that the caches, the watch
//! mapping and the tests agree on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use analysis::run::Measured;
use api::names::label;
use jiff::Timestamp;
use kube::core::DynamicObject;

use crate::Kind;
use crate::binding::Binding;
use crate::meta::Meta;

/// An object as it was read: never mutated, shared with the cache it came from.
pub type Object = Arc<DynamicObject>;

/// One queue key per workload. Rollout, BatchRelease and everything made for them map to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Namespace of the workload and of all that concerns it.
    pub namespace: String,
    /// API group of the workload, without version: `apps`.
    pub group: String,
    /// Kind of the workload: `Deployment`.
    pub kind: String,
    /// Name of the workload.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

impl Key {
    /// The key of an `apps` Deployment.
    pub fn deployment(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            group: "apps".into(),
            kind: "Deployment".into(),
            name: name.into(),
        }
    }

    /// The key that a Rollout (stored form, `v1beta1`) belongs to: that of the workload that it is bound to, or else names. One that names no
    /// workload has a key of its own, so that somebody can tell it so. `None` without a namespace or a name.
    pub fn of_rollout(object: &DynamicObject) -> Option<Self> {
        let namespace = object.metadata.namespace.clone()?;
        let (group, kind, name) = match Binding::of(object).workload_ref {
            Some(workload) => (workload.group().to_owned(), workload.kind, workload.name),
            None => (
                api::names::GROUP.to_owned(),
                "Rollout".to_owned(),
                object.metadata.name.clone()?,
            ),
        };
        Some(Self {
            namespace,
            group,
            kind,
            name,
        })
    }

    /// The key that a BatchRelease (stored form, `v1beta1`) names in `spec.workloadRef`; `None` when it names none.
    pub fn named_by(object: &DynamicObject) -> Option<Self> {
        let workload = Binding::asked(object).workload_ref?;
        Some(Self {
            namespace: object.metadata.namespace.clone()?,
            group: workload.group().to_owned(),
            kind: workload.kind,
            name: workload.name,
        })
    }

    /// The key of an AnalysisRun that no Rollout owns: a person's, or another program's.
    pub fn of_run(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            group: api::names::GROUP.into(),
            kind: Kind::AnalysisRun.name().into(),
            name: name.into(),
        }
    }

    /// The key of a Deployment: of the workload that it is a canary of when it carries our label, else its own.
    pub fn of_deployment(object: &DynamicObject) -> Option<Self> {
        let own = object.metadata.name.clone()?;
        let name = object.label(label::CANARY_DEPLOYMENT).map_or(own, str::to_owned);
        Some(Self::deployment(object.metadata.namespace.clone()?, name))
    }
}

/// The names of the Services and route objects that a Rollout concerns: the user's and ours beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteNames {
    /// The stable Service and its canary.
    pub services: BTreeSet<String>,
    /// The route objects, each with its kind.
    pub routes: BTreeSet<(Kind, String)>,
}

impl RouteNames {
    /// Reads the names out of a Rollout in stored form (`v1beta1`): those that it is bound to, and those that it asks for. Whatever is missing or
    /// malformed names nothing.
    pub fn of(rollout: &DynamicObject) -> Self {
        let mut names = Self::default();
        for binding in Binding::stored(rollout).into_iter().chain([Binding::asked(rollout)]) {
            names.add(&binding);
        }
        names
    }

    fn add(&mut self, binding: &Binding) {
        let Some(service) = binding.service.clone() else { return };
        let canary = api::names::canary_name(&service);
        self.services.extend([service, canary]);
        let routers = binding
            .routing(None)
            .and_then(|routing| traffic::routers(&routing.routers).ok());
        let objects = routers.iter().flatten().flat_map(|router| router.objects());
        self.routes
            .extend(objects.map(|object| (Kind::of_route(object.kind), object.name)));
    }
}

/// The Service that an EndpointSlice belongs to, by its label.
pub fn service_of_slice(slice: &DynamicObject) -> Option<&str> {
    slice.label("kubernetes.io/service-name")
}

/// Everything one decision looks at.
///
/// Which objects belong into the world of a key, all of the key's namespace:
/// - Rollouts that belong to the key ([`Key::of_rollout`]), BatchReleases whose `spec.workloadRef` names it ([`Key::named_by`]), and BatchReleases
///   that have the name of one of those Rollouts;
/// - Deployments whose [`Key::of_deployment`] is the key (for a Deployment's key: the workload and its canaries);
/// - ReplicaSets whose controller owner (by uid) is one of those Deployments;
/// - Services and route objects named by those Rollouts ([`RouteNames::of`]);
/// - EndpointSlices of those Services ([`service_of_slice`]);
/// - AnalysisRuns whose controller owner (by uid) is one of those Rollouts, and the templates that these concern ([`crate::templates`]). A run that no
///   Rollout owns has a key of its own ([`Key::of_run`]).
///
/// More objects do no harm: the rules select again by name, uid and label. Fewer are taken as absent.
#[derive(Clone, Debug)]
pub struct World {
    /// The clock's reading when the snapshot was taken.
    pub now: Timestamp,
    /// The workload that the decision is about.
    pub key: Key,
    objects: BTreeMap<Kind, Vec<Object>>,
    unserved: BTreeSet<Kind>,
    answers: BTreeMap<String, Vec<Measured>>,
}

impl World {
    /// An empty world of `key` at `now`.
    pub fn new(now: Timestamp, key: Key) -> Self {
        Self {
            now,
            key,
            objects: BTreeMap::new(),
            unserved: BTreeSet::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Adds what came of a measurement for the AnalysisRun of that uid.
    pub fn answer(&mut self, run: impl Into<String>, measured: Measured) {
        self.answers.entry(run.into()).or_default().push(measured);
    }

    /// What came of the measurements for a run, in the order they came in.
    pub fn answers(&self, run: &str) -> &[Measured] {
        self.answers.get(run).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes that the cluster does not serve a kind: nothing of it can exist until somebody installs its definition.
    pub fn unserved(&mut self, kind: Kind) {
        self.unserved.insert(kind);
    }

    /// Whether the cluster serves a kind, as far as is known.
    pub fn serves(&self, kind: Kind) -> bool {
        !self.unserved.contains(&kind)
    }

    /// Adds an object that was read as `kind`. The order of additions does not matter to the rules.
    pub fn add(&mut self, kind: Kind, object: Object) {
        self.objects.entry(kind).or_default().push(object);
    }

    /// Adds several objects of one kind.
    pub fn extend(&mut self, kind: Kind, objects: impl IntoIterator<Item = Object>) {
        self.objects.entry(kind).or_default().extend(objects);
    }

    /// The objects of one kind, in the order they were added.
    pub fn of_kind(&self, kind: Kind) -> &[Object] {
        self.objects.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Kind, name and resourceVersion of every object, sorted: the inputs of a decision, for the trace.
    pub fn versions(&self) -> Vec<(Kind, String, String)> {
        let mut versions: Vec<_> = self
            .objects
            .iter()
            .flat_map(|(kind, objects)| {
                objects.iter().map(|object| {
                    (
                        *kind,
                        object.metadata.name.clone().unwrap_or_default(),
                        object.metadata.resource_version.clone().unwrap_or_default(),
                    )
                })
            })
            .collect();
        versions.sort();
        versions
    }
}

//! Evidence: what must be true in the cluster at the very moment when one of the four effects that check again is sent (weight up, capacity
//! down, finalizer off, claim released). Data, with a pure judgement over objects that the controller has read freshly from the API server.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::core::DynamicObject;
use serde_json::Value;
use traffic::{Router, Routes, Sides};

use crate::{Key, Kind, Target};

/// What must hold. Read [`Evidence::reads`], then ask [`Evidence::still_holds`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The EndpointSlices of a Service show ready endpoints.
    EndpointsReady {
        /// Namespace.
        namespace: String,
        /// Name of the Service.
        service: String,
        /// How many different endpoints there must be at least.
        at_least: i64,
    },
    /// An object does not exist, or is on its way out with nothing that holds it.
    Absent(Target),
    /// Nothing of a release is left on its routes.
    Unrouted(Box<Unrouted>),
    /// A Deployment runs its own template on enough available pods and on no others.
    WorkloadRolled(Target),
    /// No Rollout leads a workload.
    Unled(Key),
    /// All of these.
    All(Vec<Evidence>),
}

/// The routes of a release, and for whom they were split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrouted {
    /// The routers, as the plan names them.
    pub routers: Vec<api::plan::Router>,
    /// Namespace of all that is named here.
    pub namespace: String,
    /// The stable Service.
    pub stable_service: String,
    /// The new version's Service.
    pub canary_service: String,
    /// Owner reference to the Rollout.
    pub owner: Value,
}

impl Unrouted {
    fn routers(&self) -> Vec<Box<dyn Router>> {
        traffic::routers(&self.routers).unwrap_or_default()
    }

    fn targets(&self) -> Vec<Target> {
        let names = self.routers().into_iter().flat_map(|router| router.objects());
        let target = |name: traffic::RouteName| Target {
            kind: Kind::of_route(name.kind),
            namespace: self.namespace.clone(),
            name: name.name,
        };
        names.map(target).collect()
    }

    fn holds(&self, fresh: &[(Kind, Arc<DynamicObject>)]) -> bool {
        let mut routes = Routes::default();
        for (kind, object) in fresh {
            if let (Some(kind), false) = (kind.route(), gone(object)) {
                routes.add(kind, object);
            }
        }
        let sides = Sides {
            namespace: &self.namespace,
            stable_service: &self.stable_service,
            canary_service: &self.canary_service,
            owner: &self.owner,
        };
        self.routers()
            .iter()
            .all(|router| !router.leads_to_canary(&routes, sides))
    }
}

/// Whether an object is on its way out with nothing that holds it.
fn gone(object: &DynamicObject) -> bool {
    object.metadata.deletion_timestamp.is_some() && object.metadata.finalizers.as_ref().is_none_or(Vec::is_empty)
}

/// One read that evidence needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// One object by name; it may be absent.
    Get(Target),
    /// All objects of a kind, or those with a label.
    List {
        /// Kind.
        kind: Kind,
        /// Namespace.
        namespace: String,
        /// Label selector: `key=value`, or nothing for all.
        selector: String,
    },
}

impl Evidence {
    /// What has to be read before judging, without repetition.
    pub fn reads(&self) -> Vec<Read> {
        let mut reads = BTreeSet::new();
        self.collect_reads(&mut reads);
        reads.into_iter().collect()
    }

    fn collect_reads(&self, reads: &mut BTreeSet<Read>) {
        match self {
            Self::EndpointsReady { namespace, service, .. } => {
                reads.insert(Read::List {
                    kind: Kind::EndpointSlice,
                    namespace: namespace.clone(),
                    selector: format!("kubernetes.io/service-name={service}"),
                });
            }
            Self::Absent(target) | Self::WorkloadRolled(target) => {
                reads.insert(Read::Get(target.clone()));
            }
            Self::Unled(key) => {
                reads.insert(Read::List {
                    kind: Kind::Rollout,
                    namespace: key.namespace.clone(),
                    selector: String::new(),
                });
            }
            Self::Unrouted(routes) => reads.extend(routes.targets().into_iter().map(Read::Get)),
            Self::All(all) => all.iter().for_each(|one| one.collect_reads(reads)),
        }
    }

    /// Whether it holds in what was read. `fresh` is everything that [`Evidence::reads`] brought, each with the kind it was read as.
    pub fn still_holds(&self, fresh: &[(Kind, Arc<DynamicObject>)]) -> bool {
        match self {
            Self::EndpointsReady { service, at_least, .. } => {
                let slices = fresh
                    .iter()
                    .filter(|(kind, slice)| {
                        *kind == Kind::EndpointSlice && crate::service_of_slice(slice) == Some(service)
                    })
                    .map(|(_, slice)| slice.as_ref());
                i64::try_from(ready_endpoints(slices)).unwrap_or(i64::MAX) >= *at_least
            }
            Self::Absent(target) => fresh.iter().all(|(kind, object)| {
                !(*kind == target.kind && object.metadata.name.as_deref() == Some(target.name.as_str())) || gone(object)
            }),
            Self::WorkloadRolled(target) => fresh
                .iter()
                .find(|(kind, object)| {
                    *kind == target.kind && object.metadata.name.as_deref() == Some(target.name.as_str())
                })
                .is_some_and(|(_, object)| {
                    crate::deployment::Deployment::read(object).is_ok_and(|d| d.rolled().is_ok())
                }),
            Self::Unled(key) => !fresh
                .iter()
                .any(|(kind, object)| *kind == Kind::Rollout && Key::of_rollout(object).as_ref() == Some(key)),
            Self::Unrouted(routes) => routes.holds(fresh),
            Self::All(all) => all.iter().all(|one| one.still_holds(fresh)),
        }
    }
}

/// How many different ready endpoints the slices show. An endpoint is known by its pod, or by its address where it names none.
pub(crate) fn ready_endpoints<'a>(slices: impl Iterator<Item = &'a DynamicObject>) -> usize {
    let mut seen = BTreeSet::new();
    for slice in slices.filter(|slice| slice.metadata.deletion_timestamp.is_none()) {
        let endpoints = slice.data.get("endpoints").and_then(Value::as_array);
        for endpoint in endpoints.into_iter().flatten() {
            // Absent means ready: so the API defines it.
            let ready = endpoint
                .pointer("/conditions/ready")
                .and_then(Value::as_bool)
                .unwrap_or(true);
            let identity = [
                endpoint.pointer("/targetRef/uid"),
                endpoint.pointer("/targetRef/name"),
                endpoint.pointer("/addresses/0"),
            ];
            let identity = identity.into_iter().flatten().find_map(Value::as_str);
            if let (true, Some(identity)) = (ready, identity) {
                seen.insert(identity);
            }
        }
    }
    seen.len()
}

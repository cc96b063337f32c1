//! From a changed object to the workloads that must be looked at again.
//!
//! A pure function of the change and the caches. One key per workload: whatever touches a workload's release ends at the same key, so that
//! no two reconciles of one workload ever run at once.

use std::collections::BTreeSet;

use kube::core::DynamicObject;
use rollout::{Key, Kind, Object, RouteNames};

use super::cache::{Caches, Change};
use super::index::Index;

/// The keys that `change` concerns: those of the object as it was and as it is.
pub(crate) fn keys(change: &Change, caches: &Caches) -> BTreeSet<Key> {
    [&change.before, &change.after]
        .into_iter()
        .flatten()
        .flat_map(|object| of_object(change.kind, object, caches))
        .collect()
}

fn of_object(kind: Kind, object: &DynamicObject, caches: &Caches) -> Vec<Key> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    match kind {
        Kind::Rollout => Key::of_rollout(object).into_iter().collect(),
        // A BatchRelease also counts for the Rollout of its name, which made it.
        Kind::BatchRelease => [
            Key::named_by(object),
            caches
                .get(Kind::Rollout, namespace, name)
                .and_then(|rollout| Key::of_rollout(rollout)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Kind::Deployment => Key::of_deployment(object).into_iter().collect(),
        Kind::ReplicaSet => object
            .metadata
            .owner_references
            .iter()
            .flatten()
            .filter(|owner| owner.controller == Some(true) && owner.kind == "Deployment")
            .filter_map(|owner| caches.get(Kind::Deployment, namespace, &owner.name))
            .filter_map(|deployment| Key::of_deployment(deployment))
            .collect(),
        Kind::Service => routing(caches, namespace, Index::Service, name),
        Kind::EndpointSlice => rollout::service_of_slice(object)
            .map(|service| routing(caches, namespace, Index::Service, service))
            .unwrap_or_default(),
        Kind::AnalysisRun => {
            let owner = owning_rollout(object).and_then(|owner| caches.get(Kind::Rollout, namespace, owner));
            let key = owner.and_then(|rollout| Key::of_rollout(rollout));
            vec![key.unwrap_or_else(|| Key::of_run(namespace, name))]
        }
        Kind::AnalysisTemplate => measuring(caches.find(Kind::Rollout, Index::Analysis, namespace, "")),
        Kind::ClusterAnalysisTemplate => measuring(
            caches
                .all(Kind::Rollout)
                .filter(|rollout| rollout::has_analysis(rollout)),
        ),
        Kind::Ingress | Kind::HttpRoute | Kind::GrpcRoute | Kind::VirtualService | Kind::DestinationRule => {
            routing(caches, namespace, Index::Route(kind), name)
        }
    }
}

/// The keys of rollouts.
fn measuring<'a>(rollouts: impl IntoIterator<Item = &'a Object>) -> Vec<Key> {
    rollouts
        .into_iter()
        .filter_map(|rollout| Key::of_rollout(rollout))
        .collect()
}

/// The name of the Rollout that owns an AnalysisRun.
pub(super) fn owning_rollout(run: &DynamicObject) -> Option<&str> {
    let owners = run.metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners
        .iter()
        .find(|owner| owner.controller == Some(true) && owner.kind == "Rollout");
    owner.map(|owner| owner.name.as_str())
}

/// The keys of the rollouts that name the Service or route object `name`, or made it.
fn routing(caches: &Caches, namespace: &str, index: Index, name: &str) -> Vec<Key> {
    caches
        .find(Kind::Rollout, index, namespace, name)
        .into_iter()
        .filter_map(|rollout| Key::of_rollout(rollout))
        .collect()
}

/// The keys of the rollouts that name an object of `kind`, whether it exists or not.
pub(crate) fn naming(kind: Kind, caches: &Caches) -> BTreeSet<Key> {
    let rollouts = caches.all(Kind::Rollout);
    rollouts
        .filter(|rollout| RouteNames::of(rollout).routes.iter().any(|(named, _)| *named == kind))
        .filter_map(|rollout| Key::of_rollout(rollout))
        .collect()
}

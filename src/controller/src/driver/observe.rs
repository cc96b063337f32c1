//! Observe: from the caches to the world of one key.
//!
//! Pure; which objects belong into a world is said by [`rollout::World`]. Every look-up is by name or index, so that the cost of a
//! reconcile does not grow with the cluster.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollout::{Key, Kind, RouteNames, World};

use super::cache::{Caches, Knowledge};
use super::index::Index;

/// Everything that concerns `key` at `now`.
pub(crate) fn observe(caches: &Caches, key: &Key, now: Timestamp) -> World {
    let namespace = key.namespace.as_str();
    let found = |kind, index, text: &str| caches.find(kind, index, namespace, text).into_iter().cloned();
    let get = |kind, name: &str| caches.get(kind, namespace, name).cloned();
    let text = key.to_string();

    let mut world = World::new(now, key.clone());
    for kind in Kind::ALL {
        if *caches.knowledge(kind) == Knowledge::Unserved {
            world.unserved(kind);
        }
    }
    let rollouts: Vec<_> = found(Kind::Rollout, Index::Key, &text).collect();
    if rollouts.is_empty() && key.kind == Kind::AnalysisRun.name() {
        world.extend(Kind::AnalysisRun, get(Kind::AnalysisRun, &key.name));
    }
    for rollout in &rollouts {
        let uid = rollout.metadata.uid.as_deref().unwrap_or_default();
        world.extend(Kind::AnalysisRun, found(Kind::AnalysisRun, Index::Owner, uid));
    }
    let template = |kind, name: &str| match kind {
        Kind::ClusterAnalysisTemplate => caches.get(kind, "", name).cloned(),
        _ => get(kind, name),
    };
    for (kind, found) in rollout::templates(&rollouts, template) {
        world.add(kind, found);
    }
    let mut releases: BTreeSet<String> = found(Kind::BatchRelease, Index::Key, &text)
        .filter_map(|release| release.metadata.name.clone())
        .collect();
    releases.extend(rollouts.iter().filter_map(|rollout| rollout.metadata.name.clone()));
    let mut services = BTreeSet::new();
    let mut routes = BTreeSet::new();
    for rollout in &rollouts {
        let names = RouteNames::of(rollout);
        services.extend(names.services);
        routes.extend(names.routes);
    }
    let deployments: Vec<_> = found(Kind::Deployment, Index::Key, &text).collect();
    for deployment in &deployments {
        let uid = deployment.metadata.uid.as_deref().unwrap_or_default();
        world.extend(Kind::ReplicaSet, found(Kind::ReplicaSet, Index::Owner, uid));
    }
    world.extend(Kind::Rollout, rollouts);
    world.extend(
        Kind::BatchRelease,
        releases.iter().filter_map(|name| get(Kind::BatchRelease, name)),
    );
    world.extend(Kind::Deployment, deployments);
    for service in &services {
        world.extend(Kind::Service, get(Kind::Service, service));
        world.extend(Kind::EndpointSlice, found(Kind::EndpointSlice, Index::Service, service));
    }
    for (kind, name) in &routes {
        world.extend(*kind, get(*kind, name));
    }
    world
}

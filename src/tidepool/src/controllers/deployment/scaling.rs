//! Which of a Deployment's ReplicaSets were sized, as the Deployment's Events tell it.
//!
//! Told from the sizes before and after one reconcile, so that the rolling itself need not know who listens.

use std::collections::BTreeMap;

use super::super::driver::Key;
use super::{replicas, sets_of};
use crate::cluster::Cluster;
use crate::events::Note;
use crate::object;
use crate::resource::DEPLOYMENTS;

/// Sizes of ReplicaSets by their names.
pub(super) type Sizes = BTreeMap<String, i64>;

/// The sizes now; none when there is no such Deployment.
pub(super) fn sizes(cluster: &dyn Cluster, (namespace, name): &Key) -> Sizes {
    let Some(deployment) = cluster.get(&DEPLOYMENTS, namespace, name) else {
        return Sizes::new();
    };
    let sets = sets_of(cluster, &deployment);
    sets.iter()
        .map(|set| (object::name(&set.value).to_owned(), replicas(set)))
        .collect()
}

/// What is said of the way from one to the other: what grew, then what shrank.
pub(super) fn notes(before: &Sizes, after: &Sizes) -> Vec<Note> {
    let moved = |up: bool| {
        after.iter().filter_map(move |(name, to)| {
            let from = before.get(name).copied().unwrap_or(0);
            let word = if up { "up" } else { "down" };
            let told = if up { *to > from } else { *to < from };
            told.then(|| {
                Note::normal(
                    "ScalingReplicaSet",
                    format!("Scaled {word} replica set {name} from {from} to {to}"),
                )
            })
        })
    };
    moved(true).chain(moved(false)).collect()
}

//! Taking a Rollout over: the hash of its plan and what it is bound to, in one write; and the finalizer, which is on it for as long as a release
//! is under way. A Rollout at rest has none, so that it can be deleted, and tidegate taken off the cluster, when no controller runs any more.

use std::collections::BTreeMap;

use api::names::{annotation, finalizer};
use kube::core::DynamicObject;
use serde_json::json;

use crate::draft::Draft;
use crate::meta::Meta;
use crate::traffic_step::Split;
use crate::view::{Acting, View};
use crate::{Evidence, Kind, Op, Target};

/// Writes what is missing on the Rollout; true when that had to be written first.
pub(crate) fn adopt(acting: &Acting<'_>, draft: &mut Draft) -> bool {
    let object = acting.object;
    let mut wanted = BTreeMap::from([(annotation::BOUND_TO.to_owned(), acting.asked.to_text())]);
    if let Some(hash) = api::hash::plan_hash(&acting.rollout.spec.strategy) {
        wanted.insert(annotation::PLAN_HASH.to_owned(), hash);
    }
    let present = object.metadata.annotations.as_ref();
    let ops = Op::map("/metadata/annotations", present, &wanted, |_| false);
    if ops.is_empty() {
        return false;
    }
    draft.rule("adopt", "the Rollout gets the hash of its plan");
    draft.patch(Kind::Rollout, object, ops, None);
    true
}

/// Holds a Rollout whose release begins or is under way, before anything else is written; true when that had to be written first.
pub(crate) fn hold(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) -> bool {
    let object = acting.object;
    let under_way = acting.busy() || view.in_progressing();
    if !under_way || object.deleting() || object.finalizer_index(finalizer::ROLLOUT).is_some() {
        return false;
    }
    let op = match &object.metadata.finalizers {
        None => Op::set("/metadata/finalizers", json!([finalizer::ROLLOUT])),
        Some(_) => Op::set("/metadata/finalizers/-", finalizer::ROLLOUT),
    };
    draft.rule("hold", "a release is under way; the Rollout stays until it has ended");
    draft.patch(Kind::Rollout, object, vec![op], None);
    true
}

/// Lets go of a Rollout that is at rest: nothing of a release is left, as far as the API server says when it is asked again.
pub(crate) fn release(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) {
    let Some(index) = acting.object.finalizer_index(finalizer::ROLLOUT) else {
        return;
    };
    let mut left = Vec::new();
    if view.batch_release.is_none() {
        left.push(Evidence::Absent(Target {
            kind: Kind::BatchRelease,
            namespace: view.world.key.namespace.clone(),
            name: acting.name().to_owned(),
        }));
    }
    if let Some(routing) = &acting.routing {
        left.push(Split::of(view, routing, acting.object).withdrawn());
    }
    draft.patch(
        Kind::Rollout,
        acting.object,
        vec![taken(acting.object, index)],
        Some(Evidence::All(left)),
    );
}

/// Takes one finalizer off, and an empty list with it.
pub(crate) fn taken(object: &DynamicObject, index: usize) -> Op {
    match object.metadata.finalizers.as_ref().map(Vec::len) {
        Some(1) => Op::remove("/metadata/finalizers"),
        _ => Op::remove(format!("/metadata/finalizers/{index}")),
    }
}

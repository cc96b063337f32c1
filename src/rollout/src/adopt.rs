//! Taking a Rollout over: our finalizer, the hash of its plan, and what it is bound to, in one write.

use std::collections::BTreeMap;

use api::names::{annotation, finalizer};
use serde_json::json;

use crate::draft::Draft;
use crate::meta::Meta;
use crate::view::Acting;
use crate::{Kind, Op};

/// Writes what is missing on the Rollout; true when that had to be written first.
pub(crate) fn adopt(acting: &Acting<'_>, draft: &mut Draft) -> bool {
    let object = acting.object;
    let mut ops = Vec::new();
    match &object.metadata.finalizers {
        None => ops.push(Op::set("/metadata/finalizers", json!([finalizer::ROLLOUT]))),
        Some(_) if object.finalizer_index(finalizer::ROLLOUT).is_none() => {
            ops.push(Op::set("/metadata/finalizers/-", finalizer::ROLLOUT));
        }
        Some(_) => {}
    }
    let mut wanted = BTreeMap::from([(annotation::BOUND_TO.to_owned(), acting.asked.to_text())]);
    if let Some(hash) = api::hash::plan_hash(&acting.rollout.spec.strategy) {
        wanted.insert(annotation::PLAN_HASH.to_owned(), hash);
    }
    ops.extend(Op::map(
        "/metadata/annotations",
        object.metadata.annotations.as_ref(),
        &wanted,
        |_| false,
    ));
    if ops.is_empty() {
        return false;
    }
    draft.rule("adopt", "the Rollout gets its finalizer and the hash of its plan");
    draft.patch(Kind::Rollout, object, ops, None);
    true
}

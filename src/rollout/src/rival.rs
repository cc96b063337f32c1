//! A second Rollout for a workload that another one leads: it says so and does nothing.

use api::names::finalizer;
use api::parts::RolloutPhase;

use crate::draft::Draft;
use crate::lifecycle::say;
use crate::meta::Meta;
use crate::view::Acting;
use crate::{Kind, World};

/// Tells `other` that `acting` leads the workload.
pub(crate) fn stand_back(other: &Acting<'_>, acting: &str, world: &World, draft: &mut Draft) {
    let object = other.object;
    // It has nothing to give back.
    if let Some(index) = object.finalizer_index(finalizer::ROLLOUT) {
        let op = crate::adopt::taken(object, index);
        return draft.patch(Kind::Rollout, object, vec![op], None);
    }
    if object.deleting() {
        return;
    }
    let old = other.status();
    let mut status = old.clone();
    status.observed_generation = Some(object.generation());
    if other.rollout.spec.disabled == Some(true) {
        say(&mut status, RolloutPhase::Disabled, "Rollout is disabled");
    } else {
        let key = &world.key;
        let message = format!("{key} is released by Rollout {acting} already; delete one of the two");
        say(&mut status, RolloutPhase::Initial, &message);
    }
    draft.rollout_status(object, &old, &status);
}

//! A workload that the webhook froze for a Rollout which is not there any more: deleted in the moment before its release began, while nothing
//! held it yet. The workload is let go, as at the deletion of any Rollout.

use crate::draft::Draft;
use crate::meta::Meta;
use crate::view::View;
use crate::{Evidence, Kind, World};

/// Lets go of the workload of a world without a Rollout, once the API server says, too, that no Rollout leads it: the Rollouts and the workload
/// come by different watches. A release that has begun is not touched: its Rollout was torn away by force, and only a person knows the order.
pub(crate) fn let_go(world: &World, draft: &mut Draft) {
    draft.rule("idle", format!("{} has no rollout", world.key));
    let view = View::read(world, None);
    let begun = !view.canaries.is_empty() || !world.of_kind(Kind::BatchRelease).is_empty();
    let Some(workload) = view.workload.as_ref().filter(|workload| workload.held() && !begun) else {
        return;
    };
    let name = workload.object.name();
    draft.rule(
        "orphan",
        format!("Deployment {name} was held for a Rollout that is gone; it rolls by itself"),
    );
    workload.give_back(Some(Evidence::Unled(world.key.clone())), draft);
}

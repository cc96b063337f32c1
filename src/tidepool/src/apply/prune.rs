//! Taking out what a writer applied last time and does not apply any more. Pure.

use serde_json::Value;

use super::FieldSet;
use super::form::{Place, fields_of};
use super::merge::{remove, with_named};

/// The merged value without what `last` had and nobody claims. What somebody claims stays, with all that it stands in; so does what nobody
/// ever claimed, even inside an item whose owner lets go of it.
pub(super) fn prune(place: Place<'_>, merged: &Value, last: &FieldSet, claimed: &FieldSet) -> Value {
    let last = with_named(place, last);
    let all = with_named(place, &fields_of(place, merged));
    let pruned = remove(place, merged, &last);
    // Everything that stands in something removed is gone now; what is claimed of it comes back.
    let left = with_named(place, &fields_of(place, &pruned));
    let gone = all.clone().difference(&left.union(&with_named(place, claimed)));
    let claimed_back = remove(place, merged, &gone);
    // So does what this writer never had.
    let left = with_named(place, &fields_of(place, &claimed_back));
    remove(place, merged, &all.difference(&left).intersection(&last))
}

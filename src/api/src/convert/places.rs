//! Where each version names the workload of a Rollout.

use crate::parts::ObjectReference;
use crate::v1alpha1::ObjectRef;

/// Where the v1alpha1 object names its workload: `(spec.objectRef, spec.strategy.objectRef)`.
pub(super) type Places = (Option<ObjectRef>, Option<ObjectRef>);

pub(super) fn places_to_beta((object_ref, strategy_object_ref): &Places) -> ObjectReference {
    let named = |place: &Option<ObjectRef>| place.as_ref().and_then(|object| object.workload_ref.clone());
    named(object_ref)
        .or_else(|| named(strategy_object_ref))
        .unwrap_or_default()
}

pub(super) fn places_to_alpha(workload: &ObjectReference) -> Places {
    (
        Some(ObjectRef {
            workload_ref: Some(workload.clone()),
        }),
        None,
    )
}

/// The workload was changed since: the new one, where the person used to write it.
pub(super) fn moved_places(written: Option<&Places>, workload: &ObjectReference) -> Places {
    let here = Some(ObjectRef {
        workload_ref: Some(workload.clone()),
    });
    match written {
        Some((object_ref, Some(_))) if object_ref.as_ref().is_none_or(|object| object.workload_ref.is_none()) => {
            (object_ref.clone(), here)
        }
        _ => (here, None),
    }
}

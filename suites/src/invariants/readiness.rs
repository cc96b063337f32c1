//! A route never points at pods that are not ready.

use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut was_routed = false;
    let mut was_empty = false;
    for frame in &run.frames {
        let is_routed = frame.seen.weight > 0;
        let is_empty = frame.ready.is_empty();
        // Said once for each time that it begins.
        if is_routed && is_empty && !(was_routed && was_empty) {
            failures.push(Failure::new(
                Check::RouteBeforeReady,
                format!(
                    "at revision {} the route gives {} % to Service {}, behind which no pod is ready",
                    frame.revision,
                    frame.seen.weight,
                    frame.seen.canary_service.as_deref().unwrap_or_default()
                ),
            ));
        }
        (was_routed, was_empty) = (is_routed, is_empty);
    }
    failures
}

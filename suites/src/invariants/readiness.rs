//! A route never points at pods that are not ready.
//!
//! What a person ends under it is no doing of the controller's; whether it costs requests is seen by the requests.

use crate::ledger::Act;
use crate::{Check, Failure};

use super::Run;
use super::grace::leaving;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut was_routed = false;
    let mut was_empty = false;
    for frame in &run.frames {
        let is_routed = frame.seen.weight > 0;
        let is_empty = frame.ready.is_empty();
        // Said once for each time that it begins.
        let was_ended = was_routed
            && leaving(frame.entry).is_some_and(|pod| {
                let ended = |act: &Act| matches!(act, Act::EndPod { pod: ended } if ended == pod);
                run.acts.iter().any(|(_, act)| ended(act))
            });
        if is_routed && is_empty && !(was_routed && was_empty) && !was_ended {
            failures.push(Failure::new(
                Check::RouteBeforeReady,
                format!(
                    "at revision {} the route gives {} % to {}, behind which no pod is ready",
                    frame.revision,
                    frame.seen.weight,
                    frame.seen.canary.clone().unwrap_or_default()
                ),
            ));
        }
        (was_routed, was_empty) = (is_routed, is_empty);
    }
    failures
}

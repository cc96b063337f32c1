//! The data plane has its grace: after the last pod became ready and before more traffic is sent to it; and after a change of routing, before the
//! step counts as reached and before capacity goes away.

use std::collections::BTreeMap;

use env::Moment;

use crate::dialect::{Phase, StepState};
use crate::ledger::Act;
use crate::object::{condition_is_true, text};
use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut weight = 0;
    let mut state = StepState::None;
    let mut changed: Option<Moment> = None;
    // Since when each pod has been ready.
    let mut ready: BTreeMap<&str, Moment> = BTreeMap::new();
    // Pods that a route pointed at, and when it last did; no moment while it still does.
    let mut routed: BTreeMap<String, Option<Moment>> = BTreeMap::new();
    for frame in &run.frames {
        let seen = &frame.seen;
        let least = seen.grace.saturating_sub(run.delivery);
        if text(&frame.entry.object, "/kind") == "Pod" {
            let pod = text(&frame.entry.object, "/metadata/name");
            if condition_is_true(&frame.entry.object, "Ready") {
                ready.entry(pod).or_insert(frame.at);
            } else {
                ready.remove(pod);
            }
        }
        let last = frame.ready.iter().filter_map(|pod| ready.get(pod.as_str())).max();
        if seen.weight > weight
            && let Some(last) = last.filter(|last| frame.at.since(**last) < least)
        {
            failures.push(Failure::new(
                Check::Grace,
                format!(
                    "the route gives {} % {:?} after the last pod became ready; the grace is {:?}",
                    seen.weight,
                    frame.at.since(*last),
                    seen.grace
                ),
            ));
        }
        if seen.weight != weight {
            changed = Some(frame.at);
        }
        if seen.weight > 0 {
            for pod in &frame.ready {
                routed.insert(pod.clone(), None);
            }
        } else {
            for left in routed.values_mut() {
                left.get_or_insert(frame.at);
            }
        }
        let arrived = seen.phase == Phase::Progressing && seen.state == StepState::Paused && state != StepState::Paused;
        if arrived && let Some(changed) = changed.filter(|changed| frame.at.since(*changed) < least) {
            failures.push(Failure::new(
                Check::Grace,
                format!(
                    "step {} counts as reached {:?} after its route was written; the grace is {:?}",
                    seen.step,
                    frame.at.since(changed),
                    seen.grace
                ),
            ));
        }
        if let Some(pod) = leaving(frame.entry)
            && let Some(left) = routed.remove(pod)
            // What the person ends is no doing of the controller's.
            && !run.acts.iter().any(|(_, act)| matches!(act, Act::EndPod { pod: ended } if ended == pod))
            && left.is_none_or(|left| frame.at.since(left) < least)
        {
            let since = left.map_or_else(
                || "while its route still points at it".to_owned(),
                |left| format!("{:?} after its route was taken away", frame.at.since(left)),
            );
            failures.push(Failure::new(
                Check::Grace,
                format!("pod {pod} is ended {since}; the grace is {:?}", seen.grace),
            ));
        }
        weight = seen.weight;
        state = seen.state.clone();
    }
    failures
}

/// The pod that this write ends.
pub(super) fn leaving(entry: &crate::history::Entry) -> Option<&str> {
    let is_pod = text(&entry.object, "/kind") == "Pod";
    let is_leaving = entry.gone || entry.object.pointer("/metadata/deletionTimestamp").is_some();
    (is_pod && is_leaving).then(|| text(&entry.object, "/metadata/name"))
}

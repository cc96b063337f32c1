//! The route never gives the new version more than the current step allows.

use crate::dialect::StepState;
use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut before = 0;
    let mut last_paused = (0, 0);
    for frame in &run.frames {
        let seen = &frame.seen;
        let allowed = seen.planned().and_then(|step| step.weight).unwrap_or_default();
        let is_raised = seen.weight > before;
        let stands = seen.state == StepState::Paused && last_paused != (seen.step, seen.weight);
        if seen.weight > allowed && (is_raised || stands) {
            failures.push(Failure::new(
                Check::Weight,
                format!(
                    "at revision {} the route gives {} % to the new version; step {} allows {allowed} %",
                    frame.revision, seen.weight, seen.step
                ),
            ));
        }
        if seen.state == StepState::Paused {
            last_paused = (seen.step, seen.weight);
        }
        before = seen.weight;
    }
    failures
}

//! A manual pause is left by a person's approval or jump, by a new image, or by the end of the release; never by itself.

use std::collections::BTreeSet;

use crate::dialect::{Gate, Observation, Phase, StepState};
use crate::ledger::Act;
use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut opened: BTreeSet<(String, u32)> = BTreeSet::new();
    let mut entered = 0;
    for pair in run.frames.windows(2) {
        let [before, after] = pair else { continue };
        for (at, act) in run.acts {
            if at.0 > before.revision
                && at.0 <= after.revision
                && let Act::Approve { step, revision } = act
            {
                opened.insert((revision.clone(), *step));
            }
        }
        let (old, new) = (&before.seen, &after.seen);
        if old.phase != Phase::Progressing || old.step == 0 || old.revision != new.revision {
            entered = after.revision;
            continue;
        }
        let jumped = run.did(
            entered,
            after.revision,
            |act| matches!(act, Act::Jump { step } if *step >= new.step),
        );
        if goes_on(old, new) && needs_approval(old) && !opened.contains(&(old.revision.clone(), old.step)) && !jumped {
            failures.push(Failure::new(
                Check::Gate,
                format!(
                    "step {} of {} waits for approval; at revision {} the release went on without one, to: {new}",
                    old.step, old.revision, after.revision
                ),
            ));
        }
        if old.step != new.step {
            entered = after.revision;
        }
    }
    failures
}

/// Whether the release left the gate of `old` forwards.
fn goes_on(old: &Observation, new: &Observation) -> bool {
    if new.phase != Phase::Progressing {
        return new.ending == Some(crate::dialect::Ending::Completed) && old.state != StepState::Completed;
    }
    let passed = |state: &StepState| matches!(state, StepState::Ready | StepState::Completed);
    new.step > old.step || (new.step == old.step && passed(&new.state) && !passed(&old.state))
}

/// Whether the step waits for a person. A last step with all pods on the new version does not: the gate before it was the last.
fn needs_approval(seen: &Observation) -> bool {
    let is_last = usize::try_from(seen.step).is_ok_and(|step| step == seen.plan.len());
    seen.planned()
        .is_some_and(|step| step.gate == Gate::Approval && !(is_last && step.replicas == "100%"))
        && seen.state != StepState::Ready
        && seen.state != StepState::Completed
}

//! The weight only rises, within a step and from step to step: what goes back and forth shows a user two versions by turns.
//!
//! It may fall to nothing when the last pod of the new version is gone, when an analysis took it back, when a person has asked for something else since it last rose (another image, another step, another plan, an end), and at the end
//! of the last step, when the route is taken away because the workload itself takes over.

use crate::dialect::StepState;
use crate::ledger::Act;
use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut raised = 0;
    for pair in run.frames.windows(2) {
        let [before, after] = pair else { continue };
        let (old, new) = (&before.seen, &after.seen);
        if new.weight > old.weight {
            raised = after.revision;
        }
        if new.weight >= old.weight {
            continue;
        }
        let is_over = usize::try_from(old.step).is_ok_and(|step| step == old.plan.len()) && new.weight == 0;
        // A deletion has no revision of its own in the ledger, and nothing follows it.
        let was_asked =
            run.did(raised, after.revision, changes_course) || run.did(u64::MAX - 1, u64::MAX, changes_course);
        // A share for which nobody is left is better taken away than lost.
        let is_for_nobody = new.weight == 0 && before.ready.is_empty();
        let is_taken_back = new.weight == 0 && old.state == StepState::TakenBack;
        if !is_over && !was_asked && !is_for_nobody && !is_taken_back {
            failures.push(Failure::new(
                Check::Weight,
                format!(
                    "at revision {} the weight falls from {} % to {} % in step {}, though nobody asked for it",
                    after.revision, old.weight, new.weight, old.step
                ),
            ));
        }
    }
    failures
}

fn changes_course(act: &Act) -> bool {
    matches!(act, Act::Release { .. } | Act::Jump { .. } | Act::EditPlan | Act::End)
}

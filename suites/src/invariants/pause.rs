//! A timed pause is never shorter than asked, though API times hold whole seconds.

use crate::dialect::{Gate, Phase, StepState};
use crate::ledger::Act;
use crate::{Check, Failure};

use super::Run;

pub(super) fn judge(run: &Run<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut entered = None;
    for pair in run.frames.windows(2) {
        let [before, after] = pair else { continue };
        let (old, new) = (&before.seen, &after.seen);
        let waits =
            |seen: &crate::dialect::Observation| seen.phase == Phase::Progressing && seen.state == StepState::Paused;
        if waits(new) && (!waits(old) || old.step != new.step) {
            entered = Some(after);
        }
        let Some(since) = entered.filter(|_| waits(old) && !(waits(new) && old.step == new.step)) else {
            continue;
        };
        entered = waits(new).then_some(after);
        // The plan as it is when the pause is left: a person may have made it shorter.
        let Some(Gate::After(asked)) = old.planned().map(|step| step.gate) else {
            continue;
        };
        let went_on = new.phase == Phase::Progressing
            && new.revision == old.revision
            && (new.step > old.step || matches!(new.state, StepState::Ready | StepState::Completed));
        let by_hand = run.did(since.revision, after.revision, |act| {
            matches!(act, Act::Approve { .. } | Act::Jump { .. })
        });
        let waited = after.at.since(since.at);
        if went_on && !by_hand && waited + run.delivery < asked {
            failures.push(Failure::new(
                Check::PauseLength,
                format!("the pause of step {} lasted {waited:?}; {asked:?} were asked", old.step),
            ));
        }
    }
    failures
}

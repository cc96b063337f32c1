//! The way back that a verdict orders: traffic leaves the new version at once, then its pods go. The workload keeps the new template and stays
//! frozen, until another template comes, or a person asks for another try.

use api::names::reason;
use api::parts::StepState;
use api::v1beta1::{CanaryStatus, RolloutStatus};

use crate::conditions::progressing;
use crate::draft::Draft;
use crate::view::{Acting, View};
use crate::{EventType, WaitReason};

/// Whether a release was broken off by a verdict.
pub(crate) fn aborted(sub: &CanaryStatus) -> bool {
    sub.common.current_step_state == StepState::StepAborted
}

/// Begins the way back, and says why.
pub(super) fn begin(
    acting: &Acting<'_>,
    why: &str,
    view: &View<'_>,
    status: &mut RolloutStatus,
    sub: &mut CanaryStatus,
    draft: &mut Draft,
) {
    crate::steps::enter(sub, StepState::StepAborted, view.now);
    let message = format!("{why}; the release is rolled back");
    draft.event(acting.object, EventType::Warning, reason::ABORTED, message.clone());
    progressing(status, view.now, reason::ABORTED, &message);
    status.message = Some(message);
}

/// One decision on the way back, and about staying there.
pub(crate) fn abort(view: &View<'_>, acting: &Acting<'_>, sub: &mut CanaryStatus, draft: &mut Draft) {
    let gone = crate::progress::take_back(view, acting, sub, draft);
    // Whatever is under way there, this is what the release waits for.
    sub.common.current_step_state = StepState::StepAborted;
    draft.rule("aborted", "a verdict took the new version back");
    if gone {
        draft.wait(WaitReason::Blocked {
            why: "the release was rolled back by its analysis; change the workload's template, or say `rollout retry`"
                .into(),
        });
    }
}

//! How a Rollout ends what it was doing: concluded, disabled, deleted, without its workload, turned to another one. Each gives everything back
//! through [`Finalising`] first.

use api::names::{condition, reason};
use api::parts::{FinalisingStep, RolloutPhase, StepState};
use api::plan::Plan as Spec;
use api::v1beta1::RolloutStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::conditions::{completed, progressing, progressing_reason, remove, set};
use crate::draft::Draft;
use crate::finalise::{Finalising, Why};
use crate::lifecycle::say;
use crate::meta::Meta;
use crate::view::{Acting, View};

/// One decision about giving everything back; true once nothing is left.
pub(crate) fn finalise(
    view: &View<'_>,
    acting: &Acting<'_>,
    why: Why,
    status: &mut RolloutStatus,
    draft: &mut Draft,
) -> bool {
    let finalising = Finalising {
        view,
        rollout: acting.object,
        routing: acting.routing.as_ref(),
        last: acting.spec.as_ref().ok().and_then(|spec| spec.step(spec.step_count())),
        why,
    };
    let mut sub = status.canary_status.clone().unwrap_or_default();
    let done = finalising.go(&mut sub, draft);
    if status.canary_status.is_some() || !done {
        status.canary_status = Some(sub);
    }
    done
}

/// Finalising for another reason begins at its beginning.
fn restart(status: &mut RolloutStatus) {
    if let Some(sub) = &mut status.canary_status {
        sub.common.finalising_step = FinalisingStep::Unset;
    }
}

/// The last write of a release.
pub(crate) fn conclude(view: &View<'_>, spec: &Spec, succeeded: bool, status: &mut RolloutStatus) {
    completed(status, view.now, succeeded);
    let message = match succeeded {
        true => "Rollout progressing has been completed",
        false => "Rollout progressing has been canceled",
    };
    say(status, RolloutPhase::Healthy, message);
    rest(view, status);
    if let Some(sub) = &mut status.canary_status
        && succeeded
    {
        // One that the Rollout lists, for who reads it by this number.
        sub.common.current_step_index = Some(spec.last_own_step());
    }
}

/// The sub-status of a release that is over: no step waits for anything.
fn rest(view: &View<'_>, status: &mut RolloutStatus) {
    if let Some(sub) = &mut status.canary_status {
        sub.common.current_step_state = StepState::Completed;
        sub.common.next_step_index = -1;
        sub.common.finalising_step = FinalisingStep::End;
        sub.common.last_update_time = Some(Time(view.now));
        sub.common.message = None;
        sub.canary_replicas = 0;
        sub.canary_ready_replicas = 0;
        if let Some(workload) = &view.workload {
            sub.common.observed_workload_generation = Some(workload.object.generation());
        }
    }
}

pub(crate) fn disable(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("disabled", "the Rollout is disabled");
    match status.phase {
        RolloutPhase::Disabled if !view.in_progressing() => return,
        RolloutPhase::Progressing => {
            say(status, RolloutPhase::Disabling, "Disabling rollout, release resources");
            restart(status);
        }
        RolloutPhase::Disabling => {}
        // The webhook froze it for a release that has not begun.
        _ if view.in_progressing() => say(status, RolloutPhase::Disabling, "Disabling rollout, release resources"),
        _ => return say(status, RolloutPhase::Disabled, "Rollout is disabled"),
    }
    if finalise(view, acting, Why::Released, status, draft) {
        say(status, RolloutPhase::Disabled, "Rollout is disabled");
        remove(status, condition::PROGRESSING);
        rest(view, status);
    }
}

pub(crate) fn terminate(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) -> bool {
    if status.phase != RolloutPhase::Terminating {
        status.phase = RolloutPhase::Terminating;
        restart(status);
    }
    let message = "Rollout is in terminating";
    set(
        status,
        view.now,
        condition::TERMINATING,
        true,
        reason::IN_TERMINATING,
        message,
    );
    status.message = Some(message.into());
    finalise(view, acting, Why::Released, status, draft)
}

/// The Rollout may go.
pub(crate) fn release_finalizer(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) {
    draft.rule("terminated", "nothing of the release is left; the Rollout may go");
    crate::adopt::release(view, acting, draft);
}

/// Breaks off a release whose workload is not ours any more; true once everything is given back.
fn break_off(view: &View<'_>, acting: &Acting<'_>, why: &str, status: &mut RolloutStatus, draft: &mut Draft) -> bool {
    if status.phase != RolloutPhase::Progressing {
        return true;
    }
    if progressing_reason(status) != reason::CANCELLING {
        restart(status);
        let message = format!("{why} and the rollout process will be canceled");
        progressing(status, view.now, reason::CANCELLING, &message);
        status.message = Some(message);
    }
    finalise(view, acting, Why::Released, status, draft)
}

/// As if nothing had ever been released.
fn forget(status: &mut RolloutStatus, message: String) {
    *status = RolloutStatus {
        observed_generation: status.observed_generation,
        phase: RolloutPhase::Initial,
        message: Some(message),
        ..RolloutStatus::default()
    };
}

/// The workload is gone: in the middle of a release the traffic and the canary are cleaned up first.
pub(crate) fn without_workload(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("no workload", "the workload is not found");
    if break_off(view, acting, "The workload is not found", status, draft) {
        forget(status, "Workload Not Found".into());
    }
}

/// The spec names another workload: the one before is given back first.
pub(crate) fn leave(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("turned", "the Rollout names another workload");
    if break_off(view, acting, "The Rollout names another workload", status, draft) {
        forget(status, format!("{} is led by this Rollout no more", view.world.key));
    }
}

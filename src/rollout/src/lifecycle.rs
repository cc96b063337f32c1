//! The life of one Rollout around its steps: adopted, healthy, progressing, and on to its end. Composes the other rules into one plan and closes
//! it with one status write.

use api::names::{annotation, condition, label, reason};
use api::parts::{RolloutPhase, StepState};
use api::plan::Plan as Spec;
use api::v1beta1::{CanaryStatus, RolloutStatus};

use crate::conditions::{progressing, progressing_reason, remove};
use crate::draft::Draft;
use crate::ending::{conclude, disable, finalise, leave, release_finalizer, terminate, without_workload};
use crate::finalise::Why;
use crate::meta::Meta;
use crate::progress::Outcome;
use crate::view::{Acting, View};
use crate::{EventType, Kind, Op, WaitReason};

/// Decides for the acting Rollout.
pub(crate) fn decide(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) {
    let old = acting.status();
    if crate::adopt::hold(view, acting, draft) || may_be_bound(acting, &old) && crate::adopt::adopt(acting, draft) {
        return;
    }
    let mut status = old.clone();
    status.observed_generation = Some(acting.object.generation());
    let finished = match acting.object.deleting() {
        true => terminate(view, acting, &mut status, draft),
        false => {
            live(view, acting, &mut status, draft);
            false
        }
    };
    crate::analysis::tidy(view.world, acting, &status, draft);
    let common = status.common().cloned().unwrap_or_default();
    status.current_step_index = common.current_step_index.unwrap_or_default();
    status.current_step_state = common.current_step_state;
    if finished {
        release_finalizer(view, acting, draft);
    } else if at_rest(view, acting, &old, &status) {
        crate::adopt::release(view, acting, draft);
    } else if !only_figures(&old, &status) {
        draft.rollout_status(acting.object, &old, &status);
    }
}

/// Whether nothing is under way, and the status has said so already.
fn at_rest(view: &View<'_>, acting: &Acting<'_>, old: &RolloutStatus, new: &RolloutStatus) -> bool {
    old == new && !acting.busy() && !acting.object.deleting() && !view.in_progressing()
}

/// Whether what the spec asks for may be written down as what the Rollout is bound to: not while other objects have still to be given back.
fn may_be_bound(acting: &Acting<'_>, status: &RolloutStatus) -> bool {
    let given_back =
        acting.bound == acting.asked || !(acting.busy() || acting.turned() && status.canary_status.is_some());
    !acting.object.deleting() && given_back
}

/// Whether a step whose pods are being made differs in figures only. They travel with the next write that says something.
fn only_figures(old: &RolloutStatus, new: &RolloutStatus) -> bool {
    let (Some(before), Some(after)) = (&old.canary_status, &new.canary_status) else {
        return false;
    };
    let mut comparable = new.clone();
    let mut sub = after.clone();
    sub.canary_replicas = before.canary_replicas;
    sub.canary_ready_replicas = before.canary_ready_replicas;
    before
        .common
        .pod_template_hash
        .clone_into(&mut sub.common.pod_template_hash);
    sub.common.message.clone_from(&before.common.message);
    sub.common.observed_workload_generation = before.common.observed_workload_generation;
    comparable.canary_status = Some(sub);
    before.common.current_step_state == StepState::StepUpgrade && comparable == *old
}

fn live(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    if acting.turned() && status.phase != RolloutPhase::Disabling {
        return leave(view, acting, status, draft);
    }
    let disabled = acting.rollout.spec.disabled == Some(true);
    if !disabled && status.phase == RolloutPhase::Disabling && another_version(view, status) {
        // Enabled again, and a version came before everything was given back: it takes the place of the one before.
        status.phase = RolloutPhase::Progressing;
        progressing(status, view.now, reason::INITIALIZING, "Rollout is in Progressing");
    } else if disabled || status.phase == RolloutPhase::Disabling {
        return disable(view, acting, status, draft);
    }
    let spec = match &acting.spec {
        Ok(spec) => spec,
        Err(why) => return unworkable(acting, why, status, draft),
    };
    if status.phase == RolloutPhase::Disabled {
        say(status, RolloutPhase::Healthy, "rollout is healthy");
    }
    if let Some(why) = &view.unreadable {
        status.message = Some(why.clone());
        draft.rule("unreadable", why.clone());
        return draft.wait(WaitReason::Blocked { why: why.clone() });
    }
    let Some(workload) = &view.workload else {
        return without_workload(view, acting, status, draft);
    };
    if workload.object.label(label::WORKLOAD_TYPE).is_none_or(str::is_empty) {
        let wanted = [(
            label::WORKLOAD_TYPE.to_owned(),
            api::names::workload_type::DEPLOYMENT.to_owned(),
        )]
        .into();
        let present = workload.object.metadata.labels.as_ref();
        let ops = Op::map("/metadata/labels", present, &wanted, |_| false);
        draft.patch(Kind::Deployment, workload.object, ops, None);
    }
    if matches!(status.phase, RolloutPhase::Unset | RolloutPhase::Initial) {
        say(status, RolloutPhase::Healthy, "rollout is healthy");
    }
    if status.phase == RolloutPhase::Healthy {
        if !view.in_progressing() {
            draft.rule("healthy", "no release is under way");
            return settle(view, spec, acting, status);
        }
        begin(view, acting, status, draft);
    }
    progress(view, acting, spec, status, draft);
}

/// A Rollout that asks for what cannot be done is told so, and holds where it stands.
fn unworkable(acting: &Acting<'_>, why: &str, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("unworkable", why);
    if status.message.as_deref() != Some(why) {
        draft.event(acting.object, EventType::Warning, reason::NOT_SERVED, why.into());
    }
    status.message = Some(why.into());
    if matches!(
        status.phase,
        RolloutPhase::Unset | RolloutPhase::Healthy | RolloutPhase::Disabled
    ) {
        status.phase = RolloutPhase::Initial;
    }
    draft.wait(WaitReason::Blocked { why: why.into() });
}

pub(crate) fn say(status: &mut RolloutStatus, phase: RolloutPhase, message: &str) {
    status.phase = phase;
    status.message = Some(message.into());
}

/// Fills the sub-status of a workload that has never been released through steps, and keeps the one of the last release up to date.
fn settle(view: &View<'_>, spec: &Spec, acting: &Acting<'_>, status: &mut RolloutStatus) {
    let revision = view.revision().unwrap_or_default();
    let generation = view.workload.as_ref().map(|workload| workload.object.generation());
    if let Some(sub) = &mut status.canary_status {
        if sub.canary_revision == revision {
            sub.common.observed_workload_generation = generation;
        }
        // Nothing is there to jump in.
        sub.common.next_step_index = -1;
        return;
    }
    let stable = view
        .stable_replica_set(None)
        .and_then(|set| set.label(label::POD_TEMPLATE_HASH));
    let mut sub = CanaryStatus {
        canary_revision: revision.clone(),
        ..CanaryStatus::default()
    };
    sub.common.observed_workload_generation = generation;
    sub.common.observed_rollout_id = Some(revision);
    sub.common.rollout_hash = acting.object.annotation(annotation::PLAN_HASH).map(Into::into);
    sub.common.stable_revision = stable.map(Into::into);
    sub.common.current_step_index = Some(spec.last_own_step());
    sub.common.next_step_index = -1;
    sub.common.current_step_state = StepState::Completed;
    status.canary_status = Some(sub);
    status.message = Some("workload deployment is completed".into());
}

/// The workload's template changed and the webhook froze it.
fn begin(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    status.phase = RolloutPhase::Progressing;
    remove(status, condition::SUCCEEDED);
    status.canary_status = None;
    progressing(status, view.now, reason::INITIALIZING, "Rollout is in Progressing");
    let message = "a new version is being released".into();
    draft.event(acting.object, EventType::Normal, reason::PROGRESSING, message);
}

fn progress(view: &View<'_>, acting: &Acting<'_>, spec: &Spec, status: &mut RolloutStatus, draft: &mut Draft) {
    let outcome = match progressing_reason(status) {
        reason::COMPLETED => return say(status, RolloutPhase::Healthy, "rollout is healthy"),
        // A version that came before the workload was given back must walk the steps like any other.
        reason::FINALISING if !another_version(view, status) => Outcome::Finalising(Why::Success),
        reason::CANCELLING if !another_version(view, status) => Outcome::Finalising(Why::Rollback),
        _ => crate::progress::roll(view, acting, spec, status, draft),
    };
    let Outcome::Finalising(why) = outcome else { return };
    let (reason, message) = match why {
        Why::Rollback => (
            reason::CANCELLING,
            "The workload has been rolled back and the rollout process will be canceled",
        ),
        _ => (
            reason::FINALISING,
            "Rollout has been completed and some closing work is being done",
        ),
    };
    progressing(status, view.now, reason, message);
    status.message = Some(message.into());
    if finalise(view, acting, why, status, draft) {
        conclude(view, spec, why == Why::Success, status);
        let message = status.message.clone().unwrap_or_default();
        draft.event(acting.object, EventType::Normal, reason::COMPLETED, message);
    }
}

/// Whether the workload, still or again in our hands, has another template than the release that ends.
fn another_version(view: &View<'_>, status: &RolloutStatus) -> bool {
    let ending = status.canary_status.as_ref().map(|sub| sub.canary_revision.as_str());
    view.in_progressing() && ending.is_some() && view.revision().as_deref() != ending
}

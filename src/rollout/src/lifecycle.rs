//! The life of one Rollout around its steps: adopted, healthy, progressing, finalising, disabled, deleted. Composes the other rules into one
//! plan and closes it with one status write.

use api::names::{annotation, condition, finalizer, label, reason};
use api::parts::{FinalisingStep, RolloutPhase, StepState};
use api::plan::Plan as Spec;
use api::v1beta1::{CanaryStatus, RolloutStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use crate::conditions::{completed, progressing, progressing_reason, remove, set};
use crate::draft::Draft;
use crate::finalise::{Finalising, Why};
use crate::meta::Meta;
use crate::progress::Outcome;
use crate::view::{Acting, View};
use crate::{EventType, Evidence, Kind, Op, Target, WaitReason};

/// Decides for the acting Rollout.
pub(crate) fn decide(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) {
    let old = acting.status();
    if !acting.object.deleting() && adopt(acting, draft) {
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
    if let Some(common) = status.common().cloned() {
        status.current_step_index = common.current_step_index.unwrap_or_default();
        status.current_step_state = common.current_step_state;
    }
    if finished {
        release_finalizer(view, acting, draft);
    } else if !only_figures(&old, &status) {
        draft.rollout_status(acting.object, &old, &status);
    }
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

/// Puts our finalizer and the plan's hash on the Rollout; true when that had to be written first.
fn adopt(acting: &Acting<'_>, draft: &mut Draft) -> bool {
    let object = acting.object;
    let mut ops = Vec::new();
    match &object.metadata.finalizers {
        None => ops.push(Op::set("/metadata/finalizers", json!([finalizer::ROLLOUT]))),
        Some(_) if object.finalizer_index(finalizer::ROLLOUT).is_none() => {
            ops.push(Op::set("/metadata/finalizers/-", finalizer::ROLLOUT));
        }
        Some(_) => {}
    }
    if let Some(hash) = api::hash::plan_hash(&acting.rollout.spec.strategy) {
        let wanted = [(annotation::PLAN_HASH.to_owned(), hash)].into();
        ops.extend(Op::map(
            "/metadata/annotations",
            object.metadata.annotations.as_ref(),
            &wanted,
            |_| false,
        ));
    }
    if ops.is_empty() {
        return false;
    }
    draft.rule("adopt", "the Rollout gets its finalizer and the hash of its plan");
    draft.patch(Kind::Rollout, object, ops, None);
    true
}

fn release_finalizer(view: &View<'_>, acting: &Acting<'_>, draft: &mut Draft) {
    draft.rule("terminated", "nothing of the release is left; the Rollout may go");
    if let Some(index) = acting.object.finalizer_index(finalizer::ROLLOUT) {
        let ours = |kind, name: String| {
            Evidence::Absent(Target {
                kind,
                namespace: view.world.key.namespace.clone(),
                name,
            })
        };
        let mut left = vec![ours(Kind::BatchRelease, acting.name().to_owned())];
        if let Ok(spec) = &acting.spec
            && let Some(routing) = &spec.routing
            && let Some(ingress) = crate::view::ingress_name(routing)
            && crate::traffic_step::canary_ingress(view, routing, acting.object).is_none()
            && view.ingress(&api::names::canary_name(ingress)).is_none()
        {
            left.push(ours(Kind::Ingress, api::names::canary_name(ingress)));
        }
        let op = Op::remove(format!("/metadata/finalizers/{index}"));
        draft.patch(Kind::Rollout, acting.object, vec![op], Some(Evidence::All(left)));
    }
}

fn terminate(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) -> bool {
    if status.phase != RolloutPhase::Terminating {
        status.phase = RolloutPhase::Terminating;
        restart_finalising(status);
    }
    set(
        status,
        view.now,
        condition::TERMINATING,
        true,
        reason::IN_TERMINATING,
        "Rollout is in terminating",
    );
    finalise(view, acting, Why::Released, status, draft)
}

/// Finalising for another reason begins at its beginning.
fn restart_finalising(status: &mut RolloutStatus) {
    if let Some(sub) = &mut status.canary_status {
        sub.common.finalising_step = FinalisingStep::Unset;
    }
}

fn finalise(view: &View<'_>, acting: &Acting<'_>, why: Why, status: &mut RolloutStatus, draft: &mut Draft) -> bool {
    let routing = acting.spec.as_ref().ok().and_then(|spec| spec.routing.as_ref());
    let finalising = Finalising {
        view,
        rollout: acting.object,
        routing,
        why,
    };
    let mut sub = status.canary_status.clone().unwrap_or_default();
    let done = finalising.go(&mut sub, draft);
    if status.canary_status.is_some() || !done {
        status.canary_status = Some(sub);
    }
    done
}

fn live(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    let spec = match &acting.spec {
        Ok(spec) => spec,
        Err(why) => {
            draft.rule("unworkable", why.clone());
            status.message = Some(why.clone());
            if status.phase.is_empty() {
                status.phase = RolloutPhase::Initial;
            }
            return draft.wait(WaitReason::Blocked { why: why.clone() });
        }
    };
    if spec.disabled {
        return disable(view, acting, status, draft);
    }
    if matches!(status.phase, RolloutPhase::Disabled | RolloutPhase::Disabling) {
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
        let ops = Op::map(
            "/metadata/labels",
            workload.object.metadata.labels.as_ref(),
            &wanted,
            |_| false,
        );
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

fn say(status: &mut RolloutStatus, phase: RolloutPhase, message: &str) {
    status.phase = phase;
    status.message = Some(message.into());
}

/// Fills the sub-status of a workload that has never been released through steps.
fn settle(view: &View<'_>, spec: &Spec, acting: &Acting<'_>, status: &mut RolloutStatus) {
    if status.canary_status.is_some() {
        return;
    }
    let revision = view.revision().unwrap_or_default();
    let stable = view
        .stable_replica_set(None)
        .and_then(|set| set.label(label::POD_TEMPLATE_HASH));
    let mut sub = CanaryStatus {
        canary_revision: revision.clone(),
        ..CanaryStatus::default()
    };
    sub.common.observed_workload_generation = view.workload.as_ref().map(|workload| workload.object.generation());
    sub.common.observed_rollout_id = Some(revision);
    sub.common.rollout_hash = acting.object.annotation(annotation::PLAN_HASH).map(Into::into);
    sub.common.stable_revision = stable.map(Into::into);
    sub.common.current_step_index = Some(spec.step_count());
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
    draft.event(
        acting.object,
        EventType::Normal,
        reason::PROGRESSING,
        "a new version is being released".into(),
    );
}

fn progress(view: &View<'_>, acting: &Acting<'_>, spec: &Spec, status: &mut RolloutStatus, draft: &mut Draft) {
    let outcome = match progressing_reason(status) {
        reason::FINALISING => Outcome::Finalising(Why::Success),
        reason::CANCELLING => Outcome::Finalising(Why::Rollback),
        reason::COMPLETED => return say(status, RolloutPhase::Healthy, "rollout is healthy"),
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
        draft.event(
            acting.object,
            EventType::Normal,
            reason::COMPLETED,
            status.message.clone().unwrap_or_default(),
        );
    }
}

/// The last write of a release.
fn conclude(view: &View<'_>, spec: &Spec, succeeded: bool, status: &mut RolloutStatus) {
    completed(status, view.now, succeeded);
    let message = match succeeded {
        true => "Rollout progressing has been completed",
        false => "Rollout progressing has been canceled",
    };
    say(status, RolloutPhase::Healthy, message);
    if let Some(sub) = &mut status.canary_status {
        sub.common.current_step_state = StepState::Completed;
        sub.common.next_step_index = -1;
        sub.common.finalising_step = FinalisingStep::End;
        sub.common.last_update_time = Some(Time(view.now));
        sub.common.message = None;
        sub.canary_replicas = 0;
        sub.canary_ready_replicas = 0;
        if succeeded {
            sub.common.current_step_index = Some(spec.step_count());
        }
    }
}

fn disable(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("disabled", "the Rollout is disabled");
    match status.phase {
        RolloutPhase::Disabled => return,
        RolloutPhase::Progressing => {
            say(status, RolloutPhase::Disabling, "Disabling rollout, release resources");
            restart_finalising(status);
        }
        RolloutPhase::Disabling => {}
        _ => return say(status, RolloutPhase::Disabled, "Rollout is disabled"),
    }
    if finalise(view, acting, Why::Released, status, draft) {
        say(status, RolloutPhase::Disabled, "Rollout is disabled");
        remove(status, condition::PROGRESSING);
    }
}

/// The workload is gone: in the middle of a release the traffic and the canary are cleaned up first.
fn without_workload(view: &View<'_>, acting: &Acting<'_>, status: &mut RolloutStatus, draft: &mut Draft) {
    draft.rule("no workload", "the workload is not found");
    if status.phase == RolloutPhase::Progressing {
        let reason = progressing_reason(status);
        if !matches!(reason, reason::CANCELLING) {
            restart_finalising(status);
            let why = "The workload is not found and the rollout process will be canceled";
            progressing(status, view.now, reason::CANCELLING, why);
        }
        if !finalise(view, acting, Why::Released, status, draft) {
            return;
        }
    }
    *status = RolloutStatus {
        observed_generation: status.observed_generation,
        phase: RolloutPhase::Initial,
        message: Some("Workload Not Found".into()),
        ..RolloutStatus::default()
    };
}

/// A second Rollout for the same workload says so and does nothing.
pub(crate) fn stand_back(other: &Acting<'_>, acting: &str, world: &crate::World, draft: &mut Draft) {
    let object = other.object;
    if object.deleting() {
        if let Some(index) = object.finalizer_index(finalizer::ROLLOUT) {
            draft.patch(
                Kind::Rollout,
                object,
                vec![Op::remove(format!("/metadata/finalizers/{index}"))],
                None,
            );
        }
        return;
    }
    if other.rollout.spec.disabled == Some(true) {
        let old = other.status();
        let mut status = old.clone();
        status.observed_generation = Some(object.generation());
        say(&mut status, RolloutPhase::Disabled, "Rollout is disabled");
        return draft.rollout_status(object, &old, &status);
    }
    let old = other.status();
    let mut status = old.clone();
    status.observed_generation = Some(object.generation());
    let message = format!(
        "{} is released by Rollout {acting} already; delete one of the two",
        world.key
    );
    say(&mut status, RolloutPhase::Initial, &message);
    draft.rollout_status(object, &old, &status);
}

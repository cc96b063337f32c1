//! A release under way, before its current step is looked at: rollback, pause of the whole, a third revision, an edited plan, a jump.

use api::names::{annotation, label, reason};
use api::parts::{FinalisingStep, StepState};
use api::plan::{Plan as Spec, Strategy};
use api::v1beta1::{CanaryStatus, RolloutStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::analysis::{abort, aborted};
use crate::canary;
use crate::capacity::Current;
use crate::conditions::{progressing, progressing_reason};
use crate::draft::Draft;
use crate::finalise::Why;
use crate::meta::Meta;
use crate::steps::{Walk, anchor, enter};
use crate::traffic_step::{Split, canary_service};
use crate::view::{Acting, View};
use crate::{EventType, Kind, Propagation, WaitReason};

/// What a release under way came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on.
    Rolling,
    /// It ends.
    Finalising(Why),
}

/// One decision about a release under way.
pub(crate) fn roll(
    view: &View<'_>,
    acting: &Acting<'_>,
    spec: &Spec,
    status: &mut RolloutStatus,
    draft: &mut Draft,
) -> Outcome {
    let revision = view.revision().unwrap_or_default();
    if status
        .canary_status
        .as_ref()
        .is_none_or(|sub| sub.canary_revision.is_empty())
    {
        if view.rolled_back(None) {
            status.canary_status = Some(fresh(view, acting, spec, &revision));
            return rolled_back(acting, status, &revision, view, draft);
        }
        if !initialize(view, acting, spec, status, &revision, draft) {
            return Outcome::Rolling;
        }
    }
    let Some(mut sub) = status.canary_status.clone() else {
        return Outcome::Rolling;
    };
    if sub.canary_revision != revision && view.rolled_back(sub.common.stable_revision.as_deref()) {
        return rolled_back(acting, status, &revision, view, draft);
    }
    if sub.canary_revision == revision && aborted(&sub) {
        // Also while the whole is paused: traffic leaves a version that was found bad.
        abort(view, acting, &mut sub, draft);
        status.canary_status = Some(sub);
        return Outcome::Rolling;
    }
    if spec.paused {
        let message = "Rollout has been paused, you can resume it by kube-cli";
        progressing(status, view.now, reason::PAUSED, message);
        status.message = Some(message.into());
        draft.rule("paused", message);
        draft.wait(WaitReason::Paused);
        return Outcome::Rolling;
    }
    if sub.canary_revision != revision {
        if !reset(view, acting, &mut sub, draft) {
            let message = "Workload is continuous release";
            progressing(status, view.now, reason::INITIALIZING, message);
            status.message = Some(message.into());
            status.canary_status = Some(sub);
            return Outcome::Rolling;
        }
        sub = fresh(view, acting, spec, &revision);
    } else if !acting.bound.same_routes(&acting.asked) {
        if reroute(view, acting, &mut sub, draft) {
            crate::adopt::adopt(acting, draft);
        }
        let message = "The routes were changed; those before are given back first";
        status.message = Some(message.into());
        status.canary_status = Some(sub);
        return Outcome::Rolling;
    } else if !sub.common.finalising_step.is_empty() {
        // What began to be taken away is wanted after all.
        sub.common.finalising_step = FinalisingStep::Unset;
        enter(&mut sub, StepState::StepUpgrade, view.now);
    }
    if progressing_reason(status) != reason::IN_ROLLING {
        progressing(status, view.now, reason::IN_ROLLING, "Rollout is in Progressing");
    }
    replan(view, acting, spec, &mut sub, draft);
    jump(view, spec, &mut sub);
    let index = sub.common.current_step_index.unwrap_or(1).clamp(1, spec.step_count());
    let Some(step) = spec.step(index) else {
        return Outcome::Rolling;
    };
    let current = Current {
        view,
        acting,
        spec,
        step,
        index,
    };
    sub.common.observed_workload_generation = view.workload.as_ref().map(|workload| workload.object.generation());
    sub.common.observed_rollout_id = Some(current.rollout_id(&revision));
    let walk = current.walk(status, &mut sub, draft);
    if walk == Walk::Done {
        sub.common.current_step_state = StepState::Completed;
        sub.common.finalising_step = FinalisingStep::Unset;
    }
    status.canary_status = Some(sub);
    match walk {
        Walk::Done => Outcome::Finalising(Why::Success),
        Walk::On => Outcome::Rolling,
    }
}

fn rolled_back(
    acting: &Acting<'_>,
    status: &mut RolloutStatus,
    revision: &str,
    view: &View<'_>,
    draft: &mut Draft,
) -> Outcome {
    if let Some(sub) = &mut status.canary_status {
        revision.clone_into(&mut sub.canary_revision);
        sub.common.observed_workload_generation = view.workload.as_ref().map(|workload| workload.object.generation());
        sub.common.finalising_step = FinalisingStep::Unset;
    }
    let message = "the workload has been rolled back; the release is canceled";
    draft.event(acting.object, EventType::Normal, reason::CANCELLING, message.into());
    Outcome::Finalising(Why::Rollback)
}

/// The sub-status at the beginning of a release.
fn fresh(view: &View<'_>, acting: &Acting<'_>, spec: &Spec, revision: &str) -> CanaryStatus {
    let stable = view
        .stable_replica_set(None)
        .and_then(|set| set.label(label::POD_TEMPLATE_HASH));
    let mut sub = CanaryStatus {
        canary_revision: revision.into(),
        ..CanaryStatus::default()
    };
    sub.common.rollout_hash = acting.object.annotation(annotation::PLAN_HASH).map(Into::into);
    sub.common.stable_revision = stable.map(Into::into);
    sub.common.current_step_index = Some(1);
    sub.common.next_step_index = spec.default_next(1);
    enter(&mut sub, StepState::BeforeStepUpgrade, view.now);
    sub
}

/// Everything that the release needs must be there before its first pod; false while it is not.
fn initialize(
    view: &View<'_>,
    acting: &Acting<'_>,
    spec: &Spec,
    status: &mut RolloutStatus,
    revision: &str,
    draft: &mut Draft,
) -> bool {
    let blocker = spec
        .routing
        .as_ref()
        .and_then(|routing| view.routing_blocker(acting.object, routing));
    let unshowable = |routing| Split::of(view, routing, acting.object).unshowable(&spec.steps);
    let blocker = blocker.or_else(|| spec.routing.as_ref().and_then(unshowable));
    let no_stable = view.stable_replica_set(None).is_none();
    let blocker = blocker.or_else(|| no_stable.then(|| format!("{} has no ReplicaSet that runs pods", view.world.key)));
    let blocker = blocker.or_else(|| contradiction(view, spec));
    let foreign = view
        .batch_release
        .as_ref()
        .filter(|(object, _)| !object.controlled_by(acting.object.uid()));
    let blocker = blocker.or_else(|| {
        foreign.map(|(object, _)| {
            format!(
                "BatchRelease {} exists and is not of this Rollout; delete it",
                object.name()
            )
        })
    });
    if let Some(why) = blocker {
        status.message = Some(why.clone());
        draft.rule("initialize", why.clone());
        draft.wait(WaitReason::Blocked { why });
        return false;
    }
    status.canary_status = Some(fresh(view, acting, spec, revision));
    true
}

/// Labels for the canary's pods by which its own Deployment would not find them.
fn contradiction(view: &View<'_>, spec: &Spec) -> Option<String> {
    let Strategy::Canary(canary) = &spec.strategy else {
        return None;
    };
    let selector = view
        .workload
        .as_ref()?
        .object
        .data
        .pointer("/spec/selector/matchLabels")?;
    let labels = canary.pod_patch.labels.iter().flatten();
    let mut wrong = labels.filter(|(key, value)| selector.get(key).is_some_and(|selected| selected != value.as_str()));
    let (key, _) = wrong.next()?;
    Some(format!(
        "patchPodTemplateMetadata.labels[{key}] contradicts the selector of {}; leave it out",
        view.world.key
    ))
}

/// A third revision in the middle: what the second one got is taken away. True once all is gone.
fn reset(view: &View<'_>, acting: &Acting<'_>, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
    let message = "a newer version takes the place of the one in release";
    draft.rule("continuous release", message);
    if sub.common.finalising_step.is_empty() {
        draft.event(acting.object, EventType::Normal, reason::PROGRESSING, message.into());
    }
    take_back(view, acting, sub, draft)
}

/// Takes away what the new version got, traffic first; the stable Service stays narrow. True once all is gone.
pub(crate) fn take_back(view: &View<'_>, acting: &Acting<'_>, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
    let routing = acting.routing.as_ref();
    if sub.common.current_step_state == StepState::Completed
        && let Some(service) = routing.and_then(|routing| view.service(&routing.service))
    {
        // The release before was at its end, and the workload is partly of its revision: the stable Service takes in all there is.
        let ops = traffic::service::widen(service, label::POD_TEMPLATE_HASH);
        draft.patch(Kind::Service, service, ops, None);
    }
    let leaving = match sub.common.current_step_state {
        StepState::Completed => Leaving::Back,
        _ => Leaving::ToStable,
    };
    if !routed_away(view, acting, leaving, sub, draft) {
        return false;
    }
    let gone = routing.map(|routing| Split::of(view, routing, acting.object).withdrawn());
    let mut left = false;
    for canary in &view.canaries {
        left = true;
        canary::remove(canary.object, gone.clone(), draft);
    }
    if let Some((object, _)) = &view.batch_release {
        left = true;
        draft.delete(Kind::BatchRelease, object, Propagation::Background, None);
    }
    if let Some(service) = routing.and_then(|routing| canary_service(view, routing, acting.object)) {
        left = true;
        draft.delete(Kind::Service, service, Propagation::Background, None);
    }
    !left
}

/// Other routes are asked for than those that the release has: those before are given back, the Ingress first. True once they are.
fn reroute(view: &View<'_>, acting: &Acting<'_>, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
    draft.rule("reroute", "the routes of the release were changed");
    let Some(routing) = &acting.routing else { return true };
    if !routed_away(view, acting, Leaving::Back, sub, draft) {
        return false;
    }
    let split = Split::of(view, routing, acting.object);
    let clearances = split.clearances();
    if !clearances.is_empty() {
        split.send(clearances, None, draft);
        return false;
    }
    if acting.bound.service == acting.asked.service {
        return true;
    }
    let mut left = false;
    if let Some(service) = view.service(&routing.service) {
        let ops = traffic::service::widen(service, label::POD_TEMPLATE_HASH);
        left = !ops.is_empty();
        draft.patch(Kind::Service, service, ops, None);
    }
    if let Some(service) = canary_service(view, routing, acting.object) {
        left = true;
        draft.delete(Kind::Service, service, Propagation::Background, None);
    }
    !left
}

/// Where the routes are led when a release leaves them.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    /// To the stable revision's pods: the next version comes on the same routes.
    ToStable,
    /// To what they were before.
    Back,
}

/// Takes the route away; true once it is gone and the routers had their time since. The moment is stored, so that a restart does not shorten it.
fn routed_away(
    view: &View<'_>,
    acting: &Acting<'_>,
    leaving: Leaving,
    sub: &mut CanaryStatus,
    draft: &mut Draft,
) -> bool {
    let routing = acting.routing.as_ref();
    let routes = routing.map(|routing| Split::of(view, routing, acting.object));
    let away = routes.as_ref().is_none_or(|routes| match leaving {
        Leaving::ToStable => routes.leave(draft),
        Leaving::Back => routes.withdraw(draft),
    });
    if sub.common.finalising_step.is_empty() {
        sub.common.finalising_step = FinalisingStep::RouteTrafficToStable;
        // No step waits for anybody meanwhile.
        enter(sub, StepState::BeforeStepUpgrade, view.now);
        return false;
    }
    if !away {
        return false;
    }
    let Some(routes) = routes else { return true };
    if routes.is_told() && sub.common.finalising_step == FinalisingStep::RouteTrafficToStable {
        // The time counts from when the implementation says that it has taken the change in.
        sub.common.finalising_step = FinalisingStep::RemoveCanaryService;
        sub.common.last_update_time = Some(Time(view.now));
        return false;
    }
    let until = anchor(sub, view.now) + routes.farewell();
    if view.now < until {
        draft.wait(WaitReason::Grace { until });
        draft.wake_at(until);
    }
    view.now >= until
}

/// The user edited the plan: finds the step that stands where the release stands.
fn replan(view: &View<'_>, acting: &Acting<'_>, spec: &Spec, sub: &mut CanaryStatus, draft: &mut Draft) {
    let hash = acting.object.annotation(annotation::PLAN_HASH);
    if sub.common.rollout_hash.as_deref() == hash {
        return;
    }
    sub.common.rollout_hash = hash.map(Into::into);
    let replicas = view
        .workload
        .as_ref()
        .map_or(0, |workload| i32::try_from(workload.replicas).unwrap_or(i32::MAX));
    let released = view.batch_release.as_ref().and_then(|(_, batch_release)| {
        let plan = &batch_release.spec.release_plan;
        let index = usize::try_from(plan.batch_partition?).ok()?;
        let batch = plan.batches.as_ref()?.get(index)?;
        api::quantity::scaled(&batch.canary_replicas, replicas).ok()
    });
    let have = released.unwrap_or(0);
    let current = sub.common.current_step_index.unwrap_or(1).clamp(1, spec.step_count());
    let candidates = std::iter::once(current).chain((1..=spec.step_count()).filter(|index| *index != current));
    let enough = |index: &i32| spec.step(*index).is_some_and(|step| step.pods(replicas) >= have);
    let index = candidates.clone().find(enough).or(candidates.last()).unwrap_or(1);
    sub.common.current_step_index = Some(index);
    sub.common.next_step_index = spec.default_next(index);
    enter(sub, StepState::StepUpgrade, view.now);
    let message = format!("the plan was edited; the release goes on at step {index}");
    draft.event(acting.object, EventType::Normal, reason::PROGRESSING, message);
}

/// A step that somebody wrote into `nextStepIndex` is entered; a number that is no step is put right.
fn jump(view: &View<'_>, spec: &Spec, sub: &mut CanaryStatus) {
    let current = sub.common.current_step_index.unwrap_or(1);
    let default = spec.default_next(current);
    let next = sub.common.next_step_index;
    if next == default {
        return;
    }
    if (1..=spec.step_count()).contains(&next) {
        sub.common.current_step_index = Some(next);
        sub.common.next_step_index = spec.default_next(next);
        enter(sub, StepState::StepUpgrade, view.now);
    } else {
        sub.common.next_step_index = default;
    }
}

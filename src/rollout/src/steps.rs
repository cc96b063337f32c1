//! The walk through the steps: capacity, evidence, grace, route, grace, pause, next. One function per state; each looks at the cluster first
//! and at the stored state second, so that what was lost is made again wherever the release stands.

use api::names::reason;
use api::parts::StepState;
use api::plan::{Route, Routing};
use api::v1beta1::{CanaryStatus, RolloutStatus};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::capacity::Current;
use crate::conditions::progressing;
use crate::draft::Draft;
use crate::judge::Batch;
use crate::traffic_step::Position;
use crate::{EventType, Evidence, WaitReason};

/// What the walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The step goes on.
    On,
    /// The last step is behind.
    Done,
}

/// The stored moment of the last change of state.
pub(crate) fn anchor(sub: &CanaryStatus, now: Timestamp) -> Timestamp {
    sub.common.last_update_time.as_ref().map_or(now, |time| time.0)
}

/// Enters a state now.
pub(crate) fn enter(sub: &mut CanaryStatus, state: StepState, now: Timestamp) {
    sub.common.current_step_state = state;
    sub.common.last_update_time = Some(Time(now));
}

/// Time that the data plane gets after each change while steps are walked; none without routes.
pub(crate) fn grace(routing: Option<&Routing>) -> SignedDuration {
    let grace = routing.map_or(std::time::Duration::ZERO, Routing::grace);
    SignedDuration::try_from(grace).unwrap_or(SignedDuration::ZERO)
}

impl Current<'_> {
    /// One decision about the current step.
    pub(crate) fn walk(self, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) -> Walk {
        if sub.common.current_step_state == StepState::StepReady
            && self.held_by_background(sub).is_some()
            && !self.reached(sub)
        {
            draft.rule("resume", self.says("a person lets it go on, to the rest of the step"));
            enter(sub, StepState::StepUpgrade, self.view.now);
        }
        let state = sub.common.current_step_state.clone();
        // A person, or the clock, lets the step end: nothing else is asked, unless nothing was found good before a promotion.
        let ended = state == StepState::StepReady || (state == StepState::StepPaused && self.pause_over(sub, draft));
        if ended && !self.promoted_unmeasured(sub) {
            return match self.index < self.spec.step_count() {
                true => self.next(status, sub, draft),
                false => Walk::Done,
            };
        }
        if let Some(walk) = self.background(status, sub, draft) {
            return walk;
        }
        if self.telling_apart(&state, status, sub, draft) {
            return Walk::On;
        }
        let batch = self.ensure(sub, draft);
        self.counts(&batch, &state, sub);
        self.report(&batch, sub, draft);
        match state {
            StepState::StepMetricsAnalysis => self.analysing(&batch, status, sub, draft),
            StepState::StepTrafficRouting => self.settling(&batch, status, sub, draft),
            _ if ended => self.stand(self.unmeasured(sub), &batch, status, sub, draft),
            StepState::StepPaused => self.paused(&batch, status, sub, draft),
            _ => self.upgrading(&batch, status, sub, draft),
        }
        Walk::On
    }

    /// Before the first pod of the new version comes into the one Service of both: the subsets are made, the routes lead to the stable one, each
    /// with its time to come into force. A route to a subset that is not known loses every request. True while that is under way.
    fn telling_apart(
        self,
        state: &StepState,
        status: &mut RolloutStatus,
        sub: &mut CanaryStatus,
        draft: &mut Draft,
    ) -> bool {
        let Some(routing) = self.shared() else { return false };
        let split = self.routes(routing);
        let before = matches!(state, StepState::BeforeStepUpgrade);
        if !before && split.is_apart() {
            return false;
        }
        let now = self.view.now;
        if let Some(why) = self.view.routing_blocker(self.acting.object, routing) {
            if before && self.view.canaries.is_empty() {
                let said = status.message.clone();
                self.blocked(&why, said.as_deref(), status, draft);
                return true;
            }
            return false;
        }
        draft.rule("apart", self.says("the routes tell the versions apart"));
        let preparations = split.preparations(sub, "");
        if !preparations.is_empty() {
            split.send(preparations, None, draft);
            enter(sub, StepState::BeforeStepUpgrade, now);
            return true;
        }
        let until = anchor(sub, now) + grace(Some(routing));
        if before && now < until {
            draft.wait(WaitReason::Grace { until });
            draft.wake_at(until);
            return true;
        }
        if split.is_apart() {
            return false;
        }
        split.leave(draft);
        if before {
            enter(sub, StepState::BeforeStepUpgrade, now);
        }
        true
    }

    /// Whether the step has the pods and the routes that it asks for.
    fn reached(self, sub: &CanaryStatus) -> bool {
        let batch_release = self.view.batch_release.as_ref();
        let batch = self.judge(batch_release.map(|(_, batch_release)| batch_release), sub);
        let routed = match (&self.spec.routing, &self.step.route) {
            (Some(routing), Some(route)) => self.leads_there(routing, route, sub),
            _ => true,
        };
        batch.missing.is_none() && routed
    }

    /// Whether the routes show what the step asks for.
    fn leads_there(self, routing: &Routing, route: &Route, sub: &CanaryStatus) -> bool {
        matches!(
            self.position(routing, route, sub),
            Position::There | Position::Unseen(_)
        )
    }

    fn next(self, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) -> Walk {
        let index = self.index + 1;
        let Some(step) = self.spec.step(index) else {
            return Walk::Done;
        };
        sub.common.current_step_index = Some(index);
        sub.common.next_step_index = self.spec.default_next(index);
        enter(sub, StepState::StepUpgrade, self.view.now);
        let message = format!("step {index} of {} begins", self.spec.step_count());
        draft.event(self.acting.object, EventType::Normal, reason::PROGRESSING, message);
        Self { step, index, ..self }.walk(status, sub, draft)
    }

    /// The verdict that holds the step for a person, if one does.
    pub(crate) fn verdict(self, sub: &CanaryStatus) -> Option<String> {
        self.held(sub).or_else(|| self.held_by_background(sub))
    }

    pub(crate) fn says(self, what: &str) -> String {
        format!(
            "Rollout is in step({}/{}), and {what}",
            self.index,
            self.spec.step_count()
        )
    }

    /// Numbers of pods: of no use to anybody while they change, so they travel with a write that is due anyway.
    fn counts(self, batch: &Batch, state: &StepState, sub: &mut CanaryStatus) {
        let quiet = matches!(state, StepState::StepUpgrade | StepState::BeforeStepUpgrade) && batch.missing.is_some();
        if !quiet || self.late(sub) {
            sub.canary_replicas = i32::try_from(batch.updated).unwrap_or(i32::MAX);
            sub.canary_ready_replicas = i32::try_from(batch.ready).unwrap_or(i32::MAX);
            sub.common.message = Some(self.batch_words(batch, sub));
        }
    }

    fn batch_words(self, batch: &Batch, sub: &CanaryStatus) -> String {
        let id = self.rollout_id(&sub.canary_revision);
        let state = if batch.missing.is_some() { "Upgrading" } else { "Ready" };
        let said = format!("BatchRelease is at state {state}, rollout-id {id}, step {}", self.index);
        match &batch.missing {
            Some(missing) => format!("{said}, {missing}"),
            None => said,
        }
    }

    fn upgrading(self, batch: &Batch, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        let now = self.view.now;
        if sub.common.current_step_state != StepState::StepUpgrade {
            enter(sub, StepState::StepUpgrade, now);
        }
        let said = status.message.replace(self.says("upgrade workload to new version"));
        draft.rule("upgrade", self.says("upgrade workload to new version"));
        if let (None, Some(routing), Some(missing)) = (self.view.canary(), &self.spec.routing, &batch.missing)
            && self.routed()
        {
            draft.rule(
                "lost",
                "the canary Deployment is gone; its route goes before its pods do",
            );
            self.routes(routing).leave(draft);
            return draft.wait(missing.clone());
        }
        if self.bereft(batch, draft) {
            return;
        }
        let routes = self.spec.routing.as_ref().map(|routing| (routing, &self.step.route));
        // Less traffic, or none, needs no pods first.
        let position = match routes {
            Some((routing, Some(route))) => {
                let position = self.position(routing, route, sub);
                if let Position::Above(edits) = position {
                    draft.rule("lower", self.says("less traffic is routed to the new version"));
                    return self.routes(routing).send(edits, None, draft);
                }
                if let Some(why) = self.view.routing_blocker(self.acting.object, routing) {
                    return self.blocked(&why, said.as_deref(), status, draft);
                }
                Some((routing, position))
            }
            Some((routing, None)) if !self.unroute(routing, draft) => return,
            _ => None,
        };
        if let Some(missing) = &batch.missing {
            if self.late(sub) {
                self.complain(batch, missing, said.as_deref(), status, draft);
            }
            return draft.wait(missing.clone());
        }
        progressing(status, now, reason::IN_ROLLING, "Rollout is in Progressing");
        let Some((routing, position)) = position else {
            return self.settled(status, sub, draft);
        };
        let grace = grace(Some(routing));
        match position {
            Position::There => {
                enter(sub, StepState::StepTrafficRouting, now);
                status.message = Some(self.says("route traffic to new version"));
                draft.rule("routed", self.says("route traffic to new version"));
                draft.wait(WaitReason::Grace { until: now + grace });
                draft.wake_at(now + grace);
            }
            Position::Unseen(why) => {
                draft.rule("unseen", self.says("the gateway takes in the routes"));
                match self.late(sub) {
                    true => status.message = Some(format!("{}: {why}", self.says("route traffic to new version"))),
                    false => draft.wake_at(self.patience(sub)),
                }
                draft.wait(WaitReason::Routes { why });
            }
            Position::Above(_) => {}
            Position::Below(edits) => {
                let until = batch.since.unwrap_or(now) + grace;
                if now < until {
                    draft.rule("evidence", self.says("the routers get their time to see the new pods"));
                    draft.wait(WaitReason::Grace { until });
                    return draft.wake_at(until);
                }
                if !self.is_stored() {
                    // The weight of a step is never there before the status names the step.
                    return draft.rule("enter", self.says("it is written down before its traffic is routed"));
                }
                draft.rule("route", self.says("route traffic to new version"));
                self.routes(routing).send(edits, self.ready(batch).as_ref(), draft);
            }
            Position::Leaving(object) => draft.wait(WaitReason::Gone { object }),
            Position::Blocked(why) => self.blocked(&why, said.as_deref(), status, draft),
        }
    }

    /// Whether the Rollout's status names this step already.
    fn is_stored(self) -> bool {
        let stored = self.acting.status();
        stored.common().and_then(|common| common.current_step_index) == Some(self.index)
    }

    pub(crate) fn position(self, routing: &Routing, route: &Route, sub: &CanaryStatus) -> Position {
        self.routes(routing).position(self.step, route, sub)
    }

    /// What must be seen again when the routes go up.
    fn ready(self, batch: &Batch) -> Option<Evidence> {
        let endpoints = batch.endpoints.as_ref()?;
        Some(Evidence::EndpointsReady {
            namespace: self.view.world.key.namespace.clone(),
            service: endpoints.service.clone(),
            at_least: endpoints.at_least,
        })
    }

    /// The route objects do not let the step go on.
    fn blocked(self, why: &str, said: Option<&str>, status: &mut RolloutStatus, draft: &mut Draft) {
        draft.rule("blocked", why);
        self.tell_of_routes(&self.says("its traffic cannot be routed"), why, said, status, draft);
    }

    /// What is wrong with the route objects, in the message and in the condition, and once as an event; `said` is the message before.
    pub(crate) fn tell_of_routes(
        self,
        what: &str,
        why: &str,
        said: Option<&str>,
        status: &mut RolloutStatus,
        draft: &mut Draft,
    ) {
        let message = format!("{what}: {why}");
        if said != Some(message.as_str()) {
            draft.event(self.acting.object, EventType::Warning, reason::STUCK, message.clone());
        }
        progressing(status, self.view.now, reason::IN_ROLLING, &message);
        status.message = Some(message);
        draft.wait(WaitReason::Blocked { why: why.into() });
    }

    /// Pods that do not come are told of, in the message and in the condition; once as an event when their controller complains.
    fn complain(
        self,
        batch: &Batch,
        missing: &WaitReason,
        said: Option<&str>,
        status: &mut RolloutStatus,
        draft: &mut Draft,
    ) {
        let mut message = format!("{}: {missing}", self.says("upgrade workload to new version"));
        if let Some(trouble) = &batch.trouble {
            message = format!("{message}; {trouble}");
        }
        if batch.trouble.is_some() && said != Some(message.as_str()) {
            draft.event(self.acting.object, EventType::Warning, reason::STUCK, message.clone());
        }
        progressing(status, self.view.now, reason::IN_ROLLING, &message);
        status.message = Some(message);
    }

    /// A step that says nothing about traffic: no canary route, and the stable Service selects all pods. True once that is so.
    pub(crate) fn unroute(self, routing: &Routing, draft: &mut Draft) -> bool {
        if let Some(service) = self.view.service(&routing.service) {
            let ops = traffic::service::widen(service, api::names::label::POD_TEMPLATE_HASH);
            draft.patch(crate::Kind::Service, service, ops, None);
        }
        self.routes(routing).withdraw(draft)
    }

    /// Metrics are judged; what the step has is kept as it should be meanwhile.
    fn analysing(self, batch: &Batch, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        // A gate that was edited away holds nothing.
        let Some(gate) = &self.step.gate else {
            return self.settling(batch, status, sub, draft);
        };
        if self.lost(batch, sub, draft) || self.bereft(batch, draft) {
            return;
        }
        if let (Some(routing), Some(route)) = (&self.spec.routing, &self.step.route) {
            let position = self.position(routing, route, sub);
            self.hold(routing, position, batch, draft);
        }
        self.analyse(gate, status, sub, draft);
    }

    /// The step has what it asks for: its gate comes first, then its pause.
    fn settled(self, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        match (self.gated(sub), &self.step.gate) {
            (true, Some(gate)) => {
                enter(sub, StepState::StepMetricsAnalysis, self.view.now);
                self.analyse(gate, status, sub, draft);
            }
            _ => self.pause(status, sub, draft),
        }
    }

    /// The route shows the split; the routers get their time to follow.
    fn settling(self, batch: &Batch, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        if self.lost(batch, sub, draft) || self.bereft(batch, draft) {
            return;
        }
        let routed = match (&self.spec.routing, &self.step.route) {
            (Some(routing), Some(route)) => self.leads_there(routing, route, sub),
            _ => true,
        };
        if !routed {
            // Stored before the routes are written again: a grace that was cut off must not be counted from the first time.
            enter(sub, StepState::StepUpgrade, self.view.now);
            return draft.rule(
                "rerouted",
                self.says("its routes were changed; they are led there again"),
            );
        }
        let until = anchor(sub, self.view.now) + grace(self.spec.routing.as_ref());
        if self.view.now < until {
            draft.rule("settle", self.says("the routers get their time to follow"));
            draft.wait(WaitReason::Grace { until });
            return draft.wake_at(until);
        }
        self.settled(status, sub, draft);
    }

    /// Keeps the route of a step that was reached.
    pub(crate) fn hold(self, routing: &Routing, position: Position, batch: &Batch, draft: &mut Draft) {
        let until = batch.since.unwrap_or(self.view.now) + grace(Some(routing));
        let routes = self.routes(routing);
        match position {
            Position::There | Position::Unseen(_) | Position::Leaving(_) | Position::Blocked(_) => {}
            Position::Above(edits) => routes.send(edits, None, draft),
            Position::Below(_) if batch.missing.is_some() => {}
            Position::Below(_) if self.view.now < until => {
                draft.wait(WaitReason::Grace { until });
                draft.wake_at(until);
            }
            Position::Below(edits) => routes.send(edits, self.ready(batch).as_ref(), draft),
        }
    }

    /// No pod of the new version can answer: where that loses requests, the routes lead to stable until one can. True when that is so.
    pub(crate) fn bereft(self, batch: &Batch, draft: &mut Draft) -> bool {
        let Some(routing) = &self.spec.routing else {
            return false;
        };
        let routes = self.routes(routing);
        if !routes.leads_to_nobody() {
            return false;
        }
        draft.rule(
            "bereft",
            self.says("no pod of the new version is ready; everything is routed to stable until one is"),
        );
        routes.leave(draft);
        if let Some(missing) = &batch.missing {
            draft.wait(missing.clone());
        }
        true
    }

    /// The canary Deployment is gone or going: the route goes before its pods do, and the step is made again.
    pub(crate) fn lost(self, batch: &Batch, sub: &mut CanaryStatus, draft: &mut Draft) -> bool {
        if self.view.canary().is_some() && self.view.batch_release.is_some() {
            return false;
        }
        if let Some(missing) = &batch.missing {
            draft.wait(missing.clone());
        }
        if let Some(routing) = &self.spec.routing
            && self.routed()
        {
            self.routes(routing).leave(draft);
        }
        draft.rule("lost", "the canary Deployment is gone; the step is made again");
        enter(sub, StepState::StepUpgrade, self.view.now);
        true
    }
}

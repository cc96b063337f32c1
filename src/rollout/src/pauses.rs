//! The end of a step: its pause, and what is kept as it should be while the release stands there. Used by [`crate::steps`].

use api::names::reason;
use api::parts::StepState;
use api::plan::{Pause, Routing};
use api::v1beta1::{CanaryStatus, RolloutStatus};
use jiff::SignedDuration;

use crate::capacity::Current;
use crate::conditions::progressing;
use crate::draft::Draft;
use crate::judge::Batch;
use crate::steps::{anchor, enter};
use crate::traffic_step::Position;
use crate::{EventType, WaitReason};

impl Current<'_> {
    /// Enters the pause of the step.
    pub(crate) fn pause(self, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        enter(sub, StepState::StepPaused, self.view.now);
        draft.event(
            self.acting.object,
            EventType::Normal,
            reason::PROGRESSING,
            self.pause_words(),
        );
        self.say_pause(status, draft);
    }

    fn ends_by_itself(self) -> bool {
        self.index == self.spec.last_own_step() && self.step.is_all()
    }

    fn pause_words(self) -> String {
        match self.step.pause {
            Pause::Manual => self.says("you need manually confirm to enter the next step"),
            Pause::For(seconds) => self.says(&format!("wait duration({seconds} seconds) to enter the next step")),
            Pause::UntilAnalysis => self.says("the next step is entered once the analysis is successful"),
        }
    }

    fn say_pause(self, status: &mut RolloutStatus, draft: &mut Draft) {
        status.message = Some(self.pause_words());
        draft.rule("pause", self.pause_words());
        match self.step.pause {
            Pause::Manual | Pause::UntilAnalysis => draft.wait(WaitReason::Approval { step: self.index }),
            Pause::For(seconds) => {
                let until = self.view.now + SignedDuration::from_secs(i64::from(seconds));
                draft.wake_at(until);
            }
        }
    }

    pub(crate) fn pause_over(self, sub: &CanaryStatus, draft: &mut Draft) -> bool {
        if self.verdict(sub).is_some() {
            return false;
        }
        if self.ends_by_itself() {
            return true;
        }
        match self.step.pause {
            Pause::Manual | Pause::UntilAnalysis => false,
            Pause::For(seconds) => {
                let until = anchor(sub, self.view.now) + SignedDuration::from_secs(i64::from(seconds));
                if self.view.now < until {
                    draft.wait(WaitReason::Pause { until });
                    draft.wake_at(until);
                }
                self.view.now >= until
            }
        }
    }

    /// Stands at the step until its pause is over.
    pub(crate) fn paused(self, batch: &Batch, status: &mut RolloutStatus, sub: &mut CanaryStatus, draft: &mut Draft) {
        let words = match self.verdict(sub) {
            Some(why) => format!("{}: {why}", self.says("it waits for a person")),
            None => self.pause_words(),
        };
        self.stand(words, batch, status, sub, draft);
    }

    /// Stands at the step: keeps what is there as it should be, and says why it waits.
    pub(crate) fn stand(
        self,
        words: String,
        batch: &Batch,
        status: &mut RolloutStatus,
        sub: &mut CanaryStatus,
        draft: &mut Draft,
    ) {
        if self.lost(batch, sub, draft) {
            return;
        }
        let held = self.verdict(sub);
        draft.rule("pause", words.clone());
        let said = status.message.replace(words);
        if held.is_some() || self.step.pause == Pause::Manual {
            draft.wait(WaitReason::Approval { step: self.index });
        }
        if self.bereft(batch, draft) {
            return;
        }
        match (&self.spec.routing, &self.step.route) {
            (Some(routing), Some(route)) => {
                let position = self.position(routing, route, sub);
                if held.is_none() {
                    self.tell(routing, &position, said.as_deref(), status, draft);
                }
                match position {
                    // A version that a verdict is against gets no more requests than it has.
                    Position::Below(_) if held.is_some() => {}
                    position => self.hold(routing, position, batch, draft),
                }
            }
            (Some(routing), None) => {
                self.unroute(routing, draft);
            }
            (None, _) => {}
        }
    }

    /// A route that goes while the step pauses is told of at once, not when somebody approves.
    fn tell(
        self,
        routing: &Routing,
        position: &Position,
        said: Option<&str>,
        status: &mut RolloutStatus,
        draft: &mut Draft,
    ) {
        let blocker = self.view.routing_blocker(self.acting.object, routing);
        let blocker = blocker.or_else(|| match position {
            Position::Blocked(why) => Some(why.clone()),
            _ => None,
        });
        match blocker {
            Some(why) => {
                let what = format!("{}, but its traffic cannot be routed", self.pause_words());
                self.tell_of_routes(&what, &why, said, status, draft);
            }
            None => progressing(status, self.view.now, reason::IN_ROLLING, "Rollout is in Progressing"),
        }
    }
}

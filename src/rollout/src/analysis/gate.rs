//! The gate of a step: its run is named in the status first, then made, then waited for; its verdict lets the step end, holds it for a person, or
//! orders the way back.

use api::attachment::{RunState, VerdictAction};
use api::names::reason;
use api::parts::StepState;
use api::plan::{Analysis, Pause, Stage};
use api::v1alpha1::AnalysisPhase;
use api::v1beta1::{CanaryStatus, RolloutStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::make::{Place, object};
use super::measure::read;
use crate::capacity::Current;
use crate::conditions::progressing;
use crate::draft::Draft;
use crate::meta::Meta;
use crate::steps::{anchor, enter};
use crate::{EventType, Kind, Op, WaitReason};

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// It goes on, or has yet to be made.
    Running(AnalysisPhase),
    /// It cannot be made or read, and why.
    Stuck(String),
    /// It is over.
    Over(AnalysisPhase, Option<String>),
}

/// What a verdict does.
pub(super) fn action(analysis: &Analysis, phase: &AnalysisPhase) -> VerdictAction {
    match phase {
        AnalysisPhase::Successful => VerdictAction::Continue,
        AnalysisPhase::Failed => analysis.on_failure,
        AnalysisPhase::Error => analysis.on_error,
        _ => analysis.on_inconclusive,
    }
}

impl Current<'_> {
    /// Whether the gate of this step has still to be passed. After a verdict that took the version back it has, when somebody asks for another try.
    pub(crate) fn gated(self, sub: &CanaryStatus) -> bool {
        let judged = |gate: &Analysis| {
            self.own_run(sub)
                .is_some_and(|run| run.phase.is_final() && action(gate, &run.phase) != VerdictAction::Rollback)
        };
        self.step.gate.as_ref().is_some_and(|gate| !judged(gate))
    }

    /// What the status says of this step's run.
    fn own_run(self, sub: &CanaryStatus) -> Option<&RunState> {
        let run = sub.common.current_step_analysis.as_ref()?;
        let place = Place::Step(self.index);
        place
            .owns(&run.name, self.acting.name(), &sub.canary_revision)
            .then_some(run)
    }

    /// Why the step is held by the verdict of its gate, if it is: then no pause ends by itself.
    pub(crate) fn held(self, sub: &CanaryStatus) -> Option<String> {
        let gate = self.step.gate.as_ref()?;
        let run = self.own_run(sub)?;
        let held = run.phase.is_final() && action(gate, &run.phase) == VerdictAction::Pause;
        held.then(|| self.verdict_words(&run.name, &run.phase, run.message.as_deref()))
    }

    pub(super) fn verdict_words(self, run: &str, phase: &AnalysisPhase, message: Option<&str>) -> String {
        let why = message
            .filter(|message| !message.is_empty())
            .map(|message| format!(": {message}"));
        let found = match phase {
            AnalysisPhase::Successful => "found the new version good",
            AnalysisPhase::Failed => "found the new version bad",
            AnalysisPhase::Error => "could not measure",
            _ => "came to no conclusion",
        };
        format!("{} {run} {found}{}", Kind::AnalysisRun, why.unwrap_or_default())
    }

    /// How the run `name` stands; makes it when it is not there.
    pub(super) fn standing(
        self,
        analysis: &Analysis,
        place: Place,
        name: &str,
        sub: &CanaryStatus,
        draft: &mut Draft,
    ) -> Standing {
        let Some(found) = self.view.named(Kind::AnalysisRun, name) else {
            return match object(self.view, self.acting, analysis, sub, place, name) {
                Ok(object) => {
                    draft.create(Kind::AnalysisRun, object, None);
                    Standing::Running(AnalysisPhase::Pending)
                }
                Err(why) => Standing::Stuck(why),
            };
        };
        if !found.controlled_by(self.acting.object.uid()) {
            return Standing::Stuck(format!(
                "AnalysisRun {name} exists and is not of this Rollout; delete it"
            ));
        }
        match read(found) {
            Err(why) => Standing::Stuck(why),
            Ok(run) => {
                let status = run.status.unwrap_or_default();
                match status.phase.is_final() {
                    true => Standing::Over(status.phase, status.message),
                    false if status.phase.is_empty() => Standing::Running(AnalysisPhase::Pending),
                    false => Standing::Running(status.phase),
                }
            }
        }
    }

    /// One decision about the gate.
    pub(crate) fn analyse(
        self,
        gate: &Analysis,
        status: &mut RolloutStatus,
        sub: &mut CanaryStatus,
        draft: &mut Draft,
    ) {
        let place = Place::Step(self.index);
        let known = self.own_run(sub).cloned();
        let Some(known) = known.clone().filter(|known| !known.phase.is_final()) else {
            // The first run of the step, or the next one when somebody asks for another try: in the status before it is made.
            let before = known.map(|known| known.name);
            let name = place.after(before.as_deref(), self.view, self.acting.name(), &sub.canary_revision);
            enter(sub, StepState::StepMetricsAnalysis, self.view.now);
            sub.common.current_step_analysis = Some(RunState {
                name,
                phase: AnalysisPhase::Pending,
                message: None,
            });
            status.message = Some(self.says("its analysis begins"));
            return draft.rule("analysis", self.says("its analysis begins"));
        };
        let name = known.name.clone();
        match self.standing(gate, place, &name, sub, draft) {
            Standing::Running(phase) => {
                let message = self.says("metrics are judged");
                draft.rule("analysis", message.clone());
                progressing(status, self.view.now, reason::IN_ROLLING, "Rollout is in Progressing");
                status.message = Some(message);
                if let Some(until) = self.baked(sub) {
                    self.end_at(until, &name, draft);
                }
                sub.common.current_step_analysis = Some(RunState { phase, ..known });
                draft.wait(WaitReason::Analysis { run: name });
            }
            Standing::Stuck(why) => self.analysis_stuck(&why, status, draft),
            Standing::Over(phase, message) => {
                let words = self.verdict_words(&name, &phase, message.as_deref());
                let action = action(gate, &phase);
                let stands_by = self.baked(sub).filter(|until| self.view.now < *until);
                if let (VerdictAction::Continue, Some(until)) = (action, stands_by) {
                    status.message = Some(self.says("the version before stands by"));
                    draft.rule("stand by", self.says("the version before stands by"));
                    draft.wait(WaitReason::Pause { until });
                    return draft.wake_at(until);
                }
                sub.common.current_step_analysis = Some(RunState {
                    name,
                    phase: phase.clone(),
                    message,
                });
                draft.rule("verdict", words.clone());
                match action {
                    VerdictAction::Rollback => {
                        super::abort::begin(self.acting, &words, self.view, status, sub, draft);
                    }
                    VerdictAction::Pause => self.hold_for_verdict(&words, status, sub, draft),
                    VerdictAction::Continue => {
                        let kind = match phase {
                            AnalysisPhase::Successful => EventType::Normal,
                            _ => EventType::Warning,
                        };
                        draft.event(self.acting.object, kind, reason::ANALYSIS, words);
                        match self.step.pause {
                            Pause::UntilAnalysis if self.held_by_background(sub).is_none() => {
                                enter(sub, StepState::StepReady, self.view.now);
                            }
                            Pause::UntilAnalysis | Pause::Manual | Pause::For(_) => self.pause(status, sub, draft),
                        }
                    }
                }
            }
        }
    }

    /// Until when the version before stands by, if a time was said for that.
    fn baked(self, sub: &CanaryStatus) -> Option<Timestamp> {
        let Stage::AfterPromotion { bake: Some(seconds) } = self.step.stage else {
            return None;
        };
        Some(anchor(sub, self.view.now) + SignedDuration::from_secs(i64::from(seconds)))
    }

    /// Lets a run come to its end when the time is over: what it has found by then decides.
    fn end_at(self, until: Timestamp, name: &str, draft: &mut Draft) {
        if self.view.now < until {
            return draft.wake_at(until);
        }
        let Some(run) = self.view.named(Kind::AnalysisRun, name) else {
            return;
        };
        if run.data.pointer("/spec/terminate") != Some(&json!(true)) {
            draft.rule("baked", self.says("the version before has stood by for its time"));
            draft.patch(
                Kind::AnalysisRun,
                run,
                vec![Op::set("/spec/terminate", json!(true))],
                None,
            );
        }
    }

    /// Stands at the step until a person decides.
    pub(super) fn hold_for_verdict(
        self,
        words: &str,
        status: &mut RolloutStatus,
        sub: &mut CanaryStatus,
        draft: &mut Draft,
    ) {
        enter(sub, StepState::StepPaused, self.view.now);
        self.tell_verdict(words, status, draft);
        draft.wait(WaitReason::Approval { step: self.index });
    }

    /// Says that a verdict is against the version: in an Event, in the condition and in the message.
    pub(super) fn tell_verdict(self, words: &str, status: &mut RolloutStatus, draft: &mut Draft) {
        draft.event(
            self.acting.object,
            EventType::Warning,
            reason::ANALYSIS,
            words.to_owned(),
        );
        progressing(status, self.view.now, reason::ANALYSIS, words);
        status.message = Some(format!("{}: {words}", self.says("it waits for a person")));
    }

    /// There can be no run: told once, in the message, the condition and an Event.
    pub(super) fn analysis_stuck(self, why: &str, status: &mut RolloutStatus, draft: &mut Draft) {
        let message = format!("{}: {why}", self.says("its analysis cannot be made"));
        if status.message.as_deref() != Some(message.as_str()) {
            draft.event(self.acting.object, EventType::Warning, reason::STUCK, message.clone());
        }
        progressing(status, self.view.now, reason::IN_ROLLING, &message);
        status.message = Some(message);
        draft.rule("no run", why);
        draft.wait(WaitReason::Blocked { why: why.into() });
    }
}

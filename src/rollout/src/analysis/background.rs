//! The analysis that goes on while steps are walked: from its starting step, as soon as that step's traffic is there, until the release ends. A bad
//! verdict holds the step that the release is in, or orders the way back; who lets it go on gets the rest of the step, and it is measured anew.

use analysis::run::{Conditions, if_stopped};
use api::attachment::{RunState, VerdictAction};
use api::parts::StepState;
use api::plan::Stage;
use api::v1alpha1::AnalysisPhase;
use api::v1beta1::{CanaryStatus, RolloutStatus};

use super::gate::{Standing, action};
use super::make::Place;
use super::measure::read;
use crate::Kind;
use crate::capacity::Current;
use crate::draft::Draft;
use crate::steps::Walk;

impl Current<'_> {
    /// One decision about the analysis in the background; true when it decides what becomes of the step.
    pub(crate) fn background(
        self,
        status: &mut RolloutStatus,
        sub: &mut CanaryStatus,
        draft: &mut Draft,
    ) -> Option<Walk> {
        let background = self.spec.background.as_ref()?;
        let analysis = &background.analysis;
        let state = &sub.common.current_step_state.clone();
        let there = matches!(
            state,
            StepState::StepMetricsAnalysis | StepState::StepPaused | StepState::StepReady
        );
        let begun = self.index > background.starting_step || (self.index == background.starting_step && there);
        let Some(known) = self.known_background(sub).cloned() else {
            if begun {
                self.name_background(None, sub);
            }
            return None;
        };
        if known.phase.is_final() {
            // Somebody let the release go on, or asked for another try: measured anew.
            let anew = match action(analysis, &known.phase) {
                VerdictAction::Continue => false,
                VerdictAction::Pause => matches!(state, StepState::BeforeStepUpgrade | StepState::StepUpgrade),
                VerdictAction::Rollback => begun,
            };
            if anew {
                self.name_background(Some(&known.name), sub);
            }
            return None;
        }
        match self.standing(analysis, Place::Background, &known.name, sub, draft) {
            Standing::Running(phase) => {
                sub.common.background_analysis = Some(RunState { phase, ..known });
                None
            }
            Standing::Stuck(why) => {
                self.analysis_stuck(&why, status, draft);
                Some(Walk::On)
            }
            Standing::Over(phase, message) => {
                let words = self.verdict_words(&known.name, &phase, message.as_deref());
                let action = action(analysis, &phase);
                sub.common.background_analysis = Some(RunState {
                    phase,
                    message,
                    ..known
                });
                draft.rule("verdict", words.clone());
                match action {
                    VerdictAction::Continue => None,
                    // Its route is written: the step gets its grace first, and stands then.
                    VerdictAction::Pause if *state == StepState::StepTrafficRouting => {
                        self.tell_verdict(&words, status, draft);
                        None
                    }
                    VerdictAction::Pause => {
                        self.hold_for_verdict(&words, status, sub, draft);
                        Some(Walk::On)
                    }
                    VerdictAction::Rollback => {
                        super::abort::begin(self.acting, &words, self.view, status, sub, draft);
                        Some(Walk::On)
                    }
                }
            }
        }
    }

    /// Whether the new version would be promoted next although the analysis in the background has not found it good so far.
    pub(crate) fn promoted_unmeasured(self, sub: &CanaryStatus) -> bool {
        let promoted = self
            .spec
            .step(self.index + 1)
            .is_none_or(|next| matches!(next.stage, Stage::AfterPromotion { .. }));
        let Some(background) = self.spec.background.as_ref().filter(|_| promoted) else {
            return false;
        };
        let Some(known) = self.known_background(sub) else {
            return self.index >= background.starting_step;
        };
        if known.phase.is_final() {
            return false;
        }
        let run = self.view.named(Kind::AnalysisRun, &known.name);
        let found = run.and_then(|run| read(run).ok()).map(|run| {
            let status = run.status.unwrap_or_default();
            if_stopped(&run.spec, &status, self.view.now, &Conditions)
        });
        found != Some(AnalysisPhase::Successful)
    }

    /// What is said while the new version would be promoted and is not yet.
    pub(crate) fn unmeasured(self, sub: &CanaryStatus) -> String {
        let run = self.known_background(sub);
        let run = run.map(|run| run.name.as_str()).unwrap_or_default();
        self.says(&format!(
            "{} {run} has not found the new version good yet",
            Kind::AnalysisRun
        ))
    }

    /// What the status says of this release's run in the background.
    fn known_background(self, sub: &CanaryStatus) -> Option<&RunState> {
        let run = sub.common.background_analysis.as_ref()?;
        Place::Background
            .owns(&run.name, self.acting.name(), &sub.canary_revision)
            .then_some(run)
    }

    /// Why the step is held by the verdict of the analysis in the background, if it is.
    pub(crate) fn held_by_background(self, sub: &CanaryStatus) -> Option<String> {
        let analysis = &self.spec.background.as_ref()?.analysis;
        let run = self.known_background(sub)?;
        let held = run.phase.is_final()
            && run.phase != AnalysisPhase::Successful
            && action(analysis, &run.phase) == VerdictAction::Pause;
        held.then(|| self.verdict_words(&run.name, &run.phase, run.message.as_deref()))
    }

    fn name_background(self, before: Option<&str>, sub: &mut CanaryStatus) {
        sub.common.background_analysis = Some(RunState {
            name: Place::Background.after(before, self.view, self.acting.name(), &sub.canary_revision),
            phase: AnalysisPhase::Pending,
            message: None,
        });
    }
}

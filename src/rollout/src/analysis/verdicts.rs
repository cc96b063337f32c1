//! Verdicts as a person meets them: which runs judge the step that a release is in, which of them keep it there, and where another try begins.
//! Pure, from a Rollout alone; used by the command line, which shows and writes, by the same names and actions as the rules beside it.

use api::attachment::{RunState, VerdictAction};
use api::parts::{RolloutPhase, StepState};
use api::plan::Plan as Spec;
use api::v1alpha1::AnalysisPhase;
use api::v1beta1::Rollout;

use super::gate::action;
use super::make::Place;

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// The gate of this step, from 1.
    Step(i32),
    /// The release all along.
    Background,
}

/// A run that the status of a Rollout names for the step and the revision that it is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judging<'a> {
    /// What it is for.
    pub judges: Judges,
    /// How it stands.
    pub run: &'a RunState,
    /// Whether a verdict of it keeps the release from going on.
    pub objects: bool,
}

/// Where another try begins: what the sub-status is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// `currentStepState`.
    pub state: StepState,
    /// `currentStepIndex`, from 1.
    pub step: i32,
    /// `nextStepIndex`; another one than the step's own would be a jump.
    pub next_step: i32,
}

/// The runs that judge the step that a Rollout is in. None of a Rollout whose plan cannot be read.
pub fn judging(rollout: &Rollout) -> Vec<Judging<'_>> {
    let Ok(spec) = Spec::of(rollout) else {
        return Vec::new();
    };
    let found = rollout.status.as_ref().and_then(|status| {
        let common = status.common()?;
        Some((common, common.current_step_index?, status.updated_revision()?))
    });
    let Some((common, step, revision)) = found else {
        return Vec::new();
    };
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let gate = spec.step(step).and_then(|step| step.gate.as_ref());
    let background = spec.background.as_ref().map(|background| &background.analysis);
    let places = [
        (
            Place::Step(step),
            Judges::Step(step),
            &common.current_step_analysis,
            gate,
        ),
        (
            Place::Background,
            Judges::Background,
            &common.background_analysis,
            background,
        ),
    ];
    places
        .into_iter()
        .filter_map(|(place, judges, run, analysis)| {
            let run = run.as_ref().filter(|run| place.owns(&run.name, name, revision))?;
            let final_and_bad = run.phase.is_final() && run.phase != AnalysisPhase::Successful;
            let objects = final_and_bad
                && analysis.is_some_and(|analysis| action(analysis, &run.phase) != VerdictAction::Continue);
            Some(Judging { judges, run, objects })
        })
        .collect()
}

/// Where another try begins, when a verdict holds the release or took it back.
pub fn retry(rollout: &Rollout) -> Option<Retry> {
    let status = rollout.status.as_ref()?;
    let common = status.common().filter(|_| status.phase == RolloutPhase::Progressing)?;
    match common.current_step_state {
        StepState::StepAborted => {
            let spec = Spec::of(rollout).ok()?;
            Some(Retry {
                state: StepState::BeforeStepUpgrade,
                step: 1,
                next_step: spec.default_next(1),
            })
        }
        StepState::StepPaused => {
            let objecting: Vec<Judges> = judging(rollout)
                .into_iter()
                .filter(|judging| judging.objects)
                .map(|judging| judging.judges)
                .collect();
            let state = match objecting.first()? {
                Judges::Step(_) => StepState::StepMetricsAnalysis,
                // A step that begins measures in the background anew.
                Judges::Background => StepState::StepUpgrade,
            };
            Some(Retry {
                state,
                step: common.current_step_index?,
                next_step: common.next_step_index,
            })
        }
        _ => None,
    }
}

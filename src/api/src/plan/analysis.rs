//! What a release measures and what a verdict does, read without options: the block of [`crate::attachment`] at each of its places.

use super::{Pause, Route, Stage, Step};
use crate::attachment::{DEFAULT_RUN_HISTORY, RolloutAnalysis, VerdictAction};
use crate::parts::IntOrString;
use crate::quantity::Weight;
use crate::v1alpha1::{Argument, DryRun, MeasurementRetention, TemplateRef, TtlStrategy};

/// An analysis that goes on while steps are walked.
#[derive(Clone, Debug, PartialEq)]
pub struct Background {
    /// What is measured.
    pub analysis: Analysis,
    /// The step, from 1, from which on.
    pub starting_step: i32,
}

/// Templates to measure by, and what the verdict does.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The templates, in order.
    pub templates: Vec<TemplateRef>,
    /// Values for their arguments.
    pub args: Vec<Argument>,
    /// Metrics that change nothing.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of a metric a run keeps.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// When the new version is found bad.
    pub on_failure: VerdictAction,
    /// When it cannot be measured.
    pub on_error: VerdictAction,
    /// When it is found neither good nor bad.
    pub on_inconclusive: VerdictAction,
    /// How many runs that ended well are kept.
    pub successful_history: usize,
    /// How many runs that ended otherwise are kept.
    pub unsuccessful_history: usize,
    /// When runs are deleted by their age.
    pub ttl: Option<TtlStrategy>,
}

impl Analysis {
    /// Reads a block. One without templates measures nothing.
    pub fn of(block: &RolloutAnalysis) -> Option<Self> {
        let templates = block.templates.clone().filter(|templates| !templates.is_empty())?;
        let kept = |limit: Option<i32>| usize::try_from(limit.unwrap_or(DEFAULT_RUN_HISTORY)).unwrap_or(0);
        Some(Self {
            templates,
            args: block.args.clone().unwrap_or_default(),
            dry_run: block.dry_run.clone().unwrap_or_default(),
            measurement_retention: block.measurement_retention.clone().unwrap_or_default(),
            on_failure: block.on_failure.unwrap_or_default(),
            on_error: block.on_error.unwrap_or_default(),
            on_inconclusive: block.on_inconclusive.unwrap_or_default(),
            successful_history: kept(block.successful_run_history_limit),
            unsuccessful_history: kept(block.unsuccessful_run_history_limit),
            ttl: block.ttl_strategy,
        })
    }
}

impl Background {
    /// Reads the block of a strategy.
    pub(super) fn of(block: &RolloutAnalysis) -> Option<Self> {
        Some(Self {
            analysis: Analysis::of(block)?,
            starting_step: block.starting_step.unwrap_or(1).max(1),
        })
    }
}

/// Adds the steps that a promotion has: one before it, as the last that is listed, and one in which the new version serves everything while the
/// version before still runs. So they are walked, kept and taken back as any step is.
pub(super) fn promote(
    steps: &mut Vec<Step>,
    before: Option<&RolloutAnalysis>,
    after: Option<&RolloutAnalysis>,
    routed: bool,
) {
    let Some(last) = steps.last().cloned() else { return };
    if let Some(gate) = before.and_then(Analysis::of) {
        steps.push(Step {
            pause: Pause::UntilAnalysis,
            gate: Some(gate),
            stage: Stage::BeforePromotion,
            ..last
        });
    }
    let after = after.and_then(|block| Some((block.duration, Analysis::of(block)?)));
    if let Some((duration, gate)) = after {
        steps.push(Step {
            replicas: IntOrString::String("100%".to_owned()),
            route: routed.then_some(Route::Weight(Weight::ALL)),
            header_modifier: None,
            pause: Pause::UntilAnalysis,
            gate: Some(gate),
            stage: Stage::AfterPromotion {
                bake: duration.map(|seconds| seconds.max(0).unsigned_abs()),
            },
        });
    }
}

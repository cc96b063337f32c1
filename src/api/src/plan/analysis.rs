//! What a release measures and what a verdict does, read without options: the block of [`crate::attachment`] at each of its places.

use std::time::Duration;

use crate::attachment::{DEFAULT_RUN_HISTORY, RolloutAnalysis, VerdictAction};
use crate::v1alpha1::{Argument, DryRun, MeasurementRetention, TemplateRef, TtlStrategy};

/// What is measured apart from the steps' own gates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analyses {
    /// All along.
    pub background: Option<Background>,
    /// After the last step, before the new version takes everything.
    pub pre_promotion: Option<Analysis>,
    /// Once the new version serves everything.
    pub post_promotion: Option<PostPromotion>,
}

/// An analysis that goes on while steps are walked.
#[derive(Clone, Debug, PartialEq)]
pub struct Background {
    /// What is measured.
    pub analysis: Analysis,
    /// The step, from 1, from which on.
    pub starting_step: i32,
}

/// An analysis while the version before stands by.
#[derive(Clone, Debug, PartialEq)]
pub struct PostPromotion {
    /// What is measured.
    pub analysis: Analysis,
    /// How long the version before stands by; nothing is until the run ends.
    pub duration: Option<Duration>,
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

impl Analyses {
    /// Reads the three blocks of a strategy: all along, before promotion, after it.
    pub(super) fn of(
        background: Option<&RolloutAnalysis>,
        pre_promotion: Option<&RolloutAnalysis>,
        post_promotion: Option<&RolloutAnalysis>,
    ) -> Self {
        let read = |block: &RolloutAnalysis| Analysis::of(block);
        Self {
            background: background.and_then(|block| {
                Some(Background {
                    analysis: read(block)?,
                    starting_step: block.starting_step.unwrap_or(1).max(1),
                })
            }),
            pre_promotion: pre_promotion.and_then(read),
            post_promotion: post_promotion.and_then(|block| {
                let seconds = block.duration.map(|seconds| u64::from(seconds.max(0).unsigned_abs()));
                Some(PostPromotion {
                    analysis: read(block)?,
                    duration: seconds.map(Duration::from_secs),
                })
            }),
        }
    }
}

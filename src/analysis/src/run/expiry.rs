//! When a run that is over is deleted: by its own time to live, and by how many runs a Rollout keeps.

use std::time::Duration;

use api::v1alpha1::{AnalysisPhase, AnalysisRunStatus, TtlStrategy};
use jiff::Timestamp;

use super::schedule::after;

/// From which moment on a run has outlived its time: a second after it is over, since Argo Rollouts asks for more than the time, in whole seconds.
pub(super) fn expires(ttl: Option<&TtlStrategy>, status: &AnalysisRunStatus) -> Option<Timestamp> {
    let ttl = ttl?;
    let own = match status.phase {
        AnalysisPhase::Successful => ttl.seconds_after_success,
        AnalysisPhase::Failed => ttl.seconds_after_failure,
        _ => None,
    };
    let seconds = u64::try_from(own.or(ttl.seconds_after_completion)?).unwrap_or(0);
    let ended = status.completed_at.as_ref()?.0;
    Some(after(ended, Duration::from_secs(seconds.saturating_add(1))))
}

/// A run that is over, as its Rollout's history sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub phase: AnalysisPhase,
    /// When it was made.
    pub made: Timestamp,
}

/// The runs beyond what a Rollout keeps, the oldest first: so many that ended well, so many that ended otherwise. Runs that are not over are kept.
pub fn surplus(runs: &[Kept], successful: usize, unsuccessful: usize) -> Vec<String> {
    let mut surplus: Vec<&Kept> = Vec::new();
    for (well, limit) in [(true, successful), (false, unsuccessful)] {
        let over = runs.iter().filter(|run| run.phase.is_final());
        let mut of_sort: Vec<&Kept> = over
            .filter(|run| (run.phase == AnalysisPhase::Successful) == well)
            .collect();
        of_sort.sort_by(|left, right| (right.made, &right.name).cmp(&(left.made, &left.name)));
        surplus.extend(of_sort.into_iter().skip(limit));
    }
    surplus.sort_by(|left, right| (left.made, &left.name).cmp(&(right.made, &right.name)));
    surplus.into_iter().map(|run| run.name.clone()).collect()
}

//! A look at the counters of a comparison: the sequential test of [`crate::sequential`], whose state goes from look to look in the metric's result. A
//! reading that cannot be used leaves the state as it was, so that the next slice is the wider and nothing is counted twice.

use std::num::NonZeroU32;

use api::v1alpha1::{AnalysisPhase, Comparison, ComparisonMode, ComparisonResult};
use serde::{Deserialize, Serialize};

use super::{Fault, Judgement};
use crate::sequential::counters::{Baseline, Counted, Reading, count};
use crate::sequential::design::{BadDesign, Design, Mode, Settings};
use crate::sequential::dispersion::Dispersion;
use crate::sequential::evidence::{Evidence, Verdict};

/// What the test goes on from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    baseline: Baseline,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    #[serde(default)]
    dispersion: Dispersion,
}

/// The design that a template's block asks for.
///
/// # Errors
/// A number that makes no sense.
pub(super) fn design(comparison: &Comparison, among: NonZeroU32) -> Result<Design, BadDesign> {
    let usual = Settings::default();
    let samples = |given: Option<i64>| given.map(|given| u64::try_from(given).unwrap_or(0));
    let settings = Settings {
        alpha: comparison.alpha.unwrap_or(usual.alpha),
        beta: comparison.beta.unwrap_or(usual.beta),
        null_ratio: comparison.null_ratio.unwrap_or(usual.null_ratio),
        harm_ratio: comparison.harm_ratio.unwrap_or(usual.harm_ratio),
        absolute_bound: comparison.absolute_bound,
        min_samples: samples(comparison.min_samples).unwrap_or(usual.min_samples),
        max_samples: samples(comparison.max_samples),
        mode: match comparison.mode.unwrap_or_default() {
            ComparisonMode::Exact => Mode::Exact,
            ComparisonMode::Robust => Mode::Robust,
        },
    };
    Ok(Design::new(settings)?.one_of(among))
}

/// One more look.
pub(super) fn look(
    comparison: &Comparison,
    among: NonZeroU32,
    before: Option<&ComparisonResult>,
    reading: &Reading,
) -> (Judgement, ComparisonResult) {
    let standing = before.cloned().unwrap_or_default();
    match take_in(comparison, among, &standing, reading) {
        Ok(looked) => looked,
        Err((fault, message)) => {
            let judgement = Judgement {
                phase: AnalysisPhase::Error,
                reason: Some(fault.as_str()),
                message: Some(message),
            };
            (judgement, standing)
        }
    }
}

type Trouble = (Fault, String);

fn take_in(
    comparison: &Comparison,
    among: NonZeroU32,
    standing: &ComparisonResult,
    reading: &Reading,
) -> Result<(Judgement, ComparisonResult), Trouble> {
    let design = design(comparison, among).map_err(|error| (Fault::Template, format!("comparison: {error}")))?;
    let state: Option<State> = match &standing.state {
        None => None,
        Some(state) => Some(State::deserialize(state).map_err(|error| {
            let message = format!("comparison.state in the status cannot be read: {error}; make a new run");
            (Fault::Template, message)
        })?),
    };
    let baseline = state.as_ref().map(|state| &state.baseline);
    let counted = count(baseline, reading).map_err(|error| (Fault::Unreadable, error.to_string()))?;
    let doubt = |reason, message: &str| Judgement {
        phase: AnalysisPhase::Inconclusive,
        reason: Some(reason),
        message: Some(message.to_owned()),
    };
    let (baseline, slice, pods) = match counted {
        Counted::NoData => {
            let said = "no requests are counted on one of the versions; look at the queries of comparison";
            return Ok((doubt("NoData", said), standing.clone()));
        }
        Counted::Begun(baseline) => {
            let state = State {
                baseline,
                evidence: None,
                dispersion: Dispersion::default(),
            };
            let begun = ComparisonResult {
                verdict: AnalysisPhase::Running,
                state: stored(&state),
                ..ComparisonResult::default()
            };
            return Ok((doubt("Begun", "the counters are read for the first time"), begun));
        }
        Counted::Slice { baseline, slice, pods } => (baseline, slice, pods),
    };
    let (evidence, dispersion) = state.map_or((None, Dispersion::default()), |state| {
        (state.evidence, state.dispersion)
    });
    let evidence = evidence.unwrap_or_else(|| Evidence::begin(&design));
    let evidence = evidence
        .update(&design, &slice)
        .map_err(|error| (Fault::Template, format!("comparison: {error}")))?;
    let state = State {
        baseline,
        dispersion: dispersion.and(&pods),
        evidence: Some(evidence.clone()),
    };
    Ok((
        judgement(&evidence, &design, &state.dispersion),
        result(&evidence, &design, &state),
    ))
}

fn judgement(evidence: &Evidence, design: &Design, dispersion: &Dispersion) -> Judgement {
    let (phase, reason) = match evidence.verdict(design) {
        Verdict::Fail => (AnalysisPhase::Failed, None),
        Verdict::Pass => (AnalysisPhase::Successful, None),
        Verdict::Undecided => (AnalysisPhase::Inconclusive, Some("Undecided")),
        Verdict::Inconclusive => (AnalysisPhase::Inconclusive, Some("MaxSamples")),
    };
    let (canary, stable) = (evidence.canary(), evidence.stable());
    let bursts = if dispersion.is_bursty() && design.settings().mode == Mode::Exact {
        "; errors come in bursts, which the exact mode takes for evidence: consider mode: Robust"
    } else {
        ""
    };
    let message = format!(
        "{} of {} requests of the new version went wrong, {} of {} of the stable one; p {:.3}, {:.0} % of the way to fail, {:.0} % to pass{bursts}",
        canary.errors(),
        canary.total(),
        stable.errors(),
        stable.total(),
        evidence.p_fail(),
        evidence.nearness_to_fail(design) * 100.0,
        evidence.nearness_to_pass(design) * 100.0,
    );
    Judgement {
        phase,
        reason,
        message: Some(message),
    }
}

fn result(evidence: &Evidence, design: &Design, state: &State) -> ComparisonResult {
    let finite = |value: f64| value.is_finite().then_some(value);
    ComparisonResult {
        verdict: match evidence.verdict(design) {
            Verdict::Fail => AnalysisPhase::Failed,
            Verdict::Pass => AnalysisPhase::Successful,
            Verdict::Inconclusive => AnalysisPhase::Inconclusive,
            Verdict::Undecided => AnalysisPhase::Running,
        },
        log_evidence: finite(evidence.ln_fail()),
        p_value: finite(evidence.p_fail()),
        near_fail: finite(evidence.nearness_to_fail(design)),
        near_pass: finite(evidence.nearness_to_pass(design)),
        state: stored(state),
    }
}

/// As a status holds it. A state is numbers and texts, which always have a JSON.
fn stored(state: &State) -> Option<serde_json::Value> {
    serde_json::to_value(state).ok()
}

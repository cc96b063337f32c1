//! The sequential test of one metric: evidence that grows slice by slice, and what it says. A small value that is kept in a status and goes on after a
//! restart. Pure; the run engine holds one for each metric that is judged against stable.

use serde::{Deserialize, Serialize};

use super::absolute::{both_bad, either_good, ln_beyond, ln_within};
use super::decimal;
use super::design::{Design, Mode};
use super::hypergeometric::Table;
use super::mixture::Mixture;
use super::signs::{Signs, UnequalArms};
use super::slice::{Arm, Slice};

/// What the evidence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The canary is worse. Said of one that is not with probability α at most, over all looks together.
    Fail,
    /// The canary is not worse by the harm ratio. Said of one that is with probability β at most, over all looks together.
    Pass,
    /// Neither yet.
    Undecided,
    /// Neither within the requests that the design allows. A reason to ask a person, never to promote.
    Inconclusive,
}

/// Why a slice was not taken in. The evidence before it still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUpdate {
    /// The hypotheses are others than those that the evidence was collected for.
    #[error(
        "the evidence was collected for other ratios, another bound or another mode; begin anew with the design as it is now"
    )]
    OtherDesign,
    /// The robust mode compares like with like.
    #[error(transparent)]
    UnequalArms(#[from] UnequalArms),
}

/// Everything that must be known to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    hypotheses: Hypotheses,
    slices: u64,
    canary: Arm,
    stable: Arm,
    collected: Collected,
    /// The largest ln M for FAIL so far, at least 0.
    #[serde(with = "decimal")]
    fail_peak: f64,
    /// The largest ln M for PASS so far, at least 0.
    #[serde(with = "decimal")]
    pass_peak: f64,
}

/// What M is a likelihood ratio of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hypotheses {
    #[serde(with = "decimal")]
    null_ratio: f64,
    #[serde(with = "decimal")]
    harm_ratio: f64,
    /// Zero without a bound.
    #[serde(with = "decimal")]
    absolute_bound: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Collected {
    Exact { fail: Mixture, pass: Mixture },
    Robust(Signs),
}

impl Hypotheses {
    fn of(design: &Design) -> Self {
        let settings = design.settings();
        Self {
            null_ratio: settings.null_ratio,
            harm_ratio: settings.harm_ratio,
            absolute_bound: settings.absolute_bound.unwrap_or(0.0),
        }
    }

    fn bound(self) -> Option<f64> {
        (self.absolute_bound > 0.0).then_some(self.absolute_bound)
    }
}

impl Evidence {
    /// Before the first slice.
    pub fn begin(design: &Design) -> Self {
        let collected = match design.settings().mode {
            Mode::Exact => Collected::Exact {
                fail: Mixture::of(design.worse().len()),
                pass: Mixture::of(design.better().len()),
            },
            Mode::Robust => Collected::Robust(Signs::default()),
        };
        Self {
            hypotheses: Hypotheses::of(design),
            slices: 0,
            canary: Arm::default(),
            stable: Arm::default(),
            collected,
            fail_peak: 0.0,
            pass_peak: 0.0,
        }
    }

    /// After one more slice. A slice without requests changes nothing but the count of slices.
    ///
    /// # Errors
    /// The design asks for something else than it did at the beginning, or its mode cannot take this slice.
    pub fn update(&self, design: &Design, slice: &Slice) -> Result<Self, BadUpdate> {
        let settings = design.settings();
        if self.hypotheses != Hypotheses::of(design) {
            return Err(BadUpdate::OtherDesign);
        }
        let collected = match (&self.collected, settings.mode) {
            (Collected::Exact { fail, pass }, Mode::Exact) => {
                let (worse, better) = (design.worse(), design.better());
                if !fail.is_of(worse.len()) || !pass.is_of(better.len()) {
                    return Err(BadUpdate::OtherDesign);
                }
                let (table, errors) = (Table::of(slice), slice.canary.errors());
                Collected::Exact {
                    fail: fail.and(&table, errors, settings.null_ratio, &worse),
                    pass: pass.and(&table, errors, settings.harm_ratio, &better),
                }
            }
            (Collected::Robust(signs), Mode::Robust) => Collected::Robust(signs.and(slice)?),
            (Collected::Exact { .. }, Mode::Robust) | (Collected::Robust(_), Mode::Exact) => {
                return Err(BadUpdate::OtherDesign);
            }
        };
        let mut next = Self {
            hypotheses: self.hypotheses,
            slices: self.slices.saturating_add(1),
            canary: self.canary.and(slice.canary),
            stable: self.stable.and(slice.stable),
            collected,
            fail_peak: self.fail_peak,
            pass_peak: self.pass_peak,
        };
        next.fail_peak = next.fail_peak.max(next.ln_fail());
        next.pass_peak = next.pass_peak.max(next.ln_pass());
        Ok(next)
    }

    /// What the evidence says by this design's α, β and numbers of requests. Fail stands above Pass, and what was once reached stays reached.
    pub fn verdict(&self, design: &Design) -> Verdict {
        let settings = design.settings();
        let served = self.canary.total();
        if self.fail_peak >= design.ln_fail_at() {
            Verdict::Fail
        } else if self.pass_peak >= design.ln_pass_at() && served >= settings.min_samples {
            Verdict::Pass
        } else if settings.max_samples.is_some_and(|most| served >= most) {
            Verdict::Inconclusive
        } else {
            Verdict::Undecided
        }
    }

    /// ln M of "the canary is worse", now.
    pub fn ln_fail(&self) -> f64 {
        let ratio = match &self.collected {
            Collected::Exact { fail, .. } => fail.ln(),
            Collected::Robust(signs) => signs.ln(),
        };
        match self.hypotheses.bound() {
            Some(bound) => both_bad(ratio, ln_beyond(self.canary, bound)),
            None => ratio,
        }
    }

    /// ln M of "the canary is not worse by the harm ratio", now; minus infinity in the robust mode, which cannot know.
    pub fn ln_pass(&self) -> f64 {
        let Collected::Exact { pass, .. } = &self.collected else {
            return f64::NEG_INFINITY;
        };
        match self.hypotheses.bound() {
            Some(bound) => either_good(pass.ln(), ln_within(self.canary, bound)),
            None => pass.ln(),
        }
    }

    /// The always-valid p-value of "the canary is no worse": the smallest 1/M so far.
    pub fn p_fail(&self) -> f64 {
        (-self.fail_peak).exp()
    }

    /// The always-valid p-value of "the canary is worse by the harm ratio".
    pub fn p_pass(&self) -> f64 {
        (-self.pass_peak).exp()
    }

    /// How near FAIL is, from 0 to 1: ln M as a part of ln 1/α.
    pub fn nearness_to_fail(&self, design: &Design) -> f64 {
        nearness(self.ln_fail(), self.fail_peak, design.ln_fail_at())
    }

    /// How near PASS is, from 0 to 1: ln M as a part of ln 1/β, or the part of the least requests that were served, if that is less.
    pub fn nearness_to_pass(&self, design: &Design) -> f64 {
        let least = design.settings().min_samples.max(1) as f64;
        let served = (self.canary.total() as f64 / least).min(1.0);
        nearness(self.ln_pass(), self.pass_peak, design.ln_pass_at()).min(served)
    }

    /// Slices taken in.
    pub fn slices(&self) -> u64 {
        self.slices
    }

    /// Everything counted on the canary.
    pub fn canary(&self) -> Arm {
        self.canary
    }

    /// Everything counted on stable.
    pub fn stable(&self) -> Arm {
        self.stable
    }
}

fn nearness(now: f64, peak: f64, threshold: f64) -> f64 {
    if peak >= threshold {
        1.0
    } else {
        (now / threshold).clamp(0.0, 1.0)
    }
}

//! The rate of the canary's errors against a fixed bound p₀, with the same guarantee over all looks. Pure; [`super::evidence`] combines it with the ratio.
//!
//! After n requests with e errors, over a prior π on one side of the bound,
//! `M = ∫ (θ/p₀)^e ((1−θ)/(1−p₀))^(n−e) π(θ) dθ`.
//! With π on θ > p₀ it is a supermartingale for every rate up to p₀, also one that changes from request to request; with π on θ < p₀ for every rate from p₀
//! on. Only the totals matter, so nothing else is kept. π is the part of Beta(1, 1/p₀) on that side: its scale is the bound itself, so that evidence
//! against twice the bound costs no more for a small bound than for a large one.
//!
//! Bad means a bad ratio and a rate beyond the bound. A canary that is not bad is so in one of the two respects, and the smaller of two e-processes is at
//! most the one that is valid there: FAIL takes the minimum. One that is bad is so in both, where both are valid, and so is their mean: PASS takes that.

use super::beta::{ln_beta_above, ln_beta_below};
use super::mixture::ln_mean_exp;
use super::slice::Arm;

/// ln M against "the rate is at most `bound`": grows when it is not.
pub fn ln_beyond(arm: Arm, bound: f64) -> f64 {
    ln_mixture(arm, bound, ln_beta_above)
}

/// ln M against "the rate is at least `bound`": grows when it is not.
pub fn ln_within(arm: Arm, bound: f64) -> f64 {
    ln_mixture(arm, bound, ln_beta_below)
}

fn ln_mixture(arm: Arm, bound: f64, ln_part: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let errors = arm.errors() as f64;
    let good = arm.total() as f64 - errors;
    let (a, b) = (1.0, 1.0 / bound);
    ln_part(bound, a + errors, b + good) - ln_part(bound, a, b) - errors * bound.ln() - good * (-bound).ln_1p()
}

/// Evidence that the canary is bad, from that of the ratio and that of the rate.
pub(crate) fn both_bad(ln_ratio: f64, ln_rate: f64) -> f64 {
    ln_ratio.min(ln_rate)
}

/// Evidence that the canary is not bad, from that of the ratio and that of the rate.
pub(crate) fn either_good(ln_ratio: f64, ln_rate: f64) -> f64 {
    ln_mean_exp(&[ln_ratio, ln_rate])
}

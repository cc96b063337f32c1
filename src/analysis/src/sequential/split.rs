//! Does the canary really get the share of requests that the route gives it? A sequential test of the split itself. Pure; a canary that gets no traffic looks
//! healthy, and this is what tells.
//!
//! With shares θ₀ and counts S of n requests, the Bayes factor of a Dirichlet prior α against θ₀ is
//! `O = B(α + S) / B(α) / Π θ₀ᵢ^Sᵢ`, a martingale when requests go by θ₀ independently; it reaches 1/u at any time with probability u at most
//! (Lindon and Malek 2022, arXiv 2011.03567). α = κθ₀ puts the prior's mean on θ₀, with the weight of κ requests. A gateway that deals requests out in turn
//! keeps closer to θ₀ than chance, which makes O smaller and the test only milder. One test is for one weight: a step with another begins anew.

use serde::{Deserialize, Serialize};

use super::beta::ln_beta;
use super::decimal;

/// κ: the requests that the prior is worth.
const PRIOR: f64 = 100.0;

/// A share that can be tested: between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a share of {share} cannot be tested; it must be more than 0 and less than 1")]
pub struct BadShare {
    /// The share.
    pub share: f64,
}

/// Requests counted against the share that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    #[serde(with = "decimal")]
    share: f64,
    canary: u64,
    stable: u64,
    /// The largest ln O so far.
    #[serde(with = "decimal")]
    ln_peak: f64,
}

impl Split {
    /// Nothing counted yet; `share` is the canary's part of all requests.
    ///
    /// # Errors
    /// A share that is not between 0 and 1.
    pub fn of(share: f64) -> Result<Self, BadShare> {
        if !(share > 0.0 && share < 1.0) {
            return Err(BadShare { share });
        }
        Ok(Self {
            share,
            canary: 0,
            stable: 0,
            ln_peak: 0.0,
        })
    }

    /// After so many more requests of each arm.
    #[must_use]
    pub fn and(&self, canary: u64, stable: u64) -> Self {
        let mut next = Self {
            canary: self.canary.saturating_add(canary),
            stable: self.stable.saturating_add(stable),
            ..*self
        };
        next.ln_peak = next.ln_peak.max(next.ln());
        next
    }

    /// ln O of all requests so far.
    pub fn ln(&self) -> f64 {
        let (canary, stable) = (self.canary as f64, self.stable as f64);
        let (a, b) = (PRIOR * self.share, PRIOR * (1.0 - self.share));
        ln_beta(a + canary, b + stable) - ln_beta(a, b) - canary * self.share.ln() - stable * (-self.share).ln_1p()
    }

    /// The always-valid p-value: at most `u` at any time with probability `u`, when the split is what it should be.
    pub fn p_value(&self) -> f64 {
        (-self.ln_peak).exp()
    }

    /// The canary's part of the requests so far; none without requests.
    pub fn observed(&self) -> Option<f64> {
        let total = self.canary as f64 + self.stable as f64;
        (total > 0.0).then(|| self.canary as f64 / total)
    }
}

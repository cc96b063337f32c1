//! Do errors hang together within an arm? Pearson's χ² over stable's pods, against what independent errors would give. Pure; its answer is a warning to the
//! person who chose the exact mode, never a verdict.
//!
//! In one slice, pod i with n_i requests and e_i errors, and p = Σe/Σn: `χ² = Σ (e_i − n_i p)² / (n_i p (1 − p))` with one degree of freedom less than
//! there are pods. Independent errors make its expectation `df · N/(N − 1)`, N = Σn, however few they are; bursts of correlation ρ multiply it by
//! about 1 + (n_i − 1)ρ. (McCullagh and Nelder 1989, §4.5.)

use serde::{Deserialize, Serialize};

use super::decimal;
use super::slice::Arm;

/// χ² per degree of freedom beyond which errors are not independent enough for the exact mode.
pub const WARN_BEYOND: f64 = 1.5;
/// Degrees of freedom before which nothing is said: the standard deviation of χ²/df is then a third of a third.
const ENOUGH: f64 = 30.0;

/// χ² and degrees of freedom over all slices so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    #[serde(with = "decimal")]
    chi_square: f64,
    #[serde(with = "decimal")]
    degrees: f64,
}

impl Dispersion {
    /// After one more slice, with what it counted on each pod of stable. Pods without requests, and slices in which nothing or everything is an error,
    /// say nothing.
    #[must_use]
    pub fn and(&self, pods: &[Arm]) -> Self {
        let all = pods.iter().fold(Arm::default(), |sum, pod| sum.and(*pod));
        let serving = pods.iter().filter(|pod| pod.total() > 0);
        let rate = all.errors() as f64 / all.total() as f64;
        if all.total() < 2 || all.errors() == 0 || all.errors() == all.total() {
            return *self;
        }
        let (mut chi_square, mut pods) = (0.0, 0.0);
        for pod in serving {
            let expected = pod.total() as f64 * rate;
            chi_square += (pod.errors() as f64 - expected).powi(2) / (expected * (1.0 - rate));
            pods += 1.0;
        }
        Self {
            chi_square: self.chi_square + chi_square,
            degrees: self.degrees + (pods - 1.0),
        }
    }

    /// χ² per degree of freedom; about 1 when errors are independent. None before there is anything to divide by.
    pub fn per_degree(&self) -> Option<f64> {
        (self.degrees > 0.0).then(|| self.chi_square / self.degrees)
    }

    /// Errors come in bursts: the exact mode may fail a good canary more often than it says.
    pub fn is_bursty(&self) -> bool {
        self.degrees >= ENOUGH && self.per_degree().is_some_and(|ratio| ratio > WARN_BEYOND)
    }
}

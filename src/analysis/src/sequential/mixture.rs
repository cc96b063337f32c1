//! The e-process of an odds ratio: likelihood ratios of several alternatives against one null, mixed beforehand. Pure; [`super::evidence`] runs two of
//! them, one that can fail a canary and one that can pass it.
//!
//! Over disjoint slices t and for alternatives ψ_k
//! `S_k = Σ_t [ x_t (ln ψ_k − ln ψ₀) − (ln Z_t(ψ_k) − ln Z_t(ψ₀)) ]` and `M = Σ_k exp(S_k) / K`.
//! Under ψ = ψ₀ each exp S_k is a martingale, and so is M. The conditional distribution has a monotone likelihood ratio, therefore M is a
//! supermartingale for every ψ ≤ ψ₀ when all ψ_k > ψ₀, and for every ψ ≥ ψ₀ when all ψ_k < ψ₀. By Ville's inequality M reaches 1/α at any time with
//! probability α at most: one may look as often as one likes, and the always-valid p-value is the smallest 1/M so far.
//! (Robbins 1970; Johari et al. 2022 on always-valid p-values; Lindon, Sanden and Shirikian 2022, arXiv 2205.14762, on releases.)

use serde::{Deserialize, Serialize};

use super::decimal;
use super::hypergeometric::Table;

/// The logarithms S_k, in the order of the alternatives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Mixture {
    #[serde(with = "decimal::list")]
    sums: Vec<f64>,
}

impl Mixture {
    /// No slice yet: M = 1.
    pub(crate) fn of(alternatives: usize) -> Self {
        Self {
            sums: vec![0.0; alternatives],
        }
    }

    /// It has a sum for each of so many alternatives.
    pub(crate) fn is_of(&self, alternatives: usize) -> bool {
        self.sums.len() == alternatives
    }

    /// After one more slice, in which the canary had `x` of the table's errors.
    pub(crate) fn and(&self, table: &Table, x: u64, null: f64, alternatives: &[f64]) -> Self {
        if table.is_silent() {
            return self.clone();
        }
        let under_null = table.ln_likelihood(x, null);
        let sums = self.sums.iter().zip(alternatives);
        Self {
            sums: sums
                .map(|(sum, psi)| sum + (table.ln_likelihood(x, *psi) - under_null))
                .collect(),
        }
    }

    /// ln M.
    pub(crate) fn ln(&self) -> f64 {
        ln_mean_exp(&self.sums)
    }
}

/// `ln (Σ exp v / K)` of K values without overflow; minus infinity of none.
pub(crate) fn ln_mean_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    let sum: f64 = values.iter().map(|value| (value - largest).exp()).sum();
    largest + (sum / values.len() as f64).ln()
}

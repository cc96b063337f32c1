//! How many of a slice's errors fall to the canary, given how many there are: Fisher's noncentral hypergeometric distribution, in logarithms. Pure;
//! used by [`super::mixture`] for the test and by [`super::signs`] for arms that are nearly of one size.
//!
//! With `n_c` and `n_s` requests and `E` errors in both arms together, the canary's errors `x` have the weights
//! `w(x) ψˣ`, `w(x) = C(n_c, x) C(n_s, E − x)`, for `max(0, E − n_s) ≤ x ≤ min(n_c, E)`,
//! where ψ is the odds ratio of an error, canary to stable; `Z(ψ)` is their sum. The rate of errors that both arms share has dropped out: outages,
//! day and night, and changes of the weight from slice to slice do not matter. (Fisher 1935; conditional e-variables: Hao et al. 2024,
//! arXiv 2303.00471.)
//!
//! `Z` is summed outwards from the largest weight by the quotient of neighbours,
//! `w(x+1)ψ / w(x) = ψ (n_c − x)(E − x) / ((x + 1)(n_s − E + x + 1))`.
//! The quotients fall with x, so what is left out beyond a term t with quotient q is at most `t q / (1 − q)`; the sum stops when that is below 2⁻⁵⁴ of it.
//! That takes about nine standard deviations on each side: at most some 5,000 terms for a million errors.

use super::gamma::ln_gamma_quotient;
use super::slice::Slice;

/// What may be left out of a sum on each side, as a part of it.
const NEGLIGIBLE: f64 = 1.0 / (1_u64 << 54) as f64;

/// The margins of a slice's two-by-two table, and the count at which weights are measured against 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Requests of the canary.
    canary: f64,
    /// Requests of stable, less all errors; negative when there are more errors than that.
    spare: f64,
    /// Errors of both arms.
    errors: f64,
    /// The smallest number of errors that the canary can have.
    low: f64,
    /// The largest one.
    high: f64,
    /// The likeliest one at ψ = 1.
    origin: f64,
}

impl Table {
    /// The margins of a slice.
    pub(crate) fn of(slice: &Slice) -> Self {
        let errors = slice.canary.errors() + slice.stable.errors();
        Self::new(slice.canary.total(), slice.stable.total(), errors)
    }

    /// `errors` among `canary + stable` requests; the caller sees to it that there are so many.
    pub(crate) fn new(canary: u64, stable: u64, errors: u64) -> Self {
        let mut table = Self {
            canary: canary as f64,
            spare: stable as f64 - errors as f64,
            errors: errors as f64,
            low: errors.saturating_sub(stable) as f64,
            high: canary.min(errors) as f64,
            origin: 0.0,
        };
        table.origin = table.likeliest(1.0);
        table
    }

    /// ln P(x) under `psi`, up to what does not depend on ψ: `(x − origin) ln ψ − ln Z̃(ψ)`, with Z̃ in units of the origin's weight. The difference for two
    /// ψ is the logarithm of their likelihood ratio. Absolute error: below 10⁻¹² for some hundred errors, 10⁻⁸ for a million.
    pub(crate) fn ln_likelihood(&self, x: u64, psi: f64) -> f64 {
        (x as f64 - self.origin) * psi.ln() - self.ln_normaliser(psi)
    }

    /// Only one outcome is possible: the table says nothing.
    pub(crate) fn is_silent(&self) -> bool {
        self.low >= self.high
    }

    /// P(X > x) − P(X < x) at ψ = 1, from −1 to 1.
    pub(crate) fn lean(&self, x: u64) -> f64 {
        let at = x as f64;
        let (mut above, mut below, mut all) = (0.0, 0.0, 0.0);
        self.visit(1.0, |here, weight| {
            all += weight;
            if here > at {
                above += weight;
            } else if here < at {
                below += weight;
            }
        });
        (above - below) / all
    }

    /// `ln Σ w(x)/w(origin) ψ^(x − origin)`.
    fn ln_normaliser(&self, psi: f64) -> f64 {
        let mut sum = 0.0;
        let peak = self.visit(psi, |_, weight| sum += weight);
        self.ln_weight(peak) + (peak - self.origin) * psi.ln() + f64::ln(sum)
    }

    /// Goes through all outcomes that are not negligible, the likeliest one first with weight 1, and returns that one.
    fn visit(&self, psi: f64, mut outcome: impl FnMut(f64, f64)) -> f64 {
        let peak = self.likeliest(psi);
        outcome(peak, 1.0);
        let (mut x, mut term, mut sum) = (peak, 1.0, 1.0);
        while x < self.high {
            let quotient = psi * self.quotient(x);
            x += 1.0;
            term *= quotient;
            sum += term;
            outcome(x, term);
            if term * quotient <= NEGLIGIBLE * sum * (1.0 - quotient) {
                break;
            }
        }
        (x, term) = (peak, 1.0);
        while x > self.low {
            x -= 1.0;
            let quotient = 1.0 / (psi * self.quotient(x));
            term *= quotient;
            sum += term;
            outcome(x, term);
            if term * quotient <= NEGLIGIBLE * sum * (1.0 - quotient) {
                break;
            }
        }
        peak
    }

    /// `w(x + 1) / w(x)`; falls with x.
    fn quotient(&self, x: f64) -> f64 {
        ((self.canary - x) / (x + 1.0)) * ((self.errors - x) / (self.spare + x + 1.0))
    }

    /// The first x from which on the weights do not grow.
    fn likeliest(&self, psi: f64) -> f64 {
        let (mut low, mut high) = (self.low, self.high);
        while low < high {
            let middle = ((low + high) / 2.0).floor();
            if psi * self.quotient(middle) > 1.0 {
                low = middle + 1.0;
            } else {
                high = middle;
            }
        }
        low
    }

    /// `ln w(x)/w(origin)`.
    fn ln_weight(&self, x: f64) -> f64 {
        let factorials = |at: f64| [at, self.canary - at, self.errors - at, self.spare + at];
        factorials(self.origin)
            .into_iter()
            .zip(factorials(x))
            .map(|(from, to)| ln_gamma_quotient(from + 1.0, to + 1.0))
            .sum()
    }
}

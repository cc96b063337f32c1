//! Logarithms of the beta function and of its two parts. Pure; used by [`super::absolute`] and [`super::split`].
//!
//! The incomplete integral is the continued fraction of NIST DLMF 8.17.22, taken on the side of the mean where it converges quickly (8.17.4 leads from
//! one side to the other), by Lentz's method as Thompson and Barnett modified it. It takes about √(a + b) terms at worst.

use super::gamma::{ln_gamma, ln_gamma_quotient};

/// Terms after which the fraction counts as converged: enough for a + b = 10⁹.
const MOST_TERMS: u32 = 200_000;

/// `ln B(a, b)` for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    ln_gamma(small) - ln_gamma_quotient(large + small, large)
}

/// `ln ∫₀ˣ t^(a−1) (1−t)^(b−1) dt` for 0 < x < 1.
pub(crate) fn ln_beta_below(x: f64, a: f64, b: f64) -> f64 {
    ln_part((x, x.ln()), (1.0 - x, (-x).ln_1p()), a, b)
}

/// `ln ∫ₓ¹ t^(a−1) (1−t)^(b−1) dt` for 0 < x < 1.
pub(crate) fn ln_beta_above(x: f64, a: f64, b: f64) -> f64 {
    ln_part((1.0 - x, (-x).ln_1p()), (x, x.ln()), b, a)
}

/// The lower part, from x and 1 − x, each with its logarithm: of a tiny x the difference 1 − (1 − x) would lose the digits.
fn ln_part((x, ln_x): (f64, f64), (rest, ln_rest): (f64, f64), a: f64, b: f64) -> f64 {
    let edge = a * ln_x + b * ln_rest;
    if x * (a + b + 2.0) < a + 1.0 {
        edge - a.ln() + fraction(x, a, b).ln()
    } else {
        let whole = ln_beta(a, b);
        let upper = edge - b.ln() + fraction(rest, b, a).ln();
        whole + (-(upper - whole).exp()).ln_1p()
    }
}

/// The continued fraction, for x below the mean.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut numerator = 1.0;
    let mut denominator = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = denominator;
    for term in 1..MOST_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for coefficient in [even, odd] {
            denominator = 1.0 / away_from_zero(1.0 + coefficient * denominator);
            numerator = away_from_zero(1.0 + coefficient / numerator);
            step = denominator * numerator;
            value *= step;
        }
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

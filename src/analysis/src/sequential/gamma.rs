//! Logarithms of the gamma function and of its quotients, as exact for counts in the millions as for three. Used by the sums of
//! [`super::hypergeometric`] and [`super::beta`]; the standard library has none that is stable.
//!
//! Stirling's series (NIST DLMF 5.11.1): `ln Γ(x) = (x − ½) ln x − x + ½ ln 2π + s(x)` with
//! `s(x) = 1/12x − 1/360x³ + 1/1260x⁵ − 1/1680x⁷ + 1/1188x⁹ − …`. Cut there, the error for x ≥ 16 is below `691/360360x¹¹`, which is 2·10⁻¹⁶. A smaller
//! argument is first led up by `Γ(x + 1) = x Γ(x)`.

/// From here on Stirling's series is exact to the last digit.
const LARGE: f64 = 16.0;
/// Half of ln 2π.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// `s(x)` for x ≥ [`LARGE`].
fn series(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let terms = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    inverse * terms.iter().rev().fold(0.0, |sum, term| sum * square + term)
}

/// `ln Γ(x)` for x > 0. Error: a few units in the last digit of `x ln x`.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let mut shifted = x;
    let mut product = 1.0;
    while shifted < LARGE {
        product *= shifted;
        shifted += 1.0;
    }
    (shifted - 0.5) * shifted.ln() - shifted + HALF_LN_TWO_PI + series(shifted) - product.ln()
}

/// `ln Γ(x) − ln Γ(y)` for x, y > 0. Two large logarithms are never subtracted: the error is a few units in the last digit of `(x − y) ln y`, so that
/// neighbours among millions keep all their digits.
pub(crate) fn ln_gamma_quotient(x: f64, y: f64) -> f64 {
    if x == y {
        return 0.0;
    }
    if x < LARGE || y < LARGE {
        return ln_gamma(x) - ln_gamma(y);
    }
    let apart = x - y;
    (x - 0.5) * (apart / y).ln_1p() + apart * (y.ln() - 1.0) + (series(x) - series(y))
}

#[cfg(test)]
mod tests {
    use super::{ln_gamma, ln_gamma_quotient};

    #[rstest::rstest]
    #[case(1.0, 0.0)]
    #[case(2.0, 0.0)]
    #[case(0.5, 0.572_364_942_924_700_1)]
    #[case(6.0, 4.787_491_742_782_046)]
    #[case(0.01, 4.599_479_878_042_022)]
    #[case(101.0, 363.739_375_555_563_47)]
    fn known_values(#[case] x: f64, #[case] expected: f64) {
        assert!(
            (ln_gamma(x) - expected).abs() <= 2e-14 * expected.abs().max(1.0),
            "{}",
            ln_gamma(x)
        );
    }

    #[test]
    fn quotients_keep_their_digits() {
        for start in [3_u32, 15, 16, 17, 100, 1_000_000, 1_000_000_000] {
            for steps in [1_u32, 2, 10, 1000] {
                let product: f64 = (0..steps).map(|step| f64::from(start + step).ln()).sum();
                let found = ln_gamma_quotient(f64::from(start + steps), f64::from(start));
                assert!(
                    (found - product).abs() <= 1e-13 * product,
                    "{start} {steps}: {found} {product}"
                );
                let back = ln_gamma_quotient(f64::from(start), f64::from(start + steps));
                assert!((found + back).abs() <= 1e-13 * product);
            }
        }
    }
}

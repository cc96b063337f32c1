//! The fixed bound, the signs, dispersion and the split, each against what can be worked out without it.

use proptest::prelude::*;

use crate::sequential::absolute::{ln_beyond, ln_within};
use crate::sequential::beta::{ln_beta, ln_beta_above, ln_beta_below};
use crate::sequential::dispersion::Dispersion;
use crate::sequential::signs::Signs;
use crate::sequential::slice::{Arm, Slice};
use crate::sequential::split::Split;

fn arm(total: u64, errors: u64) -> Arm {
    Arm::new(total, errors).unwrap()
}

/// ∫ from `from` to `until` of t^(a−1) (1−t)^(b−1), by Simpson's rule.
fn simpson(from: f64, until: f64, a: f64, b: f64) -> f64 {
    let steps = 20_000_u32;
    let width = (until - from) / f64::from(steps);
    let value = |step: u32| {
        let t = from + f64::from(step) * width;
        t.powf(a - 1.0) * (1.0 - t).powf(b - 1.0)
    };
    let inner: f64 = (1..steps)
        .map(|step| value(step) * if step.is_multiple_of(2) { 2.0 } else { 4.0 })
        .sum();
    (value(0) + inner + value(steps)) * width / 3.0
}

#[rstest::rstest]
#[case(0.01, 1.0, 100.0)]
#[case(0.5, 3.0, 4.0)]
#[case(0.3, 40.0, 20.0)]
#[case(0.9, 40.0, 20.0)]
#[case(0.02, 30.0, 900.0)]
fn parts_of_the_beta_function(#[case] x: f64, #[case] a: f64, #[case] b: f64) {
    let close = |found: f64, expected: f64| (found.exp() / expected - 1.0).abs() < 1e-7;
    assert!(close(ln_beta_below(x, a, b), simpson(0.0, x, a, b)));
    assert!(close(ln_beta_above(x, a, b), simpson(x, 1.0, a, b)));
    assert!(close(ln_beta(a, b), simpson(0.0, 1.0, a, b)));
}

#[test]
fn parts_of_a_huge_beta_function_add_up() {
    for (x, a, b) in [
        (1e-3, 1e6, 1e9),
        (0.999e-3, 1e6, 1e9),
        (1e-9, 1.0, 1e9),
        (0.5, 5e8, 5e8),
    ] {
        let whole = ln_beta(a, b);
        let sum = (ln_beta_below(x, a, b) - whole).exp() + (ln_beta_above(x, a, b) - whole).exp();
        assert!((sum - 1.0).abs() < 1e-4, "{x} {a} {b}: {sum}");
    }
}

/// P(e errors of n) at a rate.
fn binomial(n: u64, e: u64, rate: f64) -> f64 {
    let choose = (0..e).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64);
    choose * rate.powf(e as f64) * (1.0 - rate).powf((n - e) as f64)
}

/// ln O after these counts.
fn split(share: f64, canary: u64, stable: u64) -> f64 {
    Split::of(share).unwrap().and(canary, stable).ln()
}

proptest! {
    #[test]
    fn the_bound_s_evidence_is_a_supermartingale(n in 0..30_u64, bound in 0.001..0.9_f64, part in 0.0..1.0_f64) {
        let expected = |rate: f64, ln: fn(Arm, f64) -> f64| -> f64 {
            (0..=n).map(|e| binomial(n, e, rate) * ln(arm(n, e), bound).exp()).sum()
        };
        prop_assert!(expected(bound * part, ln_beyond) <= 1.0 + 1e-10);
        prop_assert!(expected(bound + (1.0 - bound) * part, ln_within) <= 1.0 + 1e-10);
        prop_assert!((expected(bound, ln_beyond) - 1.0).abs() < 1e-10);
        prop_assert!((expected(bound, ln_within) - 1.0).abs() < 1e-10);
    }

    #[test]
    fn the_split_s_evidence_is_a_martingale(canary in 0..2000_u64, stable in 0..2000_u64, share in 0.01..0.99_f64) {
        let here = split(share, canary, stable);
        let expected = share * (split(share, canary + 1, stable) - here).exp()
            + (1.0 - share) * (split(share, canary, stable + 1) - here).exp();
        prop_assert!((expected - 1.0).abs() < 1e-9, "{expected}");
    }

    /// Exchangeable arms of the same size or not: what one bet gains on average is nothing.
    #[test]
    fn a_bet_on_equally_good_arms_gains_nothing(canary in 1..9_u64, stable in 1..9_u64, rate in 0.05..0.95_f64, won in 0..5_usize) {
        let before = (0..won).fold(Signs::default(), |signs, _| {
            signs.and(&Slice { canary: arm(10, 5), stable: arm(10, 1) }).unwrap()
        });
        let mut expected = 0.0;
        for x in 0..=canary {
            for y in 0..=stable {
                let slice = Slice { canary: arm(canary, x), stable: arm(stable, y) };
                let gained = before.and(&slice).unwrap().ln() - before.ln();
                expected += binomial(canary, x, rate) * binomial(stable, y, rate) * gained.exp();
            }
        }
        prop_assert!((expected - 1.0).abs() < 1e-12, "{expected}");
    }
}

#[test]
fn a_bound_is_broken_or_kept() {
    assert!(ln_beyond(arm(1000, 50), 0.01) > 20.0 && ln_within(arm(1000, 50), 0.01) < -1.0);
    assert!(ln_beyond(arm(1000, 1), 0.01) < 0.0 && ln_within(arm(1000, 1), 0.01) > 3.0);
    assert_eq!(ln_beyond(Arm::default(), 0.01), 0.0);
}

#[test]
fn pods_with_errors_of_their_own_are_seen() {
    let even = [arm(1000, 5), arm(1000, 4), arm(1000, 6), arm(0, 0), arm(1000, 5)];
    let one_bad_pod = [arm(1000, 0), arm(1000, 0), arm(1000, 20), arm(1000, 0)];
    let repeat = |pods: &[Arm], slices: usize| (0..slices).fold(Dispersion::default(), |sum, _| sum.and(pods));
    assert!(!repeat(&even, 20).is_bursty());
    assert!(repeat(&one_bad_pod, 20).is_bursty());
    assert!(!repeat(&one_bad_pod, 2).is_bursty(), "two slices are too few to say so");
    assert_eq!(Dispersion::default().per_degree(), None);
    assert_eq!(
        Dispersion::default().and(&[arm(10, 0), arm(0, 0)]),
        Dispersion::default()
    );
    assert_eq!(Dispersion::default().and(&[]), Dispersion::default());
    let two = Dispersion::default()
        .and(&[arm(100, 10), arm(100, 20)])
        .per_degree()
        .unwrap();
    assert!((two - 2.0 * 25.0 / (100.0 * 0.15 * 0.85)).abs() < 1e-12);
}

#[test]
fn a_canary_without_its_traffic_is_seen() {
    let none = Split::of(0.05).unwrap().and(0, 400);
    assert!(none.p_value() < 0.001, "{}", none.p_value());
    assert_eq!(none.observed(), Some(0.0));
    let dealt_out = (0..1000).fold(Split::of(0.05).unwrap(), |split, _| split.and(5, 95));
    assert_eq!(dealt_out.p_value(), 1.0);
    assert!(none.and(100, 1500).p_value() < 0.001, "what was seen stays");
    assert_eq!(Split::of(0.05).unwrap().observed(), None);
    for share in [0.0, 1.0, f64::NAN] {
        assert!(Split::of(share).is_err());
    }
    let json = serde_json::to_string(&none).unwrap();
    assert_eq!(serde_json::from_str::<Split>(&json).unwrap(), none);
}

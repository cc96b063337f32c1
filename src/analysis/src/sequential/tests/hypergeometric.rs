//! The conditional distribution against sums that are exact, and against its own symmetries.

use proptest::prelude::*;

use crate::sequential::hypergeometric::Table;
use crate::sequential::mixture::Mixture;

/// C(n, k), exact for n ≤ 60.
fn choose(n: u64, k: u64) -> u128 {
    (0..k.min(n)).fold(1, |product, i| product * u128::from(n - i) / u128::from(i + 1))
}

/// P(x) for each possible x at ψ = `over`/`under`, in whole numbers up to the one division at the end.
fn exact(canary: u64, stable: u64, errors: u64, over: u64, under: u64) -> Vec<(u64, f64)> {
    let possible = errors.saturating_sub(stable)..=canary.min(errors);
    let weight = |x: u64| {
        let power = |base: u64, exponent: u64| u128::from(base).pow(u32::try_from(exponent).unwrap());
        choose(canary, x) * choose(stable, errors - x) * power(over, x) * power(under, errors - x)
    };
    let sum: u128 = possible.clone().map(weight).sum();
    possible.map(|x| (x, weight(x) as f64 / sum as f64)).collect()
}

/// Small tables: requests of both arms and errors among them.
fn tables() -> impl Strategy<Value = (u64, u64, u64)> {
    (0..=12_u64, 0..=12_u64).prop_flat_map(|(canary, stable)| (Just(canary), Just(stable), 0..=canary + stable))
}

/// An odds ratio as a quotient of small numbers.
fn ratios() -> impl Strategy<Value = (u64, u64)> {
    (1..=6_u64, 1..=6_u64)
}

proptest! {
    #[test]
    fn probabilities_are_those_of_whole_numbers((canary, stable, errors) in tables(), psi in ratios(), null in ratios()) {
        let table = Table::new(canary, stable, errors);
        let ratio = |(over, under): (u64, u64)| over as f64 / under as f64;
        let under_psi = exact(canary, stable, errors, psi.0, psi.1);
        let under_null = exact(canary, stable, errors, null.0, null.1);
        for ((x, p), (_, q)) in under_psi.into_iter().zip(under_null) {
            let found = table.ln_likelihood(x, ratio(psi)) - table.ln_likelihood(x, ratio(null));
            prop_assert!((found - (p / q).ln()).abs() < 1e-12, "{x}: {found} {}", (p / q).ln());
        }
    }

    #[test]
    fn swapped_arms_invert_the_ratio(
        canary in 0..5000_u64, stable in 0..5000_u64, part in 0.0..1.0_f64, share in 0.0..1.0_f64, psi in 0.05..20.0_f64, null in 0.05..20.0_f64,
    ) {
        let errors = ((canary + stable) as f64 * part) as u64;
        let (low, high) = (errors.saturating_sub(stable), canary.min(errors));
        let x = low + ((high - low) as f64 * share) as u64;
        let (table, swapped) = (Table::new(canary, stable, errors), Table::new(stable, canary, errors));
        let one = table.ln_likelihood(x, psi) - table.ln_likelihood(x, null);
        let other = swapped.ln_likelihood(errors - x, 1.0 / psi) - swapped.ln_likelihood(errors - x, 1.0 / null);
        prop_assert!((one - other).abs() <= 1e-10 * one.abs().max(1.0), "{one} {other}");
        prop_assert!((table.lean(x) + swapped.lean(errors - x)).abs() < 1e-10);
    }

    /// E[M after / M before] ≤ 1 under every ψ on the null's side, whatever was collected before.
    #[test]
    fn the_mixture_is_a_supermartingale(
        (canary, stable, errors) in tables(), before in tables(), share in 0.0..1.0_f64, (over, under) in ratios(),
    ) {
        let psi = over as f64 / under as f64;
        let table = Table::new(canary, stable, errors);
        let history = Table::new(before.0, before.1, before.2);
        let (low, high) = (before.2.saturating_sub(before.1), before.0.min(before.2));
        let x = low + ((high - low) as f64 * share) as u64;
        for (null, alternatives) in [(1.0, [1.25, 2.0, 30.0]), (2.0, [0.25, 1.0, 1.5])] {
            let on_the_null_s_side = if alternatives[0] > null { psi <= null } else { psi >= null };
            let start = Mixture::of(3).and(&history, x, null, &alternatives);
            let expected: f64 = exact(canary, stable, errors, over, under)
                .into_iter()
                .map(|(x, p)| p * (start.and(&table, x, null, &alternatives).ln() - start.ln()).exp())
                .sum();
            if on_the_null_s_side {
                prop_assert!(expected <= 1.0 + 1e-12, "null {null}, ratio {psi}: {expected}");
            }
            if psi == null {
                prop_assert!((expected - 1.0).abs() < 1e-12);
            }
        }
    }
}

/// `ln Z(ψ)/Z(1)` as one sum over every outcome, term by term in logarithms; compensated (Kahan), or a million of them would not do.
fn plain_ratio(canary: u64, stable: u64, errors: u64, psi: f64) -> f64 {
    let (mut at_one, mut at_psi) = (vec![0.0], vec![0.0]);
    let (low, high) = (errors.saturating_sub(stable), canary.min(errors));
    let (mut ln_weight, mut lost) = (0.0_f64, 0.0_f64);
    for x in low..high {
        let quotient =
            ((canary - x) as f64 / (x + 1) as f64) * ((errors - x) as f64 / (stable - (errors - x) + 1) as f64);
        let term = quotient.ln() - lost;
        let sum = ln_weight + term;
        lost = (sum - ln_weight) - term;
        ln_weight = sum;
        at_one.push(ln_weight);
        at_psi.push(ln_weight + (x + 1 - low) as f64 * psi.ln());
    }
    let ln_sum = |values: &[f64]| {
        let largest = values.iter().copied().fold(f64::MIN, f64::max);
        largest + values.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
    };
    ln_sum(&at_psi) + low as f64 * psi.ln() - ln_sum(&at_one)
}

#[rstest::rstest]
#[case::usual(150, 2850, 15)]
#[case::all_but_one(1000, 1000, 1999)]
#[case::many(100_000, 1_900_000, 40_000)]
#[case::a_million_errors(1_000_000, 19_000_000, 1_000_000)]
#[case::half_of_all(1_000_000, 1_000_000, 1_000_000)]
fn large_tables_are_summed_exactly_enough(#[case] canary: u64, #[case] stable: u64, #[case] errors: u64) {
    let table = Table::new(canary, stable, errors);
    for psi in [0.25, 0.9, 1.25, 2.0, 30.0] {
        let at = |psi| -table.ln_likelihood(0, psi);
        // ln Z̃ differences: the part that goes with x is the same on both sides, at x = 0 there is none.
        let found = at(psi) - at(1.0);
        let expected = plain_ratio(canary, stable, errors, psi);
        let allowed = if errors > 100_000 { 1e-8 } else { 1e-10 };
        assert!(
            (found - expected).abs() < allowed,
            "ψ {psi}: {found} {expected} {:e}",
            found - expected
        );
    }
}

#[rstest::rstest]
#[case::nothing(0, 0, 0)]
#[case::one_arm(0, 50, 3)]
#[case::no_errors(20, 50, 0)]
#[case::all_errors(20, 50, 70)]
fn a_table_with_one_outcome_says_nothing(#[case] canary: u64, #[case] stable: u64, #[case] errors: u64) {
    let table = Table::new(canary, stable, errors);
    assert!(table.is_silent());
    let before = Mixture::of(2);
    let x = canary.min(errors);
    assert_eq!(before.and(&table, x, 1.0, &[2.0, 30.0]), before);
    assert_eq!(table.lean(x), 0.0);
}

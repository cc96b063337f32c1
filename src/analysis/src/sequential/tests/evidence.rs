//! Evidence as it is held: designs that make no sense, verdicts, and state that goes on after a restart as if nothing had been.

use std::num::NonZeroU32;

use proptest::prelude::*;

use crate::sequential::counters::{ArmReading, Counted, Reading, count};
use crate::sequential::design::{Design, Mode, Settings};
use crate::sequential::evidence::{BadUpdate, Evidence, Verdict};
use crate::sequential::slice::{Arm, BadArm, Slice};

fn slice(canary: (u64, u64), stable: (u64, u64)) -> Slice {
    let arm = |(total, errors)| Arm::new(total, errors).unwrap();
    Slice {
        canary: arm(canary),
        stable: arm(stable),
    }
}

fn after(design: &Design, slices: &[Slice]) -> Evidence {
    slices.iter().fold(Evidence::begin(design), |evidence, slice| {
        evidence.update(design, slice).unwrap()
    })
}

fn designed(settings: Settings) -> Design {
    Design::new(settings).unwrap()
}

const USUAL: Settings = Settings {
    alpha: 0.01,
    beta: 0.05,
    null_ratio: 1.0,
    harm_ratio: 2.0,
    absolute_bound: None,
    min_samples: 100,
    max_samples: None,
    mode: Mode::Exact,
};

#[test]
fn defaults_are_the_documented_ones() {
    assert_eq!(Settings::default(), USUAL);
    assert_eq!(*Design::default().settings(), USUAL);
}

#[rstest::rstest]
#[case(Settings { alpha: 0.0, ..USUAL }, "alpha is 0; it must be more than 0 and less than 1")]
#[case(Settings { beta: 1.0, ..USUAL }, "beta is 1; it must be more than 0 and less than 1")]
#[case(Settings { alpha: f64::NAN, ..USUAL }, "alpha is NaN; it must be more than 0 and less than 1")]
#[case(Settings { absolute_bound: Some(1.5), ..USUAL }, "absoluteBound is 1.5; it must be more than 0 and less than 1")]
#[case(Settings { null_ratio: 0.0, ..USUAL }, "nullRatio is 0; an odds ratio is a positive number, at most 1000")]
#[case(Settings { harm_ratio: f64::INFINITY, ..USUAL }, "harmRatio is inf; an odds ratio is a positive number, at most 1000")]
#[case(Settings { null_ratio: 2.0, ..USUAL }, "nullRatio 2 must be less than harmRatio 2: a canary between the two may do either")]
#[case(Settings { max_samples: Some(99), ..USUAL }, "maxSamples 99 must not be less than minSamples 100, or nothing could ever pass")]
fn a_design_that_makes_no_sense_is_refused(#[case] settings: Settings, #[case] expected: &str) {
    assert_eq!(Design::new(settings).unwrap_err().to_string(), expected);
}

#[test]
fn metrics_share_alpha() {
    let shared = Design::default().one_of(NonZeroU32::new(4).unwrap());
    assert!((shared.settings().alpha - 0.0025).abs() < 1e-15);
    assert_eq!(shared.settings().beta, 0.05);
}

#[test]
fn arms_make_sense() {
    assert_eq!(
        Arm::new(1, 2),
        Err(BadArm::MoreErrorsThanRequests { errors: 2, total: 1 })
    );
    assert!(serde_json::from_str::<Arm>(r#"{"total":1,"errors":2}"#).is_err());
}

#[rstest::rstest]
#[case::nothing_yet(USUAL, &[], Verdict::Undecided)]
#[case::no_requests(USUAL, &[slice((0, 0), (0, 0))], Verdict::Undecided)]
#[case::stable_alone(USUAL, &[slice((0, 0), (100_000, 500))], Verdict::Undecided)]
#[case::canary_alone(USUAL, &[slice((100_000, 50_000), (0, 0))], Verdict::Undecided)]
#[case::far_worse(USUAL, &[slice((150, 30), (2850, 15))], Verdict::Fail)]
#[case::as_good(USUAL, &[slice((15_000, 75), (285_000, 1425))], Verdict::Pass)]
#[case::too_few_to_pass(Settings { min_samples: 15_001, ..USUAL }, &[slice((15_000, 75), (285_000, 1425))], Verdict::Undecided)]
#[case::few_but_worse(Settings { min_samples: 15_001, ..USUAL }, &[slice((150, 30), (2850, 15))], Verdict::Fail)]
#[case::used_up(Settings { max_samples: Some(150), ..USUAL }, &[slice((150, 1), (2850, 15))], Verdict::Inconclusive)]
#[case::worse_after_it_passed(USUAL, &[slice((15_000, 75), (285_000, 1425)), slice((1500, 300), (28_500, 150))], Verdict::Fail)]
#[case::good_after_it_failed(USUAL, &[slice((150, 30), (2850, 15)), slice((15_000, 0), (285_000, 1425))], Verdict::Fail)]
#[case::robust_never_passes(Settings { mode: Mode::Robust, ..USUAL }, &[slice((15_000, 0), (15_000, 75)); 50], Verdict::Undecided)]
#[case::robust_fails(Settings { mode: Mode::Robust, ..USUAL }, &[slice((150, 3), (150, 1)); 20], Verdict::Fail)]
#[case::robust_without_bets(Settings { mode: Mode::Robust, ..USUAL }, &[slice((150, 1), (150, 1)); 20], Verdict::Undecided)]
#[case::bad_ratio_below_the_bound(Settings { absolute_bound: Some(0.5), ..USUAL }, &[slice((150, 30), (2850, 15))], Verdict::Pass)]
#[case::bad_in_both(Settings { absolute_bound: Some(0.01), ..USUAL }, &[slice((150, 30), (2850, 15))], Verdict::Fail)]
#[case::beyond_the_bound_like_stable(Settings { absolute_bound: Some(0.01), ..USUAL }, &[slice((1500, 300), (28_500, 5700))], Verdict::Pass)]
fn says(#[case] settings: Settings, #[case] slices: &[Slice], #[case] expected: Verdict) {
    let design = designed(settings);
    let evidence = after(&design, slices);
    assert_eq!(evidence.verdict(&design), expected, "{evidence:?}");
    let (fail, pass) = (evidence.nearness_to_fail(&design), evidence.nearness_to_pass(&design));
    assert!((0.0..=1.0).contains(&fail) && (0.0..=1.0).contains(&pass));
    assert_eq!(fail == 1.0, expected == Verdict::Fail);
    assert!(expected != Verdict::Pass || pass == 1.0);
    assert!(expected != Verdict::Fail || evidence.p_fail() <= 0.01);
    assert!(expected != Verdict::Pass || evidence.p_pass() <= 0.05);
}

/// M as it is worked out by hand: three requests in each arm, two errors, both of the canary.
#[test]
fn one_small_slice_by_hand() {
    let design = Design::default();
    let evidence = after(&design, &[slice((3, 2), (3, 0))]);
    let z = |psi: f64| 3.0 + 9.0 * psi + 3.0 * psi * psi;
    let grid = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0_f64];
    let m: f64 = grid.iter().map(|psi| psi * psi * z(1.0) / z(*psi)).sum::<f64>() / 7.0;
    assert!((evidence.ln_fail() - m.ln()).abs() < 1e-14);
    assert!((evidence.p_fail() - 1.0 / m).abs() < 1e-14);
}

#[test]
fn evidence_of_another_design_is_not_gone_on_with() {
    let evidence = Evidence::begin(&Design::default());
    let one = slice((150, 1), (150, 1));
    for settings in [
        Settings {
            null_ratio: 1.1,
            ..USUAL
        },
        Settings {
            harm_ratio: 3.0,
            ..USUAL
        },
        Settings {
            absolute_bound: Some(0.01),
            ..USUAL
        },
        Settings {
            mode: Mode::Robust,
            ..USUAL
        },
    ] {
        assert_eq!(evidence.update(&designed(settings), &one), Err(BadUpdate::OtherDesign));
    }
    let edited = serde_json::to_string(&evidence).unwrap().replacen(r#""0.0","#, "", 1);
    let edited: Evidence = serde_json::from_str(&edited).unwrap();
    assert_eq!(edited.update(&Design::default(), &one), Err(BadUpdate::OtherDesign));
    assert!(
        evidence
            .update(&designed(Settings { alpha: 0.001, ..USUAL }), &one)
            .is_ok()
    );
}

#[test]
fn the_robust_mode_refuses_arms_of_unequal_size() {
    let design = designed(Settings {
        mode: Mode::Robust,
        ..USUAL
    });
    let evidence = Evidence::begin(&design);
    let refused = evidence.update(&design, &slice((150, 1), (2850, 15))).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("150 requests of the canary and 2850 of its baseline"),
        "{refused}"
    );
    assert!(evidence.update(&design, &slice((150, 1), (190, 1))).is_ok());
    assert!(evidence.update(&design, &slice((0, 0), (10, 0))).is_ok());
}

/// Cumulative buckets: requests slower than 250 ms are those of `_count` that are not in the bucket.
#[test]
fn latency_by_a_bucket_is_the_same_test() {
    let arm = |count: f64, bucket: f64| ArmReading {
        total: [("pod".to_owned(), count)].into(),
        errors: [("pod".to_owned(), count - bucket)].into(),
    };
    let before = Reading {
        canary: arm(1000.0, 990.0),
        stable: arm(20_000.0, 19_800.0),
    };
    let after = Reading {
        canary: arm(1500.0, 1440.0),
        stable: arm(29_500.0, 29_205.0),
    };
    let Ok(Counted::Begun(baseline)) = count(None, &before) else {
        panic!()
    };
    let Ok(Counted::Slice { slice: counted, .. }) = count(Some(&baseline), &after) else {
        panic!()
    };
    assert_eq!(counted, slice((500, 50), (9500, 95)));
    let design = Design::default();
    let evidence = Evidence::begin(&design).update(&design, &counted).unwrap();
    assert_eq!(evidence.verdict(&design), Verdict::Fail);
}

fn slices(equal: bool) -> impl Strategy<Value = Vec<Slice>> {
    let arm = |total: u64| (Just(total), 0..=total.min(40));
    let one = (0..200_u64, 0..4000_u64)
        .prop_flat_map(move |(canary, stable)| (arm(canary), arm(if equal { canary } else { stable })));
    prop::collection::vec(one.prop_map(|(canary, stable)| slice(canary, stable)), 1..30)
}

proptest! {
    #[test]
    fn a_restart_changes_nothing(exact in slices(false), equal in slices(true), bounded in any::<bool>()) {
        for (mode, slices) in [(Mode::Exact, exact), (Mode::Robust, equal)] {
            let absolute_bound = bounded.then_some(0.013);
            let design = designed(Settings { mode, absolute_bound, ..USUAL });
            let mut going_on = Evidence::begin(&design);
            let mut restarted = going_on.clone();
            for slice in &slices {
                going_on = going_on.update(&design, slice).unwrap();
                restarted = restarted.update(&design, slice).unwrap();
                let value = serde_json::to_value(&restarted).unwrap();
                restarted = serde_json::from_str(&value.to_string()).unwrap();
            }
            prop_assert_eq!(going_on, restarted);
        }
    }

    /// The order of slices does not matter to where M stands, and p only falls.
    #[test]
    fn p_values_only_fall(slices in slices(false)) {
        let design = Design::default();
        let mut evidence = Evidence::begin(&design);
        for slice in &slices {
            let next = evidence.update(&design, slice).unwrap();
            prop_assert!(next.p_fail() <= evidence.p_fail() && next.p_pass() <= evidence.p_pass());
            prop_assert!(next.p_fail() <= (-next.ln_fail()).exp().min(1.0));
            evidence = next;
        }
        let backwards: Vec<Slice> = slices.iter().rev().copied().collect();
        let other = after(&design, &backwards);
        prop_assert!((other.ln_fail() - evidence.ln_fail()).abs() < 1e-9);
        prop_assert!((other.ln_pass() - evidence.ln_pass()).abs() < 1e-9);
    }
}

//! The bounds that the test promises, on simulated releases with fixed seeds. Full lengths and numbers of runs where a bound is on rare events; where it is on
//! most runs, 300 of them. `main` prints the whole table.

use analysis::sequential::design::Mode;

use super::cases;
use super::design;
use super::judges::{Judge, PeekedZ, Sequential, Threshold};
use super::play::{Record, play};
use super::traffic::Case;

fn sequential(case: &Case, mode: Mode, runs: usize) -> Record {
    let [record] = play(case, runs, 13, || [Box::new(Sequential::by(design(mode)))]);
    record
}

/// α = 1 %; three standard deviations of 1,000 runs would be .9 % more, and what is asked is half of that.
#[rstest::rstest]
#[case::busy(cases::NULL)]
#[case::quiet(cases::NULL_QUIET)]
fn a_canary_that_is_no_worse_seldom_fails_over_960_looks(#[case] case: Case) {
    let record = sequential(&case, Mode::Exact, 1000);
    assert!(record.fails().percent() <= 1.5, "{}", record.fails().percent());
    assert!(record.passes().percent() >= 99.0, "{}", record.passes().percent());
}

/// β = 5 %; two standard deviations of 1,000 runs are 1.4 %.
#[test]
fn a_canary_at_the_harm_ratio_seldom_passes() {
    let record = sequential(&cases::DOUBLE, Mode::Exact, 1000);
    assert!(record.passes().percent() <= 5.0 + 1.4, "{}", record.passes().percent());
    assert!(record.fails().percent() >= 99.0, "{}", record.fails().percent());
}

#[rstest::rstest]
#[case::fourfold(cases::FOURFOLD, 2.0)]
#[case::tenfold(cases::TENFOLD, 0.5)]
#[case::fourfold_of_few(cases::FOURFOLD_QUIET, 20.0)]
fn a_bad_canary_is_caught_in_time(#[case] case: Case, #[case] minutes: f64) {
    let record = sequential(&case, Mode::Exact, 300);
    let caught = record.fails().minutes(0.9);
    assert!(caught.is_some_and(|caught| caught <= minutes), "{caught:?}");
    assert!(record.passes().percent() <= 1.0, "{}", record.passes().percent());
}

#[test]
fn an_outage_of_both_arms_is_nobody_s_fault() {
    let [record, threshold] = play(&cases::OUTAGE, 1000, 13, || {
        [
            Box::new(Sequential::by(design(Mode::Exact))),
            Box::<Threshold>::default(),
        ] as [Box<dyn Judge>; 2]
    });
    assert!(record.fails().percent() <= 1.0, "{}", record.fails().percent());
    assert!(threshold.fails().percent() >= 99.0, "a fixed bound blames the canary");
}

/// Bursts break the exact test, as its documentation says, and not the robust one.
#[test]
fn bursts_need_the_robust_mode() {
    let [exact, robust] = play(&cases::BURSTS, 1000, 13, || {
        [Mode::Exact, Mode::Robust].map(|mode| Box::new(Sequential::by(design(mode))) as Box<dyn Judge>)
    });
    assert!(robust.fails().percent() <= 1.0, "{}", robust.fails().percent());
    assert!(exact.fails().percent() >= 5.0, "{}", exact.fails().percent());
    let caught = sequential(&cases::BURSTS_FOURFOLD, Mode::Robust, 300);
    assert!(caught.fails().percent() >= 99.0, "{}", caught.fails().percent());
}

/// What looking all the time does to a test that is made for one look.
#[test]
fn a_test_for_one_look_fails_good_canaries_when_it_is_peeked_at() {
    let [z] = play(&cases::NULL_QUIET, 300, 13, || [Box::<PeekedZ>::default()]);
    assert!(z.fails().percent() >= 10.0, "{}", z.fails().percent());
}

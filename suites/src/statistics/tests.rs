//! The bounds are the ones that the design states, and they hold their error rate.

use proptest::prelude::*;
use rstest::rstest;

use super::{ALPHA, admitted, judge, probabilities};

#[rstest]
#[case(0.05, 20, 87)]
#[case(0.0, 0, 0)]
#[case(1.0, 1000, 1000)]
fn a_thousand_requests_admit(#[case] share: f64, #[case] least: u64, #[case] most: u64) {
    assert_eq!(admitted(1000, share, ALPHA), least..=most);
}

#[test]
fn a_share_without_a_single_answer_always_fails() {
    assert!(judge(0, 1000, 0.001).is_err());
}

#[test]
fn more_even_than_chance_passes() {
    assert_eq!(judge(50, 1000, 0.05), Ok(()));
}

#[test]
fn ten_points_too_many_are_seen() {
    let said = judge(151, 1000, 0.05).unwrap_err();
    assert_eq!(
        said,
        "151 of 1000 answers came from the new version; a share of 5.0 % admits 20 to 87 (α = 1e-6)"
    );
}

proptest! {
    #[test]
    fn what_lies_outside_is_rarer_than_alpha(n in 100u64..3000, percent in 1u32..100) {
        let share = f64::from(percent) / 100.0;
        let range = admitted(n, share, ALPHA);
        let outside: f64 = (0..=n)
            .zip(probabilities(n, share))
            .filter(|(count, _)| *count != 0 && !range.contains(count))
            .map(|(_, probability)| probability)
            .sum();
        prop_assert!(outside <= ALPHA * 1.0001, "{outside}");
    }
}

//! The arithmetic of rolling updates, as tables and as invariants.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::rolling::{Bounds, Set, bounds, new_replicas, old_replicas, proportional};

#[rstest]
#[case::defaults(json!({}), 5, 2, 1)]
#[case::numbers(json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } }), 5, 1, 0)]
#[case::percent_rounds_up_and_down(json!({ "rollingUpdate": { "maxSurge": "30%", "maxUnavailable": "30%" } }), 4, 2, 1)]
#[case::both_zero_still_moves(json!({ "rollingUpdate": { "maxSurge": 0, "maxUnavailable": "0%" } }), 3, 0, 1)]
fn the_bounds_of_a_strategy(
    #[case] strategy: serde_json::Value,
    #[case] replicas: i64,
    #[case] surge: i64,
    #[case] unavailable: i64,
) {
    assert_eq!(bounds(&strategy, replicas), Bounds { surge, unavailable });
}

#[rstest]
#[case::grows_with_the_larger_share(10, &[2, 3], &[4, 6])]
#[case::shrinks(4, &[6, 2], &[3, 1])]
#[case::nothing_to_spread(10, &[0, 0], &[0, 0])]
fn a_change_of_size_is_spread(#[case] allowed: i64, #[case] sets: &[i64], #[case] after: &[i64]) {
    assert_eq!(proportional(allowed, sets), after);
}

proptest! {
    /// Pods of the new set come up one at a time or not at all; whatever happens, the update never goes above or below its bounds.
    #[test]
    fn an_update_stays_within_its_bounds_and_ends(
        wanted in 1i64..12, surge in 0i64..4, unavailable in 0i64..4, ready in prop::collection::vec(0i64..3, 60..61),
    ) {
        let limits = if surge == 0 && unavailable == 0 { Bounds { surge, unavailable: 1 } } else { Bounds { surge, unavailable } };
        let (mut new, mut old) = (Set { replicas: 0, available: 0 }, Set { replicas: wanted, available: wanted });
        for up in ready.into_iter().chain(std::iter::repeat_n(1, 60)) {
            new.replicas = new_replicas(wanted, limits, new, &[old]);
            prop_assert!(new.replicas + old.replicas <= wanted + limits.surge);
            old.replicas = old_replicas(wanted, limits, new, &[old])[0];
            old.available = old.available.min(old.replicas);
            prop_assert!(new.available + old.available >= (wanted - limits.unavailable).max(0));
            new.available = (new.available + up).min(new.replicas);
        }
        prop_assert_eq!((new.replicas, new.available, old.replicas), (wanted, wanted, 0));
    }

    #[test]
    fn a_spread_adds_up(allowed in 0i64..40, sets in prop::collection::vec(0i64..10, 1..5)) {
        let after = proportional(allowed, &sets);
        let total: i64 = sets.iter().sum();
        prop_assert!(after.iter().all(|size| *size >= 0));
        if total > 0 {
            prop_assert_eq!(after.iter().sum::<i64>(), allowed);
        }
    }
}

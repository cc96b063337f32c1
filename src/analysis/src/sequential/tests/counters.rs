//! Raw counters to slices: no request is lost and none is counted twice, whatever series and scrapes do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::sequential::counters::{ArmReading, BadReading, Baseline, Counted, Reading, Series, count};
use crate::sequential::slice::{Arm, Slice};

fn series(values: &[(&str, f64)]) -> Series {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

/// A reading with these series on the canary and a stable arm that stands still.
fn reading(total: &[(&str, f64)], errors: &[(&str, f64)]) -> Reading {
    Reading {
        canary: ArmReading {
            total: series(total),
            errors: series(errors),
        },
        stable: ArmReading {
            total: series(&[("s", 100.0)]),
            errors: series(&[("s", 1.0)]),
        },
    }
}

fn begun(reading: &Reading) -> Baseline {
    match count(None, reading) {
        Ok(Counted::Begun(baseline)) => baseline,
        other => panic!("{other:?}"),
    }
}

fn next(baseline: &Baseline, reading: &Reading) -> (Baseline, Slice) {
    match count(Some(baseline), reading) {
        Ok(Counted::Slice { baseline, slice, .. }) => (baseline, slice),
        other => panic!("{other:?}"),
    }
}

/// What the canary counts over two readings after the first.
#[rstest::rstest]
#[case::grows(&[("a", 10.0)], &[("a", 15.0)], &[("a", 15.0)], [5, 0])]
#[case::reset(&[("a", 10.0)], &[("a", 4.0)], &[("a", 6.0)], [4, 2])]
#[case::a_series_appears(&[("a", 10.0)], &[("a", 11.0), ("b", 7.0)], &[("a", 11.0), ("b", 8.0)], [8, 1])]
#[case::a_series_vanishes(&[("a", 10.0), ("b", 5.0)], &[("a", 12.0)], &[("a", 13.0)], [2, 1])]
#[case::it_comes_back(&[("a", 10.0), ("b", 5.0)], &[("a", 12.0)], &[("a", 12.0), ("b", 9.0)], [2, 4])]
#[case::it_comes_back_reset(&[("a", 10.0), ("b", 5.0)], &[("a", 12.0)], &[("a", 12.0), ("b", 3.0)], [2, 3])]
#[case::fractions_are_carried(&[("a", 0.0)], &[("a", 0.4)], &[("a", 0.8)], [0, 1])]
#[case::halves_go_up(&[("a", 0.0)], &[("a", 1.5)], &[("a", 2.5)], [2, 1])]
fn the_canary_s_requests(
    #[case] first: &[(&str, f64)],
    #[case] second: &[(&str, f64)],
    #[case] third: &[(&str, f64)],
    #[case] expected: [u64; 2],
) {
    let baseline = begun(&reading(first, &[]));
    let (baseline, one) = next(&baseline, &reading(second, &[]));
    let (_, two) = next(&baseline, &reading(third, &[]));
    assert_eq!([one.canary.total(), two.canary.total()], expected);
}

#[test]
fn without_data_nothing_is_counted_and_the_next_slice_is_wider() {
    let none = Reading::default();
    assert_eq!(count(None, &none), Ok(Counted::NoData));
    let baseline = begun(&reading(&[("a", 10.0)], &[("a", 1.0)]));
    assert_eq!(count(Some(&baseline), &none), Ok(Counted::NoData));
    let one_arm = Reading {
        canary: ArmReading::default(),
        ..reading(&[], &[])
    };
    assert_eq!(count(Some(&baseline), &one_arm), Ok(Counted::NoData));
    let (_, slice) = next(&baseline, &reading(&[("a", 40.0)], &[("a", 3.0)]));
    assert_eq!(slice.canary, Arm::new(30, 2).unwrap());
}

#[rstest::rstest]
#[case::nan(&[("a", f64::NAN)], &[], "read canary.total: series a is NaN; a raw counter is a number from 0 on, so query the counter itself")]
#[case::negative(&[("a", 12.0)], &[("a", -1.0)], "read canary.errors: series a is -1; a raw counter is a number from 0 on, so query the counter itself")]
#[case::more_errors(&[("a", 12.0)], &[("a", 5.0)], "compare canary: 5 errors of 2 requests: the query of errors must count a part of what the query of totals counts")]
#[case::too_large(&[("a", 1e16 + 10.0)], &[], "compare canary: 10000000000000000 requests in one slice are more than can be counted; look whether the query gives a counter")]
fn refuses(#[case] total: &[(&str, f64)], #[case] errors: &[(&str, f64)], #[case] expected: &str) {
    let baseline = begun(&reading(&[("a", 10.0)], &[]));
    let refused = count(Some(&baseline), &reading(total, errors)).unwrap_err();
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn refuses_more_series_than_it_would_keep() {
    let named = |prefix: &str, count: usize| -> Vec<(String, f64)> {
        (0..count).map(|number| (format!("{prefix}{number}"), 1.0)).collect()
    };
    let with = |total: Vec<(String, f64)>| {
        let mut reading = reading(&[], &[]);
        reading.canary.total = total.into_iter().collect();
        reading
    };
    let baseline = begun(&with(named("a", 600)));
    let refused = count(Some(&baseline), &with(named("b", 600)));
    assert!(matches!(refused, Err(BadReading::TooManySeries { .. })), "{refused:?}");
    let refused = count(None, &with(named("a", 1001)));
    assert!(matches!(refused, Err(BadReading::TooManySeries { .. })), "{refused:?}");
}

#[test]
fn stable_s_pods_are_told_apart_where_errors_come_by_the_same_series() {
    let at = |pods: &[(&str, f64)], errors: &[(&str, f64)]| Reading {
        stable: ArmReading {
            total: series(pods),
            errors: series(errors),
        },
        ..reading(&[("a", 1.0)], &[])
    };
    let pods = |errors: &[(&str, f64)]| {
        let baseline = begun(&at(&[("s1", 10.0), ("s2", 10.0)], &[]));
        match count(Some(&baseline), &at(&[("s1", 20.0), ("s2", 30.0)], errors)) {
            Ok(Counted::Slice { pods, .. }) => pods,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        pods(&[("s2", 3.0)]),
        [Arm::new(10, 0).unwrap(), Arm::new(20, 3).unwrap()]
    );
    assert_eq!(pods(&[("s2,code=500", 3.0)]), []);
}

/// What happens to one pod between two readings.
#[derive(Clone, Debug)]
struct Step {
    requests: u32,
    errors: u32,
    scraped: bool,
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (0..50_u32, 0..50_u32, proptest::bool::weighted(0.7)).prop_map(|(requests, errors, scraped)| Step {
        requests: requests.max(errors),
        errors: errors.min(requests),
        scraped,
    });
    prop::collection::vec(prop::collection::vec(step, 3), 1..20)
}

proptest! {
    /// Pods are scraped or not, each by itself; at the end all are. The slices add up to what was served after the first reading.
    #[test]
    fn slices_add_up_to_what_was_served(mut rounds in steps()) {
        let mut counters = BTreeMap::from([("a", (7_u32, 1_u32)), ("b", (0, 0)), ("c", (100, 90))]);
        let show = |counters: &BTreeMap<&str, (u32, u32)>, scraped: &dyn Fn(usize) -> bool| {
            let seen: Vec<_> = counters.iter().enumerate().filter(|(pod, _)| scraped(*pod)).map(|(_, pod)| pod).collect();
            let pick = |value: fn(&(u32, u32)) -> u32| {
                seen.iter().map(|(name, counts)| (**name, f64::from(value(counts)))).collect::<Vec<_>>()
            };
            reading(&pick(|counts| counts.0), &pick(|counts| counts.1))
        };
        let mut baseline = begun(&show(&counters, &|_| true));
        let (mut served, mut failed) = (0_u64, 0_u64);
        let (mut total, mut errors) = (0, 0);
        if let Some(last) = rounds.last_mut() {
            last.iter_mut().for_each(|step| step.scraped = true);
        }
        for round in &rounds {
            for (counts, step) in counters.values_mut().zip(round) {
                *counts = (counts.0 + step.requests, counts.1 + step.errors);
                served += u64::from(step.requests);
                failed += u64::from(step.errors);
            }
            let json = serde_json::to_string(&baseline).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Baseline>(&json).unwrap(), &baseline);
            match count(Some(&baseline), &show(&counters, &|pod| round[pod].scraped)) {
                Ok(Counted::Slice { baseline: moved, slice, .. }) => {
                    baseline = moved;
                    total += slice.canary.total();
                    errors += slice.canary.errors();
                }
                Ok(Counted::NoData) => {}
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!((total, errors), (served, failed));
    }

    /// Counters that are no whole numbers come to their total within one, errors never beyond requests.
    #[test]
    fn fractions_add_up(steps in prop::collection::vec((0.0..3.0_f64, 0.0..1.0_f64), 1..40)) {
        let (mut total, mut errors) = (0.0, 0.0);
        let mut baseline = begun(&reading(&[("a", 0.0)], &[("a", 0.0)]));
        let (mut counted, mut counted_errors) = (0, 0);
        for (requests, part) in steps {
            total += requests;
            errors += requests * part;
            let (moved, slice) = next(&baseline, &reading(&[("a", total)], &[("a", errors)]));
            baseline = moved;
            counted += slice.canary.total();
            counted_errors += slice.canary.errors();
        }
        prop_assert!((counted as f64 - total).abs() <= 1.0, "{counted} {total}");
        prop_assert!((counted_errors as f64 - errors).abs() <= 1.5, "{counted_errors} {errors}");
    }
}

//! The queue: order, one reconcile per key, delays that grow and end.

use std::time::Duration;

use env::{Chance, Moment};
use proptest::prelude::*;

use crate::driver::backoff::Backoff;
use crate::driver::queue::Queue;

fn at(milliseconds: u64) -> Moment {
    Moment(Duration::from_millis(milliseconds))
}

fn queue() -> Queue<&'static str> {
    Queue::new(Backoff::RECONCILE)
}

#[test]
fn keys_come_out_by_moment_and_then_by_name() {
    let mut queue = queue();
    queue.add("b", at(1));
    queue.add("c", at(0));
    queue.add("a", at(1));
    queue.add("later", at(9));
    let order: Vec<_> = std::iter::from_fn(|| queue.take(at(1))).collect();
    assert_eq!(order, ["c", "a", "b"]);
    assert_eq!(queue.next(), Some(at(9)));
}

#[test]
fn of_two_moments_the_earlier_counts() {
    let mut queue = queue();
    queue.add("a", at(5));
    queue.add("a", at(3));
    queue.add("a", at(8));
    assert_eq!(queue.take(at(2)), None);
    assert_eq!(queue.take(at(3)), Some("a"));
    queue.finish(&"a");
    assert_eq!(queue.take(at(100)), None, "it was in the queue once");
}

#[test]
fn a_key_that_is_being_reconciled_waits_for_its_end() {
    let mut queue = queue();
    queue.add("a", at(0));
    assert_eq!(queue.take(at(0)), Some("a"));
    queue.add("a", at(0));
    queue.add("b", at(4));
    assert_eq!(queue.take(at(0)), None);
    assert_eq!(queue.next(), Some(at(4)), "a timer would spin on the busy key");
    queue.finish(&"a");
    assert_eq!(queue.take(at(0)), Some("a"));
}

#[test]
fn failures_in_a_row_wait_longer_up_to_a_bound_and_a_success_forgets_them() {
    let mut queue = queue();
    let chance = Chance::from_seed(1);
    let delays: Vec<Duration> = (0..40).map(|_| queue.retry("a", at(0), &chance)).collect();
    assert!(delays[0] <= Duration::from_millis(20), "{:?}", delays[0]);
    assert!(delays.windows(2).take(8).all(|pair| pair[1] > pair[0] / 2));
    assert!(
        delays
            .iter()
            .skip(12)
            .all(|delay| (Duration::from_secs(15)..=Duration::from_secs(30)).contains(delay))
    );
    queue.succeeded(&"a");
    assert!(queue.retry("a", at(0), &chance) <= Duration::from_millis(20));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_runs_twice(steps in prop::collection::vec((0u8..4, 0u8..5, 0u64..20), 0..200)) {
        let mut queue = Queue::new(Backoff::RECONCILE);
        let mut due = std::collections::BTreeMap::new();
        let mut busy = std::collections::BTreeSet::new();
        for (what, key, time) in steps {
            match what {
                0 | 1 => {
                    queue.add(key, at(time));
                    let moment = due.entry(key).or_insert(time);
                    *moment = time.min(*moment);
                }
                2 => {
                    let expected = due
                        .iter()
                        .filter(|(key, moment)| **moment <= time && !busy.contains(*key))
                        .map(|(key, moment)| (*moment, *key))
                        .min()
                        .map(|(_, key)| key);
                    prop_assert_eq!(queue.take(at(time)), expected);
                    if let Some(key) = expected {
                        due.remove(&key);
                        busy.insert(key);
                    }
                }
                _ => {
                    queue.finish(&key);
                    busy.remove(&key);
                }
            }
        }
    }
}

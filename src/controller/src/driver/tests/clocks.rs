//! Wall clocks that are set while a key waits for a moment of theirs: what is due is seen soon, and nothing happens early.

use std::time::Duration;

use env::Trace;
use env::sim::{EPOCH, run};
use jiff::{SignedDuration, ToSpan};
use rollout::{Kind, Plan, Wake, World};

use super::running::{PATCH_ECHO, Running, mark, plan};

/// Marks the Deployment two hours after the beginning.
fn in_two_hours(world: &World) -> Plan {
    let at = EPOCH.checked_add(2.hours()).expect("in range");
    if world.now < at {
        Plan {
            wake: Wake::At(at),
            ..plan("wait", [])
        }
    } else {
        plan("go", mark(world, Kind::Deployment, "echo", "1"))
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_moment_that_a_clock_jumps_over_is_noticed_within_a_minute() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, in_two_hours);
        assert_eq!(running.writes_within(Duration::from_secs(600)).await, NOTHING);
        world.env.clock().set_forward(SignedDuration::from_hours(5));
        assert_eq!(running.writes_within(Duration::from_secs(60)).await, [PATCH_ECHO]);
        running.end().await;
    });
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_happen_early_and_nothing_twice() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, in_two_hours);
        running.writes_within(Duration::from_secs(3600)).await;
        world.env.clock().set_forward(SignedDuration::from_hours(-1));
        assert_eq!(running.writes_within(Duration::from_secs(7199)).await, NOTHING);
        assert_eq!(running.writes_within(Duration::from_secs(2)).await, [PATCH_ECHO]);
        world.env.clock().set_forward(SignedDuration::from_hours(-24));
        assert_eq!(running.writes_within(Duration::from_secs(3600)).await, NOTHING);
        running.end().await;
    });
}

//! A wait ends with a look that began when its time was over.

use env::sim::{SimEnv, run};
use env::{Moment, Trace, watch};

use super::*;

/// How a count of answers ends that begins now and takes `count`, where what it counts is so from `from` on: what a count straddles it does not see.
async fn count(world: &SimEnv, count: Duration, from: Moment) -> Look<()> {
    let begun = world.env.clock().elapsed();
    world.env.sleep(count).await;
    Ok(match from.since(begun).is_zero() {
        true => Ok(()),
        false => Err("some of both".to_owned()),
    })
}

/// Waits 3.5 s for what is so after `so` seconds, with looks that take `look` seconds.
fn waited(look: f64, so: f64) -> Result<(), Failure> {
    run(1, Trace::off(), |world| async move {
        let (_revision, quiet) = watch::channel(0);
        let changes = Changes::new(world.env.clone(), quiet);
        let from = world.env.clock().elapsed().after(Duration::from_secs_f64(so));
        looked(&world.env, changes, "it is so", Duration::from_millis(3_500), || {
            count(&world, Duration::from_secs_f64(look), from)
        })
        .await
    })
}

#[test]
fn a_look_that_outlasts_the_time_is_followed_by_one_more() {
    assert!(waited(4.0, 2.0).is_ok());
}

#[rstest::rstest]
#[case::in_short_looks(0.1, 3.4, true)]
#[case::in_one_look_at_the_end(3.4, 3.3, true)]
#[case::too_late_for_short_looks(0.1, 9.0, false)]
#[case::too_late_for_long_looks(4.0, 9.0, false)]
fn what_is_not_so_at_the_end_of_the_time_has_failed(#[case] look: f64, #[case] so: f64, #[case] held: bool) {
    assert_eq!(waited(look, so).is_ok(), held);
}

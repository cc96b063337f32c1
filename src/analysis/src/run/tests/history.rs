//! When runs go.

#![expect(
    clippy::needless_pass_by_value,
    reason = "tables of literals read better without borrows"
)]

use api::v1alpha1::AnalysisPhase;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::{Play, metric};
use crate::run::{Kept, surplus};

/// How a run with this time to live stands so many seconds after its end, and when to look again.
fn after(ttl: Json, letters: &str, seconds: i64) -> (bool, Option<i64>) {
    let spec = json!({ "metrics": [metric("m", &json!({}))], "ttlStrategy": ttl });
    let mut play = Play::of(spec, &[("m", letters)]).until_the_end();
    play.now += SignedDuration::from_secs(seconds);
    let step = play.step(&[]);
    (step.expired, step.next.map(|next| (next - play.begun).get_seconds()))
}

#[rstest]
#[case::v28_at_its_time(json!({ "secondsAfterSuccess": 10 }), "P", 10, false, Some(11))]
#[case::v28_past_it(json!({ "secondsAfterSuccess": 10 }), "P", 11, true, None)]
#[case::another_end(json!({ "secondsAfterSuccess": 10 }), "F", 100, false, None)]
#[case::a_failure(json!({ "secondsAfterFailure": 5, "secondsAfterCompletion": 50 }), "F", 6, true, None)]
#[case::whatever_the_end(json!({ "secondsAfterFailure": 5, "secondsAfterCompletion": 50 }), "P", 6, false, Some(51))]
#[case::at_once(json!({ "secondsAfterCompletion": 0 }), "P", 1, true, None)]
#[case::never(json!({}), "P", 1_000_000, false, None)]
fn a_run_outlives_its_time(
    #[case] ttl: Json,
    #[case] letters: &str,
    #[case] seconds: i64,
    #[case] expired: bool,
    #[case] next: Option<i64>,
) {
    assert_eq!(after(ttl, letters, seconds), (expired, next));
}

fn run(name: &str, phase: &str, minute: i64) -> Kept {
    Kept {
        name: name.to_owned(),
        phase: AnalysisPhase::from(phase),
        made: Timestamp::from_second(minute * 60).unwrap(),
    }
}

#[test]
fn the_oldest_of_each_sort_go() {
    let runs = [
        run("d", "Running", 0),
        run("a", "Successful", 1),
        run("b", "Failed", 2),
        run("c", "Successful", 3),
        run("e", "Error", 4),
        run("f", "Inconclusive", 5),
        run("g", "Successful", 6),
    ];
    assert_eq!(surplus(&runs, 2, 1), ["a", "b", "e"]);
    assert_eq!(surplus(&runs, 5, 5), Vec::<String>::new());
    assert_eq!(surplus(&runs, 0, 0).len(), 6);
}

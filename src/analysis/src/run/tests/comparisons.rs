//! Metrics that the sequential test judges slice by slice: only its verdict decides, an undecided count is no success, and its state goes through the
//! status.

use std::collections::BTreeMap;

use api::v1alpha1::AnalysisPhase;
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::{Play, measured};
use crate::run::{Fault, Measured, Outcome};
use crate::sequential::counters::{ArmReading, Reading};

fn spec(more: &Json) -> Json {
    let counters = json!({ "errors": "e", "total": "t" });
    let mut comparison = json!({ "stable": counters, "canary": counters });
    comparison
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "metrics": [{
        "name": "m", "interval": "15s", "count": 40, "comparison": comparison,
        "provider": { "prometheus": { "address": "http://a" } },
    }] })
}

fn one(value: u32) -> BTreeMap<String, f64> {
    BTreeMap::from([("pod".to_owned(), f64::from(value))])
}

/// The counters after so many slices, in each of which the arms have these requests and errors.
fn reading(slice: u32, [canary, canary_errors, stable, stable_errors]: [u32; 4]) -> Reading {
    Reading {
        canary: ArmReading {
            total: one(slice * canary),
            errors: one(slice * canary_errors),
        },
        stable: ArmReading {
            total: one(slice * stable),
            errors: one(slice * stable_errors),
        },
    }
}

/// Plays a run whose counters grow evenly, to its end.
fn play(spec: Json, slices: [u32; 4]) -> Play {
    let mut play = Play::of(spec, &[]);
    let mut arrived: Vec<Measured> = Vec::new();
    for slice in 0..100 {
        let due = play.step(&arrived).due;
        if play.status.phase.is_final() {
            return play;
        }
        let outcome = |_| Outcome::Counted(reading(slice, slices));
        arrived = due
            .iter()
            .map(|request| measured("m", request.ordinal, play.now, outcome(request)))
            .collect();
        play.step(&arrived);
        arrived.clear();
        play.now += SignedDuration::from_secs(15);
    }
    panic!("it does not end: {:#?}", play.status)
}

#[rstest]
#[case::worse([150, 15, 2850, 14], AnalysisPhase::Failed, "Metric \"m\" assessed Failed due to comparison: the new version is worse than the stable one")]
#[case::as_good([1500, 8, 28500, 142], AnalysisPhase::Successful, "")]
#[case::nothing_goes_on([1, 0, 1, 0], AnalysisPhase::Inconclusive, "comparison: not decided after 40 readings")]
fn a_comparison_decides_by_itself(#[case] slices: [u32; 4], #[case] phase: AnalysisPhase, #[case] says: &str) {
    let play = play(spec(&json!({})), slices);
    let message = play.status.message.clone().unwrap_or_default();
    assert_eq!(play.status.phase, phase, "{message}");
    assert!(
        message.contains(says) && message.is_empty() == says.is_empty(),
        "{message}"
    );
    let standing = play.result("m").comparison.unwrap();
    let undecided = phase == AnalysisPhase::Inconclusive;
    assert_eq!(standing.verdict, if undecided { AnalysisPhase::Running } else { phase });
}

#[test]
fn the_requests_that_are_enough_end_it() {
    let play = play(spec(&json!({ "maxSamples": 100 })), [50, 0, 50, 0]);
    assert_eq!(play.status.phase, AnalysisPhase::Inconclusive);
    assert_eq!(play.result("m").count, 3);
}

fn look(play: &mut Play, reading: Reading) -> (AnalysisPhase, String) {
    let due = play.step(&[]).due;
    let answer = measured("m", due[0].ordinal, play.now, Outcome::Counted(reading));
    play.step(&[answer]);
    play.now += SignedDuration::from_secs(15);
    let measurement = play.result("m").measurements.unwrap().pop().unwrap();
    (measurement.phase, measurement.message.unwrap_or_default())
}

#[test]
fn what_cannot_be_counted_leaves_the_state_as_it_was() {
    let mut play = Play::of(spec(&json!({})), &[]);
    let evenly = [100, 1, 100, 1];
    assert_eq!(look(&mut play, Reading::default()).0, AnalysisPhase::Inconclusive);
    assert_eq!(
        look(&mut play, reading(1, evenly)),
        (
            AnalysisPhase::Inconclusive,
            "the counters are read for the first time".to_owned()
        )
    );
    let (_, said) = look(&mut play, reading(2, evenly));
    assert_eq!(
        said,
        "1 of 100 requests of the new version went wrong, 1 of 100 of the stable one; p 1.000, 0 % of the way to fail, 1 % to pass"
    );
    let before = play.result("m").comparison;
    let mut odd = reading(3, evenly);
    odd.canary.total = BTreeMap::from([("pod".to_owned(), -1.0)]);
    let (phase, _) = look(&mut play, odd);
    assert_eq!(phase, AnalysisPhase::Error);
    assert_eq!(play.result("m").comparison, before);
    let measurement = play.result("m").measurements.unwrap().pop().unwrap();
    assert_eq!(measurement.metadata.unwrap()["reason"], Fault::Unreadable.as_str());
    let (_, said) = look(&mut play, reading(4, evenly));
    assert!(said.starts_with("3 of 300 requests of the new version"), "{said}");
}

#[test]
fn a_state_that_is_none_is_an_error_and_not_a_new_beginning() {
    let mut play = Play::of(spec(&json!({})), &[]);
    look(&mut play, reading(1, [100, 1, 100, 1]));
    let result = &mut play.status.metric_results.as_mut().unwrap()[0];
    result.comparison.as_mut().unwrap().state = Some(json!({ "odd": true }));
    let (phase, said) = look(&mut play, reading(2, [100, 1, 100, 1]));
    assert_eq!(phase, AnalysisPhase::Error);
    assert!(
        said.starts_with("comparison.state in the status cannot be read"),
        "{said}"
    );
}

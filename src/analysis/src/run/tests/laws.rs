//! What holds for every run, whatever its metrics and answers.

use api::v1alpha1::{AnalysisPhase, AnalysisRunStatus, MetricResult};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::play::{Play, both, metric};

/// A metric's patch. Counts are always given, so that runs end.
fn patch() -> impl Strategy<Value = Json> {
    let limits = (0..3i32, 0..3i32, 0..5i32, of(1..4i32));
    (1..6i32, 1..20u32, limits, of(1..30u32), any::<bool>()).prop_map(
        |(count, interval, (failure, inconclusive, error, successes), delay, two)| {
            let mut patch = json!({
                "count": count + failure + inconclusive + successes.unwrap_or(0), "interval": format!("{interval}s"),
                "failureLimit": failure, "inconclusiveLimit": inconclusive, "consecutiveErrorLimit": error,
            });
            if let Some(successes) = successes {
                patch["consecutiveSuccessLimit"] = successes.into();
            }
            if let Some(delay) = delay {
                patch["initialDelay"] = format!("{delay}s").into();
            }
            if two { both(&patch) } else { patch }
        },
    )
}

/// A run of up to three metrics and the letters that they are answered with. No row of errors is endless.
fn play(semantics: &'static str) -> impl Strategy<Value = Play> {
    vec((patch(), "[PFIEN-]{0,9}[PFI]"), 1..4).prop_map(move |metrics| {
        let names = ["a", "b", "c"];
        let of = names.iter().zip(&metrics);
        let written: Vec<Json> = of.clone().map(|(name, (patch, _))| metric(name, patch)).collect();
        let letters: Vec<(&str, &str)> = of.map(|(name, (_, letters))| (*name, letters.as_str())).collect();
        Play::of(json!({ "semantics": semantics, "metrics": written }), &letters)
    })
}

fn results(status: &AnalysisRunStatus) -> Vec<MetricResult> {
    status.metric_results.clone().unwrap_or_default()
}

proptest! {
    /// V30: a process that begins anew with the stored status asks for the same, at the same times, and counts the same.
    #[test]
    fn a_restart_is_not_noticed(play in prop_oneof![play("Argo"), play("Strict")]) {
        let end = play.clone().until_the_end();
        let mut anew = play;
        let mut arrived = Vec::new();
        while !anew.status.phase.is_final() {
            // What a process was told and did not store is lost with it, and is asked for again.
            let lost = anew.step(&[]);
            prop_assert_eq!(&anew.step(&[]), &lost);
            let step = anew.step(&arrived);
            if step.status.phase.is_final() {
                break;
            }
            arrived = anew.answer(&step.due);
            if arrived.is_empty() {
                anew.now = step.next.expect("something to wait for").max(anew.now);
            }
        }
        prop_assert_eq!(anew.asked, end.asked);
        prop_assert_eq!(anew.status, end.status);
    }

    #[test]
    fn every_measurement_is_counted_once(play in prop_oneof![play("Argo"), play("Strict")]) {
        let end = play.until_the_end();
        for result in results(&end.status) {
            let asked = end.asked.iter().filter(|(_, name, _)| *name == result.name).count();
            prop_assert_eq!(i64::from(result.count + result.error), i64::try_from(asked).unwrap());
            prop_assert_eq!(result.count, result.successful + result.failed + result.inconclusive);
        }
    }

    #[test]
    fn strict_is_green_only_when_every_metric_is(play in play("Strict")) {
        let end = play.until_the_end();
        let all = results(&end.status);
        let good = all.iter().all(|result| result.phase == AnalysisPhase::Successful && result.successful > 0);
        prop_assert_eq!(end.status.phase == AnalysisPhase::Successful, good && !all.is_empty());
    }

    #[test]
    fn a_run_that_is_over_stays_as_it_is(play in prop_oneof![play("Argo"), play("Strict")]) {
        let mut end = play.until_the_end();
        let before = end.status.clone();
        let step = end.step(&[]);
        prop_assert_eq!((step.status, step.due), (before, vec![]));
    }

    #[test]
    fn nothing_is_measured_before_its_time(play in prop_oneof![play("Argo"), play("Strict")]) {
        let end = play.until_the_end();
        for result in results(&end.status) {
            let times: Vec<_> = end.asked.iter().filter(|(_, name, _)| *name == result.name).map(|(second, ..)| *second).collect();
            let metric = end.spec.metrics.iter().flatten().find(|metric| metric.name == result.name).unwrap();
            let interval: i64 = metric.interval.as_deref().unwrap().trim_end_matches('s').parse().unwrap();
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] == interval || pair[1] - pair[0] == 10), "{:?}", times);
        }
    }
}

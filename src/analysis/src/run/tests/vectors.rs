//! The vectors that Argo Rollouts' behaviour was frozen in, numbered as they were written down, in two tables: what Argo Rollouts does, to the letter,
//! and where strict semantics differ, with the reason. V16 and V18 are about conditions too; here is what a run makes of them. V29 is about
//! templates (`flatten`), V26 about secrets (`secrets`), V28 about time to live (`history`), V24 and V25 about what is refused before anything is
//! measured (`arguments`), V30 is a law (`laws`).

use api::v1alpha1::{AnalysisPhase, Semantics};
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::play::{Answer, Play, both, metric};

/// A run of one metric `m`.
fn one(semantics: &str, patch: &Json, letters: &str) -> Play {
    Play::of(
        json!({ "semantics": semantics, "metrics": [metric("m", patch)] }),
        &[("m", letters)],
    )
    .until_the_end()
}

fn every_second(patch: &Json) -> Json {
    let mut patch = patch.clone();
    patch["interval"] = "1s".into();
    patch
}

/// Phase, message of the run, and the counters: successful, failed, inconclusive, error, count.
fn summary(play: &Play) -> (String, String, [i32; 5]) {
    let result = play.result("m");
    let (phase, message) = play.said();
    let counters = [
        result.successful,
        result.failed,
        result.inconclusive,
        result.error,
        result.count,
    ];
    (phase, message, counters)
}

#[rstest]
#[case::v1_once(json!({}), "P", "Successful", "", [1, 0, 0, 0, 1])]
#[case::v2_the_first_failure(every_second(&json!({ "count": 3 })), "PF", "Failed", "Metric \"m\" assessed Failed due to failed (1) > failureLimit (0)", [1, 1, 0, 0, 2])]
#[case::v3_a_failure_that_is_accepted(every_second(&json!({ "count": 3, "failureLimit": 1 })), "FPP", "Successful", "", [2, 1, 0, 0, 3])]
#[case::v4_a_limit_that_is_never_passed(every_second(&json!({ "count": 3, "failureLimit": 3 })), "F", "Successful", "", [0, 3, 0, 0, 3])]
#[case::v5_errors_are_no_measurements(every_second(&json!({ "count": 5 })), "EEEEPPPPP", "Successful", "", [5, 0, 0, 4, 5])]
#[case::v6_five_errors(every_second(&json!({ "count": 5 })), "E", "Error", "Metric \"m\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): \"Error Message: connection refused\"", [0, 0, 0, 5, 0])]
#[case::v7_errors_between(every_second(&json!({ "count": 2 })), "EPEP", "Successful", "", [2, 0, 0, 2, 2])]
#[case::v9_never_enough_in_a_row(every_second(&json!({ "count": 5, "consecutiveSuccessLimit": 3, "failureLimit": -1 })), "PPFPP", "Failed", "", [4, 1, 0, 0, 5])]
#[case::v10_neither_limit(every_second(&json!({ "count": 5, "consecutiveSuccessLimit": 3, "failureLimit": 2 })), "PPFPP", "Inconclusive", "", [4, 1, 0, 0, 5])]
#[case::v11_enough_in_a_row(every_second(&json!({ "consecutiveSuccessLimit": 3, "failureLimit": 5 })), "PPFPPP", "Successful", "", [5, 1, 0, 0, 6])]
#[case::v12_nan_is_no_success(json!({}), "N", "Failed", "Metric \"m\" assessed Failed due to failed (1) > failureLimit (0)", [0, 1, 0, 0, 1])]
#[case::v13_nan_is_no_failure(json!({ "successCondition": null, "failureCondition": "result[0] > 1" }), "N", "Successful", "", [1, 0, 0, 0, 1])]
#[case::v14_neither(both(&json!({})), "I", "Inconclusive", "Metric \"m\" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0)", [0, 0, 1, 0, 1])]
#[case::v15_both(json!({ "failureCondition": "result[0] >= 1" }), "P", "Failed", "Metric \"m\" assessed Failed due to failed (1) > failureLimit (0)", [0, 1, 0, 0, 1])]
#[case::v17_all_of_nothing(json!({ "successCondition": "all(result, # < 1)" }), "-", "Successful", "", [1, 0, 0, 0, 1])]
#[case::nothing_to_judge_by(json!({ "successCondition": null }), "F", "Successful", "", [1, 0, 0, 0, 1])]
fn argo(
    #[case] patch: Json,
    #[case] letters: &str,
    #[case] phase: &str,
    #[case] message: &str,
    #[case] counters: [i32; 5],
) {
    let play = one("Argo", &patch, letters);
    assert_eq!(summary(&play), (phase.to_owned(), message.to_owned(), counters));
}

/// The same as Argo Rollouts unless the name says why not.
#[rstest]
#[case::v1(json!({}), "P", "Successful", "", [1, 0, 0, 0, 1])]
#[case::v2(every_second(&json!({ "count": 3 })), "PF", "Failed", "failed (1) > failureLimit (0)", [1, 1, 0, 0, 2])]
#[case::v3(every_second(&json!({ "count": 3, "failureLimit": 1 })), "FPP", "Successful", "", [2, 1, 0, 0, 3])]
#[case::v5(every_second(&json!({ "count": 5 })), "EEEEPPPPP", "Successful", "", [5, 0, 0, 4, 5])]
#[case::v6(every_second(&json!({ "count": 5 })), "E", "Error", "consecutiveErrors (5) > consecutiveErrorLimit (4)", [0, 0, 0, 5, 0])]
#[case::v7(every_second(&json!({ "count": 2 })), "EPEP", "Successful", "", [2, 0, 0, 2, 2])]
#[case::v9_says_why(every_second(&json!({ "count": 5, "consecutiveSuccessLimit": 3, "failureLimit": -1 })), "PPFPP", "Failed", "Metric \"m\" assessed Failed due to consecutiveSuccesses (2) < consecutiveSuccessLimit (3) after 5 measurements", [4, 1, 0, 0, 5])]
#[case::v10_says_why(every_second(&json!({ "count": 5, "consecutiveSuccessLimit": 3, "failureLimit": 2 })), "PPFPP", "Inconclusive", "Metric \"m\" assessed Inconclusive due to consecutiveSuccesses (2) < consecutiveSuccessLimit (3) after 5 measurements", [4, 1, 0, 0, 5])]
#[case::v11(every_second(&json!({ "consecutiveSuccessLimit": 3, "failureLimit": 5 })), "PPFPPP", "Successful", "", [5, 1, 0, 0, 6])]
#[case::v12_failed_stays_failed(json!({}), "N", "Failed", "failed (1) > failureLimit (0)", [0, 1, 0, 0, 1])]
#[case::v13_nan_says_nothing_about_the_version(json!({ "successCondition": null, "failureCondition": "result[0] > 1" }), "N", "Inconclusive", "not a number", [0, 0, 1, 0, 1])]
#[case::v14(both(&json!({})), "I", "Inconclusive", "inconclusive (1) > inconclusiveLimit (0)", [0, 0, 1, 0, 1])]
#[case::v15(json!({ "failureCondition": "result[0] >= 1" }), "P", "Failed", "failed (1) > failureLimit (0)", [0, 1, 0, 0, 1])]
#[case::v17_no_data_is_never_good(json!({ "successCondition": "all(result, # < 1)" }), "-", "Inconclusive", "no data", [0, 0, 1, 0, 1])]
fn strict(
    #[case] patch: Json,
    #[case] letters: &str,
    #[case] phase: &str,
    #[case] says: &str,
    #[case] counters: [i32; 5],
) {
    let play = one("Strict", &patch, letters);
    let (found, message, counted) = summary(&play);
    assert_eq!((found.as_str(), counted), (phase, counters), "{message}");
    assert!(
        message.contains(says) && message.is_empty() == says.is_empty(),
        "{message}"
    );
}

/// A limit that is never passed would call three failures a success.
#[test]
fn v4_strict_is_refused() {
    let spec = json!({ "metrics": [metric("m", &every_second(&json!({ "count": 3, "failureLimit": 3 })))] });
    let play = Play::of(spec, &[("m", "F")]).until_the_end();
    let (phase, message) = play.said();
    assert_eq!(phase, "Error");
    assert!(
        message.contains("failureLimit: Invalid value: 3: of 3 measurements"),
        "{message}"
    );
    assert_eq!(play.asked, []);
}

#[rstest]
fn v8_errors_win_over_failures(#[values("Argo", "Strict")] semantics: &str) {
    let mut play = one(
        semantics,
        &every_second(&json!({ "count": 9, "failureLimit": 1 })),
        "FEEEEF",
    );
    assert_eq!(play.status.phase, AnalysisPhase::Failed);
    // Both limits passed in one assessment, which only a status from elsewhere shows.
    let result = &mut play.status.metric_results.as_mut().unwrap()[0];
    (result.phase, result.consecutive_error) = (AnalysisPhase::Running, 5);
    play.status.phase = AnalysisPhase::Running;
    play.step(&[]);
    assert_eq!(play.status.phase, AnalysisPhase::Error);
}

#[rstest]
#[case::v16_no_first_element("result[0] > 1", "-", "nil or empty: no data returned from the metric provider")]
#[case::v18_no_bool("len(result)", "P", "expected bool, but got int")]
fn an_expression_that_does_not_fit_is_an_error(#[case] condition: &str, #[case] letters: &str, #[case] says: &str) {
    let play = one("Argo", &json!({ "successCondition": condition }), letters);
    let (phase, message) = play.said();
    assert_eq!(phase, "Error");
    assert!(message.contains(says), "{message}");
}

#[rstest]
#[case::v32_indexed("result[0] > 1", "Error")]
#[case::v32_plain("result > 1", "Successful")]
fn a_scalar_is_not_indexed(#[values("Argo", "Strict")] semantics: &str, #[case] condition: &str, #[case] phase: &str) {
    let spec = json!({ "semantics": semantics, "metrics": [metric("m", &json!({ "successCondition": condition }))] });
    let mut play = Play::of(spec, &[]);
    play.answers("m", vec![Answer::Scalar(2.0)]);
    assert_eq!(play.until_the_end().said().0, phase);
}

/// Two metrics of which `a` fails at its second measurement.
fn siblings(semantics: &str) -> Play {
    let metrics = json!([
        metric("a", &json!({ "interval": "10s", "count": 5 })),
        metric("b", &json!({ "interval": "1h", "count": 5 })),
    ]);
    Play::of(
        json!({ "semantics": semantics, "metrics": metrics }),
        &[("a", "PF"), ("b", "P")],
    )
}

#[test]
fn v19_argo_calls_the_other_metric_good_one_step_later() {
    let mut play = siblings("Argo");
    let first = play.step(&[]);
    let arrived = play.answer(&first.due);
    let second = play.step(&arrived);
    play.now = second.next.unwrap();
    let due = play.step(&[]).due;
    let arrived = play.answer(&due);
    let failed = play.step(&arrived);
    assert_eq!(failed.status.phase, AnalysisPhase::Running);
    assert_eq!((failed.next, failed.due), (Some(play.now), vec![]));
    assert_eq!(play.result("b").phase, AnalysisPhase::Running);
    play.step(&[]);
    assert_eq!(play.result("b").phase, AnalysisPhase::Successful);
    assert_eq!(
        play.said(),
        (
            "Failed".to_owned(),
            "Metric \"a\" assessed Failed due to failed (1) > failureLimit (0)".to_owned()
        )
    );
}

/// A metric that was stopped is not known to be good.
#[test]
fn v19_strict_ends_the_other_metric_at_once_and_says_why() {
    let play = siblings("Strict").until_the_end();
    let other = play.result("b");
    assert_eq!(other.phase, AnalysisPhase::Inconclusive);
    assert_eq!(
        other.message.as_deref(),
        Some("stopped after 1 measurements, before it was decided: metric \"a\" was assessed Failed")
    );
    assert_eq!(
        play.said(),
        (
            "Failed".to_owned(),
            "Metric \"a\" assessed Failed due to failed (1) > failureLimit (0)".to_owned()
        )
    );
    assert_eq!(play.status.run_summary.inconclusive, 1);
}

#[rstest]
fn v20_a_dry_run_changes_nothing(#[values("Argo", "Strict")] semantics: &str) {
    let metrics = json!([metric("a", &json!({})), metric("b", &json!({}))]);
    let spec = json!({ "semantics": semantics, "metrics": metrics, "dryRun": [{ "metricName": "a" }] });
    let play = Play::of(spec, &[("a", "F"), ("b", "P")]).until_the_end();
    assert_eq!(play.said(), ("Successful".to_owned(), String::new()));
    let dry_run = play.status.dry_run_summary.unwrap();
    assert_eq!((dry_run.count, dry_run.failed), (1, 1));
    assert_eq!(
        (play.status.run_summary.count, play.status.run_summary.successful),
        (1, 1)
    );
    let result = play.result("a");
    assert_eq!(result.dry_run, Some(true));
    assert_eq!(
        result.message.as_deref(),
        Some("Metric assessed Failed due to failed (1) > failureLimit (0)")
    );
}

#[rstest]
#[case::argo("Argo", "Successful", "Run Terminated")]
#[case::strict_knows_that_nothing_was_seen("Strict", "Inconclusive", "Run Terminated before anything was measured")]
fn v21_terminated_before_the_first_measurement(#[case] semantics: &str, #[case] phase: &str, #[case] message: &str) {
    let spec = json!({ "semantics": semantics, "terminate": true, "metrics": [metric("m", &json!({}))] });
    let play = Play::of(spec, &[]).until_the_end();
    assert_eq!(play.said(), (phase.to_owned(), message.to_owned()));
}

#[test]
fn v22_a_delay_counts_from_the_begin() {
    let metrics = json!([
        metric("now", &json!({})),
        metric("later", &json!({ "initialDelay": "5s" }))
    ]);
    let play = Play::of(json!({ "metrics": metrics }), &[("now", "P"), ("later", "P")]).until_the_end();
    assert_eq!(
        play.asked,
        [(0, "now".to_owned(), "start"), (5, "later".to_owned(), "start")]
    );
}

#[rstest]
#[case::v23_by_default(json!([]), 10)]
#[case::by_a_rule(json!([{ "metricName": "m", "limit": 3 }]), 3)]
#[case::no_limit_is_none(json!([{ "metricName": "m", "limit": 0 }]), 10)]
fn v23_the_last_are_kept(#[values("Argo", "Strict")] semantics: &str, #[case] rules: Json, #[case] kept: usize) {
    let patch = every_second(&json!({ "count": 12 }));
    let spec = json!({ "semantics": semantics, "metrics": [metric("m", &patch)], "measurementRetention": rules });
    let play = Play::of(spec, &[("m", "P")]).until_the_end();
    let result = play.result("m");
    assert_eq!(result.measurements.map(|measurements| measurements.len()), Some(kept));
    assert_eq!((result.count, result.successful), (12, 12));
}

#[rstest]
#[case::an_interval_of_minutes("5m")]
#[case::an_interval_of_a_second("1s")]
fn v27_an_error_is_tried_again_after_ten_seconds(#[values("Argo", "Strict")] semantics: &str, #[case] interval: &str) {
    let patch = json!({ "count": 1, "interval": interval });
    let play = one(semantics, &patch, "EP");
    let times: Vec<i64> = play.asked.iter().map(|(second, ..)| *second).collect();
    assert_eq!(times, [0, 10]);
}

#[rstest]
fn v31_what_is_under_way_is_taken_up_again(#[values("Argo", "Strict")] semantics: &str) {
    let job = json!({ "successCondition": null, "provider": { "job": { "spec": { "template": { "spec": {} } } } } });
    let mut play = Play::of(json!({ "semantics": semantics, "metrics": [metric("m", &job)] }), &[]);
    play.answers(
        "m",
        vec![
            Answer::Later(30),
            Answer::Later(30),
            Answer::Says(AnalysisPhase::Successful),
        ],
    );
    let play = play.until_the_end();
    assert_eq!(
        play.asked,
        [
            (0, "m".to_owned(), "start"),
            (30, "m".to_owned(), "resume"),
            (60, "m".to_owned(), "resume")
        ]
    );
    let result = play.result("m");
    assert_eq!((result.count, result.measurements.as_ref().map(Vec::len)), (1, Some(1)));
    let measurement = result.measurements.unwrap().remove(0);
    assert_eq!(measurement.started_at.unwrap().0, play.begun);
}

#[rstest]
#[case::argo("Argo", AnalysisPhase::Successful)]
#[case::strict_did_not_see_its_end("Strict", AnalysisPhase::Inconclusive)]
fn what_is_under_way_is_stopped_with_the_run(#[case] semantics: &str, #[case] phase: AnalysisPhase) {
    let job = json!({ "successCondition": null, "provider": { "job": { "spec": { "template": { "spec": {} } } } } });
    let mut play = Play::of(json!({ "semantics": semantics, "metrics": [metric("m", &job)] }), &[]);
    play.answers("m", vec![Answer::Later(300)]);
    let mut play = play.until(10);
    play.spec.terminate = Some(true);
    let due = play.step(&[]).due;
    assert_eq!(play.status.phase, AnalysisPhase::Running);
    let arrived = play.answer(&due);
    assert_eq!(play.asked.last().unwrap().2, "stop");
    play.step(&arrived);
    assert_eq!(play.status.phase, phase);
}

/// Argo Rollouts counts what a count ended as successful (its bug B1); strict semantics count what is there.
#[rstest]
#[case::argo("Argo", 1, 0)]
#[case::strict("Strict", 0, 1)]
fn b1_the_summary_of_a_count_that_was_reached(
    #[case] semantics: &str,
    #[case] successful: i32,
    #[case] inconclusive: i32,
) {
    let patch = every_second(&json!({ "count": 5, "consecutiveSuccessLimit": 3, "failureLimit": 2 }));
    let summary = one(semantics, &patch, "PPFPP").status.run_summary;
    assert_eq!(
        (summary.count, summary.successful, summary.inconclusive),
        (1, successful, inconclusive)
    );
}

#[test]
fn semantics_that_are_not_given_are_strict() {
    let spec = json!({ "metrics": [metric("m", &json!({ "successCondition": "all(result, # < 1)" }))] });
    let play = Play::of(spec, &[("m", "-")]).until_the_end();
    assert_eq!(play.spec.semantics.unwrap_or_default(), Semantics::Strict);
    assert_eq!(play.said().0, "Inconclusive");
}

//! Clusters that agree, and the ways in which they do not.

use std::time::Duration;

use rstest::rstest;

use crate::report::{compare::compare, json};
use crate::runner::{Report, Verdict};
use crate::{Check, Failure};

fn played(id: &str, verdict: Verdict) -> Report {
    let mut report = Report::skipped(id, "");
    report.verdict = verdict;
    report.took = Duration::from_secs(1);
    report
}

fn lost() -> Verdict {
    Verdict::Failed(vec![Failure::new(Check::LostRequest, "3 of 900 requests")])
}

fn text(cluster: &str, reports: &[Report]) -> (String, String) {
    (format!("{cluster}.json"), json(cluster, reports).to_string())
}

#[test]
fn the_same_verdicts_are_no_difference() {
    let embedded = [
        played("rollback", Verdict::Passed),
        played("an-hour", Verdict::Passed),
        played("rollback@httproute", Verdict::Passed),
        played("an-hour@httproute", Verdict::Passed),
    ];
    let local = [
        played("rollback@istio", Verdict::Passed),
        Report::skipped("an-hour@istio", "time is real there"),
    ];
    let compared = compare(&[text("embedded", &embedded), text("local", &local)]).unwrap();
    insta::assert_snapshot!(compared, @r"
    skipped an-hour on local@istio: time is real there
    compared embedded, embedded@httproute, local@istio: 2 scenarios alike, 0 different, 1 skipped
    ");
    assert!(compared.differences.is_empty());
}

#[test]
fn a_scenario_that_passes_here_and_fails_there_is_named() {
    let embedded = [played("rollback", Verdict::Passed), played("restart", Verdict::Passed)];
    let local = [played("rollback", lost()), played("restart", Verdict::Passed)];
    let compared = compare(&[text("embedded", &embedded), text("local", &local)]).unwrap();
    insta::assert_snapshot!(compared, @r"
    rollback:
        embedded: passed
        local: failed: lost-request: 3 of 900 requests
    compared embedded, local: 1 scenarios alike, 1 different, 0 skipped
    ");
}

#[test]
fn a_scenario_that_a_place_never_played_is_a_difference() {
    let embedded = [played("rollback", Verdict::Passed), played("restart", Verdict::Passed)];
    let local = [played("rollback", Verdict::Passed)];
    let compared = compare(&[text("embedded", &embedded), text("local", &local)]).unwrap();
    insta::assert_snapshot!(compared, @r"
    restart:
        embedded: passed
        local: never played, without a reason
    compared embedded, local: 1 scenarios alike, 1 different, 0 skipped
    ");
}

#[rstest]
#[case::no_report(&[("a.json", "{}")], "read a.json: missing field `cluster`")]
#[case::no_json(&[("a.json", "<html>")], "read a.json: expected value")]
#[case::one_place(&[("a.json", r#"{"cluster":"local","scenarios":[{"id":"x","result":"passed"}]}"#)], "only local was played on")]
#[case::nothing(&[("a.json", r#"{"cluster":"local","scenarios":[]}"#)], "only nothing was played on")]
#[case::the_same_place_twice(
    &[
        ("a.json", r#"{"cluster":"local","scenarios":[{"id":"x","result":"passed"}]}"#),
        ("b.json", r#"{"cluster":"local","scenarios":[{"id":"x","result":"passed"}]}"#),
    ],
    "b.json tells of local, and so does a report before it"
)]
fn what_cannot_be_compared_is_said(#[case] reports: &[(&str, &str)], #[case] said: &str) {
    let reports: Vec<_> = reports
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let error = compare(&reports).unwrap_err().to_string();
    assert!(error.starts_with(said), "{error}");
}

//! What a release costs the API server: the controller's writes are the same in every run, so a snapshot holds them.

use rstest::rstest;
use suites::{Report, Verdict};

use crate::embedded::{self, Play};

fn play(id: &str, seed: u64) -> Report {
    let report = embedded::play(&super::scenario(id), &Play::new(seed)).report;
    assert_eq!(report.verdict, Verdict::Passed);
    report
}

fn lines(report: &Report) -> String {
    report
        .writes
        .iter()
        .map(|(what, count)| format!("{count} {what}\n"))
        .collect()
}

#[rstest]
fn the_two_step_release_costs_the_same_with_every_seed(#[values(1, 7, 8)] seed: u64) {
    let report = play("two-step-release", seed);
    insta::allow_duplicates! {
        insta::assert_snapshot!(lines(&report), @"
        1 create batchreleases
        1 create deployments
        1 create ingresses
        1 create services
        1 delete batchreleases
        1 delete deployments
        1 delete ingresses
        1 delete services
        1 patch batchreleases
        2 patch batchreleases/status
        4 patch deployments
        1 patch ingresses
        2 patch rollouts
        8 patch rollouts/status
        2 patch services
        ");
    }
    assert!(report.writes_in_all() <= 28, "the budget of a two-step release");
}

#[rstest]
fn the_walkthrough_costs_the_same_with_every_seed(#[values(1, 7, 8)] seed: u64) {
    let report = play("walkthrough", seed);
    insta::allow_duplicates! {
        insta::assert_snapshot!(lines(&report), @"
        2 create batchreleases
        2 create deployments
        2 create ingresses
        2 create services
        2 delete batchreleases
        2 delete deployments
        2 delete ingresses
        2 delete services
        2 patch batchreleases/status
        6 patch deployments
        4 patch rollouts
        10 patch rollouts/status
        4 patch services
        ");
    }
}

//! What a release costs the API server: the controller's writes are the same in every run, so a snapshot holds them.

use rstest::rstest;
use suites::{Report, Verdict, scenarios};

use crate::embedded;

fn play(id: &str, seed: u64) -> Report {
    let scenario = scenarios::all()
        .into_iter()
        .find(|known| known.id == id)
        .expect("the scenario is in the list");
    embedded::play(&scenario, &embedded::Play::new(seed)).report
}

#[rstest]
fn the_two_step_release_costs_the_same_with_every_seed(#[values(1, 7, 8)] seed: u64) {
    let report = play("two-step-release", seed);
    assert_eq!(report.verdict, Verdict::Passed);
    let lines: Vec<String> = report
        .writes
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    assert_eq!(
        lines,
        [
            "1 create batchreleases",
            "1 create deployments",
            "1 create ingresses",
            "1 create services",
            "1 delete batchreleases",
            "1 delete deployments",
            "1 delete ingresses",
            "1 delete services",
            "2 patch batchreleases",
            "2 patch batchreleases/status",
            "4 patch deployments",
            "1 patch ingresses",
            "8 patch rollouts/status",
            "2 patch services",
        ]
    );
    assert!(report.writes_in_all() <= 28, "the budget of a two-step release");
}

//! Judged releases: what is told and recorded of a good one and of a bad one, and that the committed pages are those that the command writes.

use std::process::ExitCode;
use std::time::Duration;

use crate::demo::judged::Quality;
use crate::demo::record::{By, Outcome, Record, Verdict};
use crate::demo::{SEED, page_about, recorded};

const GOOD: &str = include_str!("../../../../../docs/demo/good-release.html");
const BAD: &str = include_str!("../../../../../docs/demo/bad-release.html");

fn told(quality: Quality, seed: u64) -> (Record, String) {
    let mut out = Vec::new();
    let (record, code) = recorded(quality, seed, &mut out).expect("the release goes as told");
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    (record, String::from_utf8(out).expect("it is text"))
}

/// Compares without printing two whole pages.
fn is_as_committed(page: &str, committed: &str, command: &str) {
    let differs = page.lines().zip(committed.lines()).find(|(new, old)| new != old);
    let differs = differs.map(|(new, old)| format!("{old}\nis now\n{new}\n"));
    assert!(
        page == committed,
        "the committed page is not the one that the command writes; look at what changed, then: {command}\n{}",
        differs.unwrap_or_default()
    );
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[test]
fn a_bad_release_is_taken_back_before_anybody_approves() {
    let (record, lines) = told(Quality::Bad, SEED);
    let page = page_about(&record, Quality::Bad, SEED);
    is_as_committed(
        &page,
        BAD,
        "cargo xtask demo --bad-release --html docs/demo/bad-release.html",
    );

    assert_eq!(record.outcome, Some(Outcome::RolledBack));
    assert!((record.most_weight() - 0.2).abs() < 1e-9, "{}", record.most_weight());
    let bad = record
        .measurements
        .iter()
        .filter(|measured| measured.verdict == Verdict::Bad)
        .count();
    assert_eq!(
        bad, 4,
        "the fourth bad measurement is one too many: {:?}",
        record.measurements
    );
    let ended = record.split_ended().expect("the traffic goes back");
    let last = record.measurements.last().expect("measurements").at;
    assert!(
        ended > last && ended - last < minutes(1),
        "traffic leaves right after the verdict: {last:?}, {ended:?}"
    );
    let (lowest_at, lowest) = record.lowest_rate().expect("a rate");
    assert!(
        (0.7..0.9).contains(&lowest) && lowest_at < ended + minutes(1),
        "{lowest} at {lowest_at:?}"
    );
    let end = record.looks.last().expect("looks");
    assert_eq!(
        (end.weight, end.old, end.new, end.rate),
        (0.0, 5, 0, Some(1.0)),
        "all is as before"
    );
    assert!(
        record.requests.failed > 0,
        "a closed loop: what failed is what was measured"
    );

    let people: Vec<_> = record
        .decisions
        .iter()
        .filter(|decision| decision.by == By::Person)
        .collect();
    assert_eq!(people.len(), 2, "only the image is set and put back: {people:?}");
    let taken = record
        .decisions
        .iter()
        .find(|decision| decision.what.contains("taken back"))
        .expect("it is taken back");
    assert!(
        taken.by == By::Analysis && taken.why.contains("failureLimit"),
        "in the analysis' own words: {taken:?}"
    );
    for words in [
        "measurement 5",
        "bad; 4 bad so far",
        "the release is rolled back",
        "Nothing is left behind",
    ] {
        assert!(lines.contains(words), "{words:?} is not told in:\n{lines}");
    }
}

#[test]
fn a_good_release_goes_through_with_one_approval() {
    let (record, lines) = told(Quality::Good, SEED);
    let page = page_about(&record, Quality::Good, SEED);
    is_as_committed(&page, GOOD, "cargo xtask demo --html docs/demo/good-release.html");

    assert_eq!(record.outcome, Some(Outcome::Completed));
    assert_eq!(record.requests.failed, 0);
    assert!(
        record.measurements.len() >= 4
            && record
                .measurements
                .iter()
                .all(|measured| measured.verdict == Verdict::Good)
    );
    assert!((record.most_weight() - 0.6).abs() < 1e-9, "{}", record.most_weight());
    let end = record.looks.last().expect("looks");
    assert_eq!(
        (end.weight, end.old, end.new),
        (1.0, 0, 5),
        "the new version has taken over"
    );
    let approved = record
        .decisions
        .iter()
        .find(|decision| decision.why.contains("rollout approve"));
    assert!(
        approved.is_some_and(|decision| decision.at > minutes(10)),
        "{:?}",
        record.decisions
    );
    assert!(lines.contains("Nothing is left behind"), "{lines}");
}

#[test]
fn another_seed_is_another_page_of_the_same_release() {
    let (record, _) = told(Quality::Bad, 7);
    let page = page_about(&record, Quality::Bad, 7);
    assert!(page != BAD && page.contains("--bad-release --html FILE --seed 7"));
    assert_eq!(record.outcome, Some(Outcome::RolledBack));
}

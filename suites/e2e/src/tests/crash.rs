//! A kill is a kill and a lost answer is none; the release goes on after either.

use std::sync::Arc;

use controller::LeaderElection;
use env::HttpService;
use rstest::rstest;
use suites::Verdict;
use tidepool::Cut;

use crate::args::Blow;
use crate::embedded::{self, Care, Play, Strike};

fn care(strike: Option<Strike>) -> Care {
    Care {
        leader_election: LeaderElection::lease(),
        strike,
        ..Care::default()
    }
}

#[rstest]
#[case::before(Cut::BeforeCommit, 2)]
#[case::after(Cut::AfterCommit, 2)]
#[case::lost(Cut::LoseAnswer, 1)]
fn after_a_kill_another_process_ends_the_release(#[case] how: Cut, #[case] processes: usize) {
    let strike = Strike {
        process: 1,
        write: 30,
        how,
    };
    let played = embedded::play(
        &super::scenario("two-step-release"),
        &Play::new(1).with(care(Some(strike))),
    );
    assert_eq!(played.report.verdict, Verdict::Passed);
    assert_eq!(played.writes.len(), processes);
    if processes == 2 {
        assert_eq!(played.writes[0].len(), 30, "a killed process writes nothing more");
        let first = &played.writes[1][0];
        assert_eq!((first.verb, first.resource.as_str()), ("update", "leases"));
    }
}

#[test]
fn a_panic_of_the_controller_is_the_scenarios_failure() {
    let care = Care {
        layer: Some(Arc::new(|number, inner| {
            HttpService::new(move |request| {
                let inner = inner.clone();
                async move {
                    let writes = request.method() == http::Method::PATCH;
                    assert!(!(number == 1 && writes), "no way on");
                    inner.send(request).await
                }
            })
        })),
        ..Care::default()
    };
    let played = embedded::play(&super::scenario("walkthrough"), &Play::new(1).with(care));
    let said: Vec<String> = played.report.failures().iter().map(ToString::to_string).collect();
    assert_eq!(said, ["cluster: the controller panicked: no way on"]);
}

#[test]
fn a_run_comes_to_the_same_write_again() {
    let plain = embedded::play(&super::scenario("two-step-release"), &Play::new(1).with(care(None)));
    let again = embedded::play(&super::scenario("two-step-release"), &Play::new(1).with(care(None)));
    assert_eq!(plain.writes, again.writes);
}

#[rstest]
#[case("17:after-commit", Some(Blow { write: 17, how: Cut::AfterCommit }))]
#[case("1:lose-answer", Some(Blow { write: 1, how: Cut::LoseAnswer }))]
#[case("0:before-commit", None)]
#[case("17:later", None)]
#[case("before-commit", None)]
fn a_blow_is_read_as_it_is_written(#[case] text: &str, #[case] expected: Option<Blow>) {
    let read = text.parse::<Blow>();
    assert_eq!(read.clone().ok(), expected);
    match read {
        Ok(blow) => assert_eq!(blow.to_string(), text),
        Err(message) => assert!(message.contains("17:after-commit"), "{message}"),
    }
}

//! What a person types and reads, without a cluster.

mod judged;

use api::v1beta1::Rollout;
use clap::Parser;
use rstest::rstest;
use serde_json::{Value, json};

use crate::args::{Args, Root};
use crate::change::{self, Change, Refused};
use crate::target::{self, Selection};
use crate::undo;
use crate::view::{self, Verdict};

/// The walkthrough's Rollout with a second step, in a given place.
fn rollout(phase: &str, state: &str, succeeded: Option<&str>) -> Rollout {
    let conditions: Vec<_> = succeeded
        .map(|status| json!({ "type": "Succeeded", "status": status, "reason": "", "message": "" }))
        .into_iter()
        .collect();
    serde_json::from_value(json!({
        "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout",
        "metadata": { "name": "rollouts-demo", "namespace": "default", "generation": 1 },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "echoserver" },
            "strategy": { "canary": {
                "enableExtraWorkloadForCanary": true,
                "steps": [{ "traffic": "5%", "replicas": 1, "pause": {} }, { "traffic": "40%", "replicas": "40%", "pause": { "duration": 600 } }],
                "trafficRoutings": [{ "service": "echoserver", "ingress": { "name": "echoserver" } }],
            } },
        },
        "status": {
            "observedGeneration": 1, "phase": phase, "message": "text", "currentStepIndex": 1, "currentStepState": state,
            "conditions": conditions,
            "canaryStatus": {
                "currentStepIndex": 1, "nextStepIndex": 2, "currentStepState": state, "finalisingStep": "", "podTemplateHash": "h",
                "stableRevision": "old", "canaryRevision": "new", "canaryReplicas": 1, "canaryReadyReplicas": 1,
            },
        },
    }))
    .unwrap()
}

fn waiting() -> Rollout {
    rollout("Progressing", "StepPaused", None)
}

fn because(refused: Result<Change, Refused>) -> String {
    match refused {
        Err(Refused::Because(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn approving_tests_what_was_looked_at() {
    let Ok(Change::Status { operations, said }) = change::approve(&waiting(), Some(1), Some("new")) else {
        panic!()
    };
    assert_eq!(said, "approved");
    insta::assert_snapshot!(operations, @r#"[{"op":"test","path":"/status/canaryStatus/currentStepIndex","value":1},{"op":"test","path":"/status/canaryStatus/canaryRevision","value":"new"},{"op":"test","path":"/status/canaryStatus/currentStepState","value":"StepPaused"},{"op":"replace","path":"/status/canaryStatus/currentStepState","value":"StepReady"}]"#);
}

#[test]
fn approving_what_does_not_wait_says_why() {
    assert_eq!(
        change::approve(&rollout("Progressing", "StepReady", None), None, None),
        Err(Refused::Nothing("already approved"))
    );
    insta::assert_snapshot!(because(change::approve(&rollout("Progressing", "StepUpgrade", None), None, None)), @"does not allow to approve, because current canary state is not 'StepPaused': it is at step 1/2 (StepUpgrade) of revision new");
    insta::assert_snapshot!(because(change::approve(&Rollout::default(), None, None)), @"needs no approval: not in canary or blue-green progress");
    insta::assert_snapshot!(because(change::approve(&waiting(), Some(2), None)), @"is not at step 2 but at step 1/2 (StepPaused) of revision new; nothing was approved, look again");
    insta::assert_snapshot!(because(change::approve(&waiting(), None, Some("older"))), @"is not at revision older but at step 1/2 (StepPaused) of revision new; nothing was approved, look again");
}

#[test]
fn jumping_is_bound_too() {
    insta::assert_snapshot!(match change::jump(&waiting(), 1) { Ok(Change::Status { operations, .. }) => operations, other => panic!("{other:?}") }, @r#"[{"op":"test","path":"/status/canaryStatus/currentStepIndex","value":1},{"op":"test","path":"/status/canaryStatus/canaryRevision","value":"new"},{"op":"replace","path":"/status/canaryStatus/nextStepIndex","value":1}]"#);
    insta::assert_snapshot!(because(change::jump(&waiting(), 3)), @"has no step 3; its steps are 1 to 2");
    insta::assert_snapshot!(because(change::jump(&waiting(), 2)), @"goes to step 2 next anyway; use approve when it waits");
    insta::assert_snapshot!(because(change::jump(&rollout("Healthy", "Completed", None), 1)), @"has no release under way, so there is no step to jump from");
}

#[test]
fn pausing_and_resuming() {
    let mut rollout = waiting();
    assert_eq!(because(change::resume(&rollout)), "is not paused");
    assert_eq!(change::pause(&rollout).unwrap().said(), "paused");
    rollout.spec.strategy.paused = Some(true);
    assert_eq!(because(change::pause(&rollout)), "is already paused");
    assert_eq!(change::resume(&rollout).unwrap().said(), "resumed");
}

#[rstest]
#[case::waits(waiting(), Verdict::Paused)]
#[case::works(rollout("Progressing", "StepUpgrade", None), Verdict::UnderWay)]
#[case::promoted(rollout("Healthy", "Completed", Some("True")), Verdict::Completed)]
#[case::rolled_back(rollout("Healthy", "Completed", Some("False")), Verdict::RolledBack)]
#[case::first(rollout("Healthy", "Completed", None), Verdict::Completed)]
#[case::unseen(Rollout::default(), Verdict::UnderWay)]
fn verdicts(#[case] rollout: Rollout, #[case] verdict: Verdict) {
    assert_eq!(view::verdict(&rollout), verdict);
}

#[test]
fn an_older_status_proves_nothing() {
    let mut stale = rollout("Healthy", "Completed", Some("True"));
    stale.metadata.generation = Some(2);
    assert_eq!(view::verdict(&stale), Verdict::UnderWay);
}

#[test]
fn a_timed_pause_is_not_a_wait_for_a_person() {
    let mut timed = waiting();
    timed.status.as_mut().unwrap().common_mut().unwrap().current_step_index = Some(2);
    assert_eq!(view::verdict(&timed), Verdict::UnderWay);
}

#[test]
fn what_is_printed() {
    insta::assert_snapshot!(view::line(&waiting()), @"Progressing, step 1/2 (StepPaused) of revision new: text");
    insta::assert_snapshot!(view::line(&rollout("Healthy", "Completed", None)), @"Healthy: text");
    insta::assert_snapshot!(view::description(&waiting(), &[]), @r#"
Name:              rollouts-demo
Namespace:         default
Status:            Progressing
Message:           text
Workload:          Deployment/echoserver (apps/v1)
Strategy:          Canary
 Step:             1/2
 Steps:
                   * replicas 1, traffic 5%, until approved  StepPaused
                   - replicas 40%, traffic 40%, for 600 s
Traffic Routings:  Service echoserver
                   Ingress echoserver (nginx)
Current Revision:  old
Update Revision:   new
"#);
}

fn targets(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    match target::parse(&words) {
        Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(failure) => failure.to_string(),
    }
}

#[rstest]
#[case(&["rollout/a"], "rollout.rollouts.kruise.io/a")]
#[case(&["rollouts", "a", "b"], "rollout.rollouts.kruise.io/a rollout.rollouts.kruise.io/b")]
#[case(&["rollouts.rollouts.kruise.io/a", "rollout/b"], "rollout.rollouts.kruise.io/a rollout.rollouts.kruise.io/b")]
#[case(&["rollouts.argoproj.io/a"], "\"rollouts.argoproj.io\" is not a Rollout of rollouts.kruise.io; write rollout/a")]
#[case(&["rollout/a", "b"], "\"b\" is not TYPE/NAME; write rollout/NAME, or rollout NAME")]
fn objects_by_full_group(#[case] words: &[&str], #[case] says: &str) {
    assert_eq!(targets(words), says);
}

#[rstest]
#[case(&["a", "ar/b", "AnalysisRun/c"], "analysisrun.rollouts.kruise.io/a analysisrun.rollouts.kruise.io/b analysisrun.rollouts.kruise.io/c")]
#[case(&["rollout/a"], "\"rollout\" is not an AnalysisRun of rollouts.kruise.io; write analysisrun/a")]
#[case(&["ar/"], "\"\" is not a name; write analysisrun/NAME")]
fn runs_by_name(#[case] words: &[&str], #[case] says: &str) {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let told = match target::runs(&words) {
        Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(failure) => failure.to_string(),
    };
    assert_eq!(told, says);
}

/// What a command line is about, or why it is about nothing.
#[rstest]
#[case("rollout get rollouts", "all with \"\"")]
#[case("rollout get rollouts -A -l app=shop", "all with \"app=shop\" everywhere")]
#[case("rollout approve rollout -l app=shop", "all with \"app=shop\"")]
#[case(
    "rollout approve rollout",
    "required resource not specified; write rollout/NAME, or --selector"
)]
#[case(
    "rollout approve rollout/a -l app=shop",
    "name cannot be provided when a selector is specified"
)]
#[case(
    "rollout get rollout/a -A",
    "a resource cannot be retrieved by name across all namespaces; leave --all-namespaces out, or the name"
)]
fn chosen_without_a_name(#[case] line: &str, #[case] says: &str) {
    let args =
        Args::try_parse_from(std::iter::once("kubectl-tidegate").chain(line.split(' '))).expect("it is well formed");
    let Root::Rollout { verb } = args.root else {
        panic!("{line}")
    };
    let said = match target::select(&verb) {
        Ok(Selection::Matching { labels, everywhere }) => {
            format!("all with {labels:?}{}", if everywhere { " everywhere" } else { "" })
        }
        Ok(Selection::Named(targets)) => format!("{targets:?}"),
        Err(failure) => failure.to_string(),
    };
    assert_eq!(said, says);
}

#[rstest]
#[case("rollout approve rollout/rollouts-demo -n default", true)]
#[case(
    "rollout approve rollout rollouts-demo --step 2 --revision abc --dry-run=server",
    true
)]
#[case("rollout status rollout/a -w --timeout 5m -o yaml", true)]
#[case("rollout status rollout/a --watch=false --until-paused", true)]
#[case("rollout jump rollout/a --to-step 3", true)]
#[case("rollout pause rollout/a --dry-run", true)]
#[case("-n shop --context c rollout get rollouts -A -o json", true)]
#[case("rollout get rollouts -l app=shop", true)]
#[case("rollout status rollout/a --timeout 1h30m", true)]
#[case("rollout status rollout/a --timeout 0", true)]
#[case("rollout get rollout/a --dry-run", false)]
#[case("rollout approve rollout/a -A", false)]
#[case("rollout status rollout/a --timeout 5d", false)]
#[case("rollout retry rollout/a --dry-run=server", true)]
#[case("rollout retry rollout/a -A", false)]
#[case("analysis list -A --rollout shop -l rollout-type=Step", true)]
#[case("analysis get a analysisrun/b -o yaml -n shop", true)]
#[case("analysis get", false)]
#[case("analysis terminate a --dry-run", true)]
#[case("analysis run -f - --arg service-name=shop --arg query=a=b --metric errors", true)]
#[case("analysis run", false)]
#[case("analysis run -f a.yaml --arg service-name", false)]
#[case("rollout jump rollout/a", false)]
#[case("rollout approve", false)]
#[case("rollout status rollout/a --timeout soon", false)]
fn command_lines(#[case] line: &str, #[case] good: bool) {
    let words = std::iter::once("kubectl-tidegate").chain(line.split(' '));
    assert_eq!(Args::try_parse_from(words).is_ok(), good);
}

#[test]
fn undoing_takes_the_stable_template_without_its_hash() {
    let template = |image: &str, labels: Value| json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "e", "image": image }] } });
    let now = template("e:2", json!({ "app": "e" }));
    let then = template("e:1", json!({ "app": "e", "pod-template-hash": "old" }));
    let operations = undo::operations(&now, &then).unwrap();
    assert_eq!(
        operations,
        [json!({ "op": "replace", "path": "/spec/template", "value": template("e:1", json!({ "app": "e" })) })]
    );
    assert_eq!(undo::operations(&template("e:1", json!({ "app": "e" })), &then), None);
}

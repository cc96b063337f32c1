//! How long capacity stays after traffic left it, and who serves while the workload itself rolls.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::front::weight;
use super::model::Model;
use super::walkthrough::{approve, healthy, hour, inventory, state};
use crate::Kind;

fn to_all() -> Value {
    json!([{"traffic": "20%", "replicas": 1, "pause": {}}, {"traffic": "100%", "replicas": "100%"}])
}

/// A release whose first step waits, with this grace.
fn waiting(steps: Value, grace: i64) -> Model {
    let mut model = healthy(steps);
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"][0]["gracePeriodSeconds"] = json!(grace);
    });
    model.set_image("v2");
    model.run(hour());
    model
}

#[test]
fn the_canary_serves_everything_while_the_workload_rolls() {
    let mut model = waiting(to_all(), 3);
    let before = inventory(&healthy(to_all()));
    model.log.clear();
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Healthy 2 Completed weight 0");
    insta::assert_snapshot!(model.log.join("\n"), @r#"
    patch BatchRelease rollouts-demo spec
    patch Deployment echoserver-ng7g8 replicas=5
    status Rollout rollouts-demo "Progressing" 2 "StepUpgrade"
    status BatchRelease rollouts-demo "Progressing" 1 "Ready"
    patch Ingress echoserver-canary nginx.ingress.kubernetes.io~1canary-weight="100"
    status Rollout rollouts-demo "Progressing" 2 "StepTrafficRouting"
    status Rollout rollouts-demo "Progressing" 2 "StepPaused"
    patch Service echoserver -pod-template-hash
    status Rollout rollouts-demo "Progressing" 2 "Completed"
    patch Deployment echoserver -in-progressing,-control-info,-stable-revision,-paused
    patch Service echoserver pod-template-hash
    status Rollout rollouts-demo "Progressing" 2 "Completed"
    delete Ingress echoserver-canary
    status Rollout rollouts-demo "Progressing" 2 "Completed"
    delete Deployment echoserver-ng7g8
    delete BatchRelease rollouts-demo
    patch Deployment echoserver-ng7g8 -0
    patch Service echoserver -pod-template-hash
    delete Service echoserver-canary
    status Rollout rollouts-demo "Healthy" 2 "Completed"
    patch Rollout rollouts-demo -finalizers
    "#);
    let left: Vec<_> = inventory(&model)
        .into_iter()
        .map(|(kind, name, _)| (kind, name))
        .collect();
    let there: Vec<_> = before.into_iter().map(|(kind, name, _)| (kind, name)).collect();
    assert_eq!(left, there);
    let writes = model.log.len();
    model.run(hour());
    assert_eq!(model.log.len(), writes, "nothing is written when idle");
}

#[rstest]
#[case::ingress_nginx_may_take_longer_than_the_grace(3, 4_500)]
#[case::a_longer_grace_is_kept(10, 10_000)]
#[case::zero_is_the_users_word(0, 0)]
fn capacity_stays_until_the_slowest_gateway_has_followed(#[case] grace: i64, #[case] stays: i64) {
    let mut model = waiting(to_all(), grace);
    assert_eq!(weight(&model), 20);
    model.set_image("v1");
    let canary = |model: &Model| {
        let mut names = model.objects.keys().filter(|(kind, _)| *kind == Kind::Deployment);
        names.any(|(_, name)| name != "echoserver")
    };
    if stays > 0 {
        model.run(SignedDuration::from_millis(stays - 1));
        assert!(canary(&model), "its pods serve whoever comes late");
        assert_eq!(weight(&model), 0);
    }
    model.run(SignedDuration::from_millis(1));
    model.run(SignedDuration::ZERO);
    assert!(!canary(&model), "and no longer than needed");
}

//! The API server goes away under a running process and comes back.

use std::time::Duration;

use crate::bed::{SOON, Tidegate, until};
use crate::cluster::{Cluster, article};

const AWAY: Duration = Duration::from_secs(10);

/// The warnings and errors of a log, without their times.
fn troubles(log: &str) -> Vec<&str> {
    let told = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
    log.lines()
        .filter(told)
        .filter_map(|line| Some(line.split_once(' ')?.1.trim()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_goes_away_for_ten_seconds_is_waited_for_by_the_same_process() {
    let cluster = Cluster::start().await;
    let env = cluster.env.clone();
    cluster.install().await;
    let (mut relay, kubeconfig) = cluster.relayed().await;
    let tidegate = Tidegate::run(&[
        "--kubeconfig",
        &kubeconfig,
        "--webhook-url",
        "https://127.0.0.1:0",
        "--leader-elect",
    ]);
    cluster.until_ready(&tidegate).await;
    for object in article() {
        cluster.create(&object).await.expect("created");
    }
    cluster
        .until_rollout("an idle rollout", |rollout| rollout["status"]["phase"] == "Healthy")
        .await;
    cluster.image("1.10.3").await;
    let begun = cluster
        .until_rollout("a release", |rollout| rollout["status"]["phase"] == "Progressing")
        .await;

    relay.cut();
    env.sleep(AWAY).await;
    let (status, _) = tidegate.get(&env, "probes", "/healthz").await;
    assert_eq!(status, 200);
    let now = cluster
        .get("rollouts.kruise.io/v1beta1", "Rollout", "rollouts-demo")
        .await;
    let step = |rollout: &serde_json::Value| rollout["status"]["currentStepIndex"].clone();
    assert_eq!(step(&now), step(&begun), "{now:#}");

    relay.mend().await;
    cluster
        .until_rollout("a pause", |rollout| {
            rollout["status"]["currentStepState"] == "StepPaused"
        })
        .await;
    until(&env, "the leader", SOON, || async {
        let (_, metrics) = tidegate.get(&env, "metrics", "/metrics").await;
        if metrics.contains("\ntidegate_leading 1\n") {
            Ok(())
        } else {
            Err(tidegate.log())
        }
    })
    .await;
    tidegate.signal("TERM");
    let (status, log) = tidegate.ended(&env).await;
    assert!(status.success(), "{log}");
    let troubles = troubles(&log);
    // It is told once, and once more by a replica that has lost its lease by it and stands for election again.
    let told = |words: &str| troubles.iter().filter(|line| line.contains(words)).count();
    let away = told("the API server does not answer");
    assert!((1..=2).contains(&away), "{troubles:#?}");
    let lost = told("could not be renewed in time") + told("stopped writing until this replica leads again");
    assert!(lost <= 2 && away + lost == troubles.len(), "{troubles:#?}");
    cluster.stop().await;
}

//! Two processes: one writes, both answer webhooks, and the second takes over when the first dies or leaves.

use serde_json::Value;

use crate::bed::{SOON, Tidegate, until};
use crate::cluster::{Cluster, article};

fn start(cluster: &Cluster) -> Tidegate {
    let path = cluster.kubeconfig.display().to_string();
    Tidegate::run(&[
        "--kubeconfig",
        &path,
        "--webhook-url",
        "https://127.0.0.1:0",
        "--leader-elect",
        "--lease-duration",
        "3",
    ])
}

/// Waits for a line of the metrics.
async fn shows(cluster: &Cluster, tidegate: &Tidegate, line: &str) {
    until(&cluster.env, line, SOON, || async {
        let (_, metrics) = tidegate.get(&cluster.env, "metrics", "/metrics").await;
        let shown = metrics.lines().any(|written| written == line);
        if shown { Ok(()) } else { Err(tidegate.log()) }
    })
    .await;
}

/// Takes the lease as `identity`, whoever holds it.
async fn take(cluster: &Cluster, identity: &str) {
    let leases: kube::Api<k8s_openapi::api::coordination::v1::Lease> =
        kube::Api::namespaced(cluster.client.clone(), "tidegate");
    let patch = serde_json::json!({ "spec": { "holderIdentity": identity, "leaseDurationSeconds": 3 } });
    leases
        .patch(
            api::names::LEADER_LEASE,
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(patch),
        )
        .await
        .expect("taken");
}

async fn holder(cluster: &Cluster) -> String {
    let leases: kube::Api<k8s_openapi::api::coordination::v1::Lease> =
        kube::Api::namespaced(cluster.client.clone(), "tidegate");
    let lease = leases.get(api::names::LEADER_LEASE).await.expect("a lease");
    lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_does_not_lead_converts_and_takes_over() {
    let cluster = Cluster::start().await;
    cluster.install().await;
    let first = start(&cluster);
    shows(&cluster, &first, "tidegate_leading 1").await;
    // The one that comes later has the webhooks point at itself.
    let second = start(&cluster);
    cluster.until_ready(&second).await;
    for object in article() {
        cluster.create(&object).await.expect("created");
    }
    let read: Value = cluster
        .get("rollouts.kruise.io/v1alpha1", "Rollout", "rollouts-demo")
        .await;
    assert_eq!(read["spec"]["strategy"]["canary"]["steps"][0]["weight"], 5);
    let (_, metrics) = second.get(&cluster.env, "metrics", "/metrics").await;
    assert!(
        metrics.contains("tidegate_reviews_total{path=\"/convert\",outcome=\"converted\"}"),
        "{metrics}"
    );
    assert!(metrics.contains("\ntidegate_leading 0\n"), "{metrics}");
    cluster
        .until_rollout("the first one's work", |rollout| {
            rollout["status"]["phase"] == "Healthy"
        })
        .await;

    // Killed: the lease has to run out.
    let before = holder(&cluster).await;
    drop(first);
    shows(&cluster, &second, "tidegate_leading 1").await;
    assert_ne!(holder(&cluster).await, before);

    // Asked to leave: the lease is given back.
    let third = start(&cluster);
    shows(&cluster, &third, "tidegate_leading 0").await;
    second.signal("TERM");
    let (status, log) = second.ended(&cluster.env).await;
    assert!(status.success(), "{log}");
    shows(&cluster, &third, "tidegate_leading 1").await;

    // Robbed of the lease: it stops writing, and takes it again when the thief does not renew it.
    take(&cluster, "thief").await;
    shows(&cluster, &third, "tidegate_leading 0").await;
    shows(&cluster, &third, "tidegate_leading 1").await;
    assert!(
        third
            .log()
            .contains("was lost; stopped writing until this replica leads again")
    );
    third.signal("INT");
    let (status, log) = third.ended(&cluster.env).await;
    assert!(status.success(), "{log}");
    assert_eq!(holder(&cluster).await, "", "nobody leads");
    cluster.stop().await;
}

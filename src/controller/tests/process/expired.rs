//! A Secret whose certificate has expired, at the start of a process: ours is made anew and the webhooks work, somebody else's is named.

use controller::serve::Certificate;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::bed::Tidegate;
use crate::cluster::{Cluster, article};

const DAY: i64 = 24;

/// A Secret of the webhooks with a certificate that was made so many days ago.
fn secret(cluster: &Cluster, days: i64, labels: &Value) -> Value {
    let from = cluster.env.now() - SignedDuration::from_hours(days * DAY);
    let made = Certificate::make_from(&["127.0.0.1".to_owned()], from).expect("made");
    let (chain, key) = made.pem();
    let text = |pem: &[u8]| String::from_utf8(pem.to_vec()).expect("PEM");
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": "tidegate", "name": api::names::webhook::CERTS_SECRET, "labels": labels },
        "stringData": { "tls.crt": text(chain), "tls.key": text(key), "ca.crt": text(made.authority()) },
    })
}

fn start(cluster: &Cluster) -> Tidegate {
    let path = cluster.kubeconfig.display().to_string();
    let url = "https://127.0.0.1:0";
    Tidegate::run(&["--kubeconfig", &path, "--webhook-url", url, "--leader-elect"])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_ours_is_made_anew_at_the_start_and_the_webhooks_work() {
    let cluster = Cluster::start().await;
    cluster.install().await;
    let expired = secret(&cluster, 91, &json!({ "app.kubernetes.io/managed-by": "tidegate" }));
    cluster.create(&expired).await.expect("created");
    let tidegate = start(&cluster);
    cluster.until_ready(&tidegate).await;
    for object in article() {
        cluster.create(&object).await.expect("created");
    }
    let mut bad = article().pop().expect("a rollout");
    bad["metadata"]["name"] = json!("bad");
    bad["spec"]["strategy"]["canary"]["steps"][0]["weight"] = json!(400);
    let error = cluster.create(&bad).await.expect_err("refused").to_string();
    assert!(error.contains("admission webhook \"vrollout.kb.io\" denied"), "{error}");
    cluster
        .until_rollout("an idle rollout", |rollout| rollout["status"]["phase"] == "Healthy")
        .await;
    let log = tidegate.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(
        matches!(warnings.as_slice(), [one] if one.contains("certificate has expired or is for another address; replacing it")),
        "{log}"
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_somebody_else_ends_the_start_with_what_to_do() {
    let cluster = Cluster::start().await;
    cluster.install().await;
    cluster
        .create(&secret(&cluster, 91, &json!({})))
        .await
        .expect("created");
    let (status, log) = start(&cluster).ended(&cluster.env).await;
    assert_eq!(status.code(), Some(1), "{log}");
    let last = log.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("tidegate: the webhooks' certificate is not good for 127.0.0.1: ") && last.contains("expired"),
        "{log}"
    );
    assert!(last.contains("delete the Secret that holds it"), "{log}");
    cluster.stop().await;
}

//! One process against an API server: webhooks over TLS, a release, probes and metrics, and an orderly end.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bed::{SOON, Tidegate, until};
use crate::cluster::{Cluster, article};

const URL: [&str; 2] = ["--webhook-url", "https://127.0.0.1:0"];

fn start(cluster: &Cluster, more: &[&str]) -> Tidegate {
    let path = cluster.kubeconfig.display().to_string();
    Tidegate::run(&[&["--kubeconfig", &path], &URL[..], more].concat())
}

/// Every field that `written` has is in `read` with the same value.
fn reads_back(written: &Value, read: &Value, at: &str) {
    match (written, read) {
        (Value::Object(written), Value::Object(_)) => {
            for (name, value) in written {
                reads_back(value, &read[name], &format!("{at}.{name}"));
            }
        }
        (Value::Array(written), Value::Array(items)) => {
            assert_eq!(written.len(), items.len(), "{at}");
            for (index, (value, item)) in written.iter().zip(items).enumerate() {
                reads_back(value, item, &format!("{at}[{index}]"));
            }
        }
        (written, read) => assert_eq!(written, read, "{at}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leads_a_release_to_its_pause_and_ends_in_order() {
    let cluster = Cluster::start().await;
    let env = cluster.env.clone();
    cluster.install().await;
    let tidegate = start(&cluster, &[]);
    cluster.until_ready(&tidegate).await;
    assert_eq!(tidegate.get(&env, "probes", "/healthz").await, (200, "ok".to_owned()));

    // Everything that a person writes comes back as it was written, in the version that it was written in.
    for object in article() {
        cluster.create(&object).await.expect("created");
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).expect("a text");
        let read = cluster
            .get(text("/apiVersion"), text("/kind"), text("/metadata/name"))
            .await;
        reads_back(&object, &read, text("/kind"));
    }
    let stored = cluster
        .get("rollouts.kruise.io/v1beta1", "Rollout", "rollouts-demo")
        .await;
    assert_eq!(stored["spec"]["strategy"]["canary"]["steps"][0]["traffic"], "5%");

    // The validating webhook.
    let mut bad = article().pop().expect("a rollout");
    bad["metadata"]["name"] = json!("bad");
    bad["spec"]["strategy"]["canary"]["steps"][0]["weight"] = json!(400);
    let error = cluster.create(&bad).await.expect_err("refused").to_string();
    assert!(
        error.contains("admission webhook \"vrollout.kb.io\" denied the request") && error.contains("400"),
        "{error}"
    );

    // The mutating webhook: the new image is held back, and led to the pause.
    cluster
        .until_rollout("an idle rollout", |rollout| rollout["status"]["phase"] == "Healthy")
        .await;
    let changed = cluster.image("1.10.3").await;
    assert_eq!(changed["spec"]["paused"], true, "frozen in the same write");
    cluster
        .until_rollout("a pause", |rollout| {
            rollout["status"]["currentStepState"] == "StepPaused"
        })
        .await;
    let canary = cluster
        .get("networking.k8s.io/v1", "Ingress", "echoserver-canary")
        .await;
    assert_eq!(
        canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"],
        "5"
    );

    let (status, metrics) = tidegate.get(&env, "metrics", "/metrics").await;
    assert_eq!(status, 200);
    let value = |name: &str| {
        let mut lines = metrics
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        lines.next().unwrap_or(0_u64)
    };
    assert_eq!(value("tidegate_leading"), 1, "{metrics}");
    assert_eq!(
        value("tidegate_writes_total{kind=\"Ingress\",verb=\"create\"}"),
        1,
        "{metrics}"
    );
    // An API server asks again when somebody else wrote to the object in the meantime.
    for reviews in [
        "tidegate_reviews_total{path=\"/mutate-apps-v1-deployment\",outcome=\"changed\"}",
        "tidegate_reviews_total{path=\"/validate-rollouts-kruise-io-rollout\",outcome=\"denied\"}",
    ] {
        assert!(value(reviews) >= 1, "{reviews}\n{metrics}");
    }

    tidegate.signal("TERM");
    let (status, log) = tidegate.ended(&env).await;
    assert!(status.success(), "{log}");
    assert!(log.trim_end().ends_with("stopping on SIGTERM"), "{log}");
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_installed_for_a_service_is_pointed_at_a_url() {
    let cluster = Cluster::start().await;
    cluster.install().await;
    let tidegate = start(&cluster, &[]);
    cluster.until_ready(&tidegate).await;
    let address = tidegate.address(&cluster.env, "webhooks").await;
    let read = |version, kind, name| cluster.get(version, kind, name);
    let definition = read(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "rollouts.rollouts.kruise.io",
    );
    let config = &definition.await["spec"]["conversion"]["webhook"]["clientConfig"];
    assert_eq!(config["url"], format!("https://{address}/convert"));
    assert_eq!(config["service"], Value::Null);
    let configuration = read(
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "kruise-rollout-mutating-webhook-configuration",
    );
    let config = &configuration.await["webhooks"][0]["clientConfig"];
    assert_eq!(config["url"], format!("https://{address}/mutate-apps-v1-deployment"));
    assert_eq!(config["service"], Value::Null);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_of_a_hundred_megabytes_is_refused_in_little_memory() {
    let cluster = Cluster::start().await;
    let env = cluster.env.clone();
    cluster.install().await;
    let tidegate = start(&cluster, &[]);
    cluster.until_ready(&tidegate).await;
    let configuration = cluster
        .get(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "kruise-rollout-validating-webhook-configuration",
        )
        .await;
    let roots = configuration["webhooks"][0]["clientConfig"]["caBundle"]
        .as_str()
        .expect("a bundle");
    let address = tidegate.address(&env, "webhooks").await;
    let before = tidegate.peak_memory();
    let mut stream = crate::bed::over_tls(&address, roots).await;
    stream
        .write_all(
            b"POST /validate-rollouts-kruise-io-rollout HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await
        .expect("sent");
    let mut chunk = b"100000\r\n".to_vec();
    chunk.extend(std::iter::repeat_n(b' ', 1 << 20));
    chunk.extend(b"\r\n");
    let (mut read, mut write) = tokio::io::split(stream);
    let sending = tokio::spawn(async move {
        for _ in 0..100 {
            // The server may have hung up by now, which is its right.
            if write.write_all(&chunk).await.is_err() {
                break;
            }
        }
    });
    let mut answer = vec![0; 512];
    let length = read.read(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large"), "{answer}");
    assert!(answer.contains("body is longer than 7340032 bytes"), "{answer}");
    sending.abort();
    let grown = tidegate.peak_memory().saturating_sub(before);
    assert!(grown < 40 << 20, "it grew by {grown} bytes");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_definitions_that_keep_its_fields_and_installs_them_when_told() {
    const OLDER: &str = include_str!("../../../../fixtures/definitions/rollouts-older.yaml");
    let cluster = Cluster::start().await;
    let env = cluster.env.clone();
    let older: Value = serde_yaml::from_str(OLDER).expect("YAML");
    cluster.create(&older).await.expect("created");

    let waiting = start(&cluster, &[]);
    until(&env, "the reason", SOON, || async {
        match waiting.get(&env, "probes", "/readyz").await {
            (503, text) if text.contains("is OpenKruise's: its v1beta1 would drop spec.") => Ok(()),
            (status, text) => Err(format!("{status} {text}\n{}", waiting.log())),
        }
    })
    .await;
    let (_, metrics) = waiting.get(&env, "metrics", "/metrics").await;
    assert!(metrics.contains("\ntidegate_preflight 0\n"), "{metrics}");
    let log = waiting.log();
    assert!(
        log.contains("batchreleases.rollouts.kruise.io is not installed"),
        "{log}"
    );
    let untouched = cluster
        .get(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "rollouts.rollouts.kruise.io",
        )
        .await;
    assert_ne!(
        untouched["spec"]["conversion"]["strategy"], "Webhook",
        "it is not ours yet"
    );

    let installing = start(&cluster, &["--install"]);
    cluster.until_ready(&installing).await;
    cluster.until_ready(&waiting).await;
    let (_, metrics) = waiting.get(&env, "metrics", "/metrics").await;
    assert!(metrics.contains("\ntidegate_preflight 1\n"), "{metrics}");
    for object in article() {
        cluster.create(&object).await.expect("created");
    }
    drop((waiting, installing));
    cluster.stop().await;
}

//! Jobs as measurements: what they are called, what their state means, and that one measurement makes one Job.

use std::collections::BTreeMap;
use std::time::Duration;

use env::sim::{EPOCH, run};
use env::{Body, HttpService, Trace, full, read_all};
use http::{Method, Request, Response};
use parking_lot::Mutex;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;

use super::{Class, told};
use crate::metrics::job::manifest::{Measurement, job, name};
use crate::metrics::job::state::State;
use crate::metrics::job::{Job, Stage};
use crate::metrics::{Network, Provider, Reading, Secrets, Verdict};

const MEASUREMENT: Measurement<'_> = Measurement {
    namespace: "shop",
    run: "web-7c5d-2",
    uid: "5f2c",
    metric: "Smoke Test",
    number: 3,
};

fn manifest() -> Value {
    let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let spec = json!({ "template": { "spec": { "containers": [{ "name": "test", "image": "test" }], "restartPolicy": "Never" } } });
    job(MEASUREMENT, &labels, &BTreeMap::new(), &spec)
}

#[test]
fn a_job_says_whose_it_is() {
    let expected = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name(MEASUREMENT),
            "namespace": "shop",
            "labels": { "team": "a", "rollouts.kruise.io/analysis-run-uid": "5f2c" },
            "annotations": {
                "rollouts.kruise.io/analysis-run": "web-7c5d-2",
                "rollouts.kruise.io/analysis-metric": "Smoke Test",
            },
            "ownerReferences": [{
                "apiVersion": "rollouts.kruise.io/v1alpha1",
                "kind": "AnalysisRun",
                "name": "web-7c5d-2",
                "uid": "5f2c",
                "controller": true,
            }],
        },
        "spec": {
            "template": { "spec": { "containers": [{ "name": "test", "image": "test" }], "restartPolicy": "Never" } },
        },
    });
    assert_eq!(manifest(), expected);
    let name = name(MEASUREMENT);
    assert!(name.starts_with("smoke-test-") && name.ends_with("-3"), "{name}");
}

#[rstest]
#[case::long(&"m".repeat(200), 3)]
#[case::nothing_usable("___", u32::MAX)]
#[case::ends_in_a_dash("cut-here-", 1)]
#[case::unicode("größe", 1)]
fn a_name_fits_into_a_label(#[case] metric: &str, #[case] number: u32) {
    let name = name(Measurement {
        metric,
        number,
        ..MEASUREMENT
    });
    assert!(name.len() <= 63, "{name}");
    assert!(
        name.starts_with(|letter: char| letter.is_ascii_alphanumeric()),
        "{name}"
    );
    assert!(
        name.chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-'),
        "{name}"
    );
}

#[test]
fn no_two_measurements_share_a_name() {
    let names = [
        name(MEASUREMENT),
        name(Measurement {
            number: 4,
            ..MEASUREMENT
        }),
        name(Measurement {
            uid: "5f2d",
            ..MEASUREMENT
        }),
        name(Measurement {
            metric: "smoke test",
            ..MEASUREMENT
        }),
    ];
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
}

fn condition(kind: &str, status: &str) -> Value {
    json!({ "status": { "conditions": [
        { "type": kind, "status": status, "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit" },
    ] } })
}

fn waiting(reason: &str) -> Vec<Value> {
    let waiting = json!({ "name": "test", "state": { "waiting": { "reason": reason, "message": "Back-off pulling image \"nope\"" } } });
    vec![
        json!({ "status": { "containerStatuses": [{ "name": "side", "state": { "running": {} } }] } }),
        json!({ "status": { "containerStatuses": [waiting] } }),
    ]
}

fn running(seconds: u64, message: &str) -> State {
    State::Running {
        again_in: Duration::from_secs(seconds),
        message: message.to_owned(),
    }
}

const RUNS: &str = "the Job runs: 0 pods active, 0 failed";

#[rstest]
#[case::new(json!({}), vec![], running(2, RUNS))]
#[case::complete(condition("Complete", "True"), vec![], State::Successful)]
#[case::not_complete(condition("Complete", "False"), vec![], running(2, RUNS))]
#[case::about_to_complete(condition("SuccessCriteriaMet", "True"), vec![], running(2, RUNS))]
#[case::failed(
    condition("Failed", "True"),
    waiting("ImagePullBackOff"),
    State::Failed { message: "the Job failed: BackoffLimitExceeded: Job has reached the specified backoff limit".to_owned() }
)]
#[case::no_image(
    json!({}),
    waiting("ImagePullBackOff"),
    State::Inconclusive { message: "container test cannot start: ImagePullBackOff: Back-off pulling image \"nope\"".to_owned() }
)]
#[case::first_try(json!({}), waiting("ErrImagePull"), running(2, RUNS))]
#[case::suspended(json!({ "spec": { "suspend": true } }), vec![], running(2, "the Job is suspended"))]
#[case::active(
    json!({ "status": { "active": 1, "failed": 2, "startTime": "2029-12-31T23:58:20Z" } }),
    vec![],
    running(10, "the Job runs: 1 pods active, 2 failed")
)]
#[case::for_hours(json!({ "metadata": { "creationTimestamp": "2029-12-31T00:00:00Z" } }), vec![], running(30, RUNS))]
fn the_state_of_a_job(#[case] job: Value, #[case] pods: Vec<Value>, #[case] expected: State) {
    assert_eq!(State::of(&job, &pods, EPOCH), expected);
}

/// An API server with Jobs and pods.
#[derive(Clone, Default)]
struct Cluster {
    jobs: Arc<Mutex<BTreeMap<String, Value>>>,
    pods: Arc<Mutex<Vec<Value>>>,
    created: Arc<Mutex<usize>>,
}

impl Cluster {
    fn client(&self) -> kube::Client {
        let cluster = self.clone();
        let service = HttpService::new(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = read_all(body, 1 << 20).await?;
                let (code, body) = cluster.answer(&head.method, head.uri.path(), &body);
                Ok(Response::builder().status(code).body(full(body.to_string()))?)
            }
        });
        kube::Client::new(service, "shop")
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> (u16, Value) {
        let missing = || (404, refusal(404, "NotFound", "jobs.batch not found"));
        let mut jobs = self.jobs.lock();
        match (
            method.as_str(),
            path.strip_prefix("/apis/batch/v1/namespaces/shop/jobs"),
        ) {
            ("GET", None) => (200, json!({ "metadata": {}, "items": *self.pods.lock() })),
            ("POST", Some("")) => {
                let job: Value = serde_json::from_slice(body).expect("JSON");
                let name = job["metadata"]["name"].as_str().expect("a name").to_owned();
                if job["spec"] == "bad" {
                    return (422, refusal(422, "Invalid", "spec: Invalid value"));
                }
                if jobs.contains_key(&name) {
                    return (409, refusal(409, "AlreadyExists", "it exists"));
                }
                *self.created.lock() += 1;
                jobs.insert(name, job.clone());
                (201, job)
            }
            ("GET", Some(name)) => jobs
                .get(name.trim_start_matches('/'))
                .map_or_else(missing, |job| (200, job.clone())),
            ("DELETE", Some(name)) => jobs
                .remove(name.trim_start_matches('/'))
                .map_or_else(missing, |job| (200, job)),
            _ => missing(),
        }
    }
}

fn refusal(code: u16, reason: &str, message: &str) -> Value {
    json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message })
}

fn running_reading() -> Reading {
    Reading::Running {
        again_in: Duration::from_secs(2),
        message: Secrets::default().mask(RUNS),
    }
}

fn provider(cluster: &Cluster, stage: Stage) -> Job {
    Job {
        client: cluster.client(),
        manifest: manifest(),
        stage,
    }
}

#[test]
fn one_measurement_makes_one_job_whatever_is_lost() {
    run(1, Trace::off(), |world| async move {
        let (cluster, network, secrets) = (Cluster::default(), Network::new(world.env), Secrets::default());
        let begin = provider(&cluster, Stage::Begin);
        for _ in 0..3 {
            assert_eq!(begin.measure(&network, &secrets).await, Ok(running_reading()));
        }
        assert_eq!(*cluster.created.lock(), 1);
        cluster
            .jobs
            .lock()
            .values_mut()
            .for_each(|job| job["status"] = condition("Complete", "True")["status"].clone());
        let reading = provider(&cluster, Stage::Begun).measure(&network, &secrets).await;
        let good = Reading::Decided {
            verdict: Verdict::Successful,
            message: secrets.mask("the Job completed"),
        };
        assert_eq!(reading, Ok(good));
        begin.remove(&network, &secrets).await.expect("it goes");
        begin.remove(&network, &secrets).await.expect("it is gone");
        let gone = told(provider(&cluster, Stage::Begun).measure(&network, &secrets).await);
        let text = format!(
            "Job shop/{}: it is gone before it ended; leave it until the measurement is over",
            begin.name()
        );
        assert_eq!(gone, Err((Class::JobRefused, text)));
        assert_eq!(*cluster.created.lock(), 1);
    });
}

#[test]
fn an_image_that_cannot_be_had_is_seen_at_the_pods() {
    run(1, Trace::off(), |world| async move {
        let (cluster, network, secrets) = (Cluster::default(), Network::new(world.env), Secrets::new(["nope"]));
        cluster.pods.lock().extend(waiting("ImagePullBackOff"));
        let reading = provider(&cluster, Stage::Begin).measure(&network, &secrets).await;
        let neither = Reading::Decided {
            verdict: Verdict::Inconclusive,
            message: Secrets::default()
                .mask("container test cannot start: ImagePullBackOff: Back-off pulling image \"*****\""),
        };
        assert_eq!(reading, Ok(neither));
    });
}

#[test]
fn a_job_of_somebody_else_is_left_alone() {
    run(1, Trace::off(), |world| async move {
        let (cluster, network, secrets) = (Cluster::default(), Network::new(world.env), Secrets::default());
        let mut foreign = manifest();
        foreign["metadata"]["ownerReferences"][0]["uid"] = json!("another");
        let begin = provider(&cluster, Stage::Begin);
        cluster.jobs.lock().insert(begin.name().to_owned(), foreign);
        let text = format!(
            "Job shop/{}: there is a Job of this name that belongs to somebody else; remove it",
            begin.name()
        );
        assert_eq!(
            told(begin.measure(&network, &secrets).await),
            Err((Class::JobRefused, text.clone()))
        );
        let removed = begin
            .remove(&network, &secrets)
            .await
            .map_err(|trouble| trouble.to_string());
        assert_eq!(removed, Err(text));
        assert_eq!(cluster.jobs.lock().len(), 1);
    });
}

#[test]
fn a_job_that_the_api_server_refuses_is_the_templates_trouble() {
    run(1, Trace::off(), |world| async move {
        let (cluster, network) = (Cluster::default(), Network::new(world.env));
        let mut bad = provider(&cluster, Stage::Begin);
        bad.manifest["spec"] = json!("bad");
        let came = told(bad.measure(&network, &Secrets::default()).await);
        let text = format!(
            "Job shop/{}: refused: 422 Invalid: spec: Invalid value; correct the metric's Job",
            bad.name()
        );
        assert_eq!(came, Err((Class::JobRefused, text)));
    });
}

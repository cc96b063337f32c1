//! The Job of one measurement, as it is sent. Pure: what it is called and whose it is follows from the run, the metric and the measurement's number.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The label by which Kubernetes marks the pods of a Job.
pub(super) const POD_LABEL: &str = "batch.kubernetes.io/job-name";
/// Label of ours on every Job: the uid of its run.
pub const RUN_LABEL: &str = "rollouts.kruise.io/analysis-run-uid";
/// Annotation of ours on every Job: the name of its run.
pub const RUN_ANNOTATION: &str = "rollouts.kruise.io/analysis-run";
/// Annotation of ours on every Job: its metric.
pub const METRIC_ANNOTATION: &str = "rollouts.kruise.io/analysis-metric";

/// The most characters of a metric's name that go into a Job's. Together with what follows they fit into a label, which pods carry.
const MOST_OF_METRIC: usize = 38;

/// Whose measurement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement<'a> {
    /// Namespace of the run.
    pub namespace: &'a str,
    /// Name of the run.
    pub run: &'a str,
    /// The run's uid.
    pub uid: &'a str,
    /// The metric.
    pub metric: &'a str,
    /// Which measurement of the metric, from 1.
    pub number: u32,
}

/// The Job of a measurement, with the template's labels and annotations and its spec as it is. Owned by the run, so that it goes with it.
pub fn job(
    of: Measurement<'_>,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    spec: &Value,
) -> Value {
    let mut labels = labels.clone();
    labels.insert(RUN_LABEL.to_owned(), of.uid.to_owned());
    let mut annotations = annotations.clone();
    annotations.insert(RUN_ANNOTATION.to_owned(), of.run.to_owned());
    annotations.insert(METRIC_ANNOTATION.to_owned(), of.metric.to_owned());
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name(of),
            "namespace": of.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": format!("{}/{}", api::names::GROUP, api::names::V1ALPHA1),
                "kind": "AnalysisRun",
                "name": of.run,
                "uid": of.uid,
                "controller": true,
            }],
        },
        "spec": spec,
    })
}

/// What the Job of a measurement is called: readable, no longer than 63 characters, and never the same for two measurements.
pub fn name(of: Measurement<'_>) -> String {
    let digest = Sha256::new()
        .chain_update(of.uid)
        .chain_update([0])
        .chain_update(of.metric)
        .finalize();
    let mark: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let readable = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let metric: String = of.metric.chars().take(MOST_OF_METRIC).map(readable).collect();
    match metric.trim_matches('-') {
        "" => format!("m-{mark}-{}", of.number),
        metric => format!("{metric}-{mark}-{}", of.number),
    }
}

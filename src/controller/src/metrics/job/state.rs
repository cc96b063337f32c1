//! What the state of a Job and its pods says of the measurement. Pure. A Job that cannot start, since its image cannot be had or its container cannot
//! be made, has measured nothing: it is inconclusive, and no word against the release.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// The shortest and the longest time until a Job is looked at again.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(30);

/// Why a container waits that will not start by itself. ErrImagePull is not among them: it is the first failure, and the next try may be better.
const STUCK: &[&str] = &[
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
];

/// How far a Job has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or will.
    Running {
        /// When to look again: the longer it takes, the later.
        again_in: Duration,
        /// What it is doing.
        message: String,
    },
    /// It completed.
    Successful,
    /// It failed.
    Failed {
        /// Why.
        message: String,
    },
    /// It cannot start.
    Inconclusive {
        /// Why.
        message: String,
    },
}

impl State {
    /// The state of `job` (batch/v1) at `now`, given its pods.
    pub fn of(job: &Value, pods: &[Value], now: Timestamp) -> Self {
        if condition(job, "Complete").is_some() {
            return Self::Successful;
        }
        if let Some(failed) = condition(job, "Failed") {
            return Self::Failed {
                message: said("the Job failed", failed),
            };
        }
        if let Some(message) = pods.iter().find_map(stuck) {
            return Self::Inconclusive { message };
        }
        let count = |field: &str| job["status"][field].as_i64().unwrap_or(0);
        Self::Running {
            again_in: again_in(job, now),
            message: if job["spec"]["suspend"] == true {
                "the Job is suspended".to_owned()
            } else {
                format!(
                    "the Job runs: {} pods active, {} failed",
                    count("active"),
                    count("failed")
                )
            },
        }
    }
}

/// The condition of a type, if it holds.
fn condition<'a>(job: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = job["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Why a pod cannot start, if it cannot.
fn stuck(pod: &Value) -> Option<String> {
    let lists = ["initContainerStatuses", "containerStatuses"].map(|list| pod["status"][list].as_array());
    let waiting = lists.into_iter().flatten().flatten().find(|container| {
        let reason = container["state"]["waiting"]["reason"].as_str();
        reason.is_some_and(|reason| STUCK.contains(&reason))
    })?;
    let container = waiting["name"].as_str().unwrap_or_default();
    Some(said(
        &format!("container {container} cannot start"),
        &waiting["state"]["waiting"],
    ))
}

/// A sentence with the reason and the message of a condition or a state.
fn said(what: &str, of: &Value) -> String {
    let words = ["reason", "message"].map(|field| of[field].as_str().unwrap_or_default());
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .fold(what.to_owned(), |said, word| format!("{said}: {word}"))
}

/// A tenth of the time that it has taken so far.
fn again_in(job: &Value, now: Timestamp) -> Duration {
    let times = [&job["status"]["startTime"], &job["metadata"]["creationTimestamp"]];
    let began = times
        .into_iter()
        .find_map(|time| time.as_str()?.parse::<Timestamp>().ok());
    let taken = began.and_then(|began| Duration::try_from(now.duration_since(began)).ok());
    (taken.unwrap_or_default() / 10).clamp(SOONEST, LATEST)
}

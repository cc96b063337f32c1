//! Looks at a cluster while a release goes on, and keeps what it sees in a `record`. Everything comes from outside of the controller: objects by the
//! API, the split from the gateway, the success rate from the metric server. Used by the story of a release that is judged.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use env::{Env, Moment};
use serde_json::Value;
use suites::dialect::{Ending, Observation};
use suites::object::{condition_is_true, number, text};
use suites::{Kubernetes, Question};
use tidepool::Embedded;

use super::decided;
use super::record::{By, Decision, Look, Measurement, Outcome, Record, Requests, Verdict, percent, threshold};
use crate::metric_server::MetricServer;

/// What there is to look at.
pub(super) struct Sources<'a> {
    pub(super) env: &'a Env,
    pub(super) kubernetes: &'a Kubernetes,
    pub(super) cluster: &'a Embedded,
    pub(super) metrics: &'a MetricServer,
    pub(super) question: &'a Question,
}

/// A record in the making.
pub(super) struct Recorder {
    record: Record,
    since: Moment,
    image: String,
    before: Observation,
}

impl Recorder {
    /// Begins with the release of `image` over `old`, which `command` is about to order. `before` is what was seen last.
    pub(super) fn begin(env: &Env, old: &str, image: &str, command: &str, before: Observation) -> Self {
        let mut recorder = Self {
            record: Record {
                old: version(old).to_owned(),
                new: version(image).to_owned(),
                ..Record::default()
            },
            since: env.clock().elapsed(),
            image: image.to_owned(),
            before,
        };
        let what = format!("Version {} is released", recorder.record.new);
        recorder.person(env, &what, command);
        recorder
    }

    /// Something that a person decided, by this command.
    pub(super) fn person(&mut self, env: &Env, what: &str, command: &str) {
        self.record.decisions.push(Decision {
            at: self.elapsed(env),
            by: By::Person,
            what: what.to_owned(),
            why: command.to_owned(),
        });
    }

    /// Takes in how the world is now; says in a line each what was measured since the last look.
    ///
    /// # Errors
    /// When the API server refuses a list.
    pub(super) async fn look(&mut self, sources: &Sources<'_>, seen: &Observation) -> Result<Vec<String>> {
        let at = self.elapsed(sources.env);
        let look = self.world(at, sources).await?;
        self.record.looks.push(look);
        let lines = self.measurements(at, sources).await?;
        if let Some((by, what)) = decided::between(&self.before, seen) {
            self.record.decisions.push(Decision {
                at,
                by,
                what,
                why: seen.message.clone(),
            });
        }
        self.record.outcome = seen.ending.map(|ending| match ending {
            Ending::Completed => Outcome::Completed,
            Ending::RolledBack => Outcome::RolledBack,
        });
        self.before = seen.clone();
        Ok(lines)
    }

    /// What was seen so far.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// What was seen, and what became of the requests.
    pub(super) fn finish(self, requests: Requests) -> Record {
        Record {
            requests,
            ..self.record
        }
    }

    fn elapsed(&self, env: &Env) -> Duration {
        env.clock().elapsed().since(self.since)
    }

    async fn world(&self, at: Duration, sources: &Sources<'_>) -> Result<Look> {
        let pods = sources.kubernetes.resource("v1", "Pod").await?;
        // Whether a pod is of the new version, and whether it is ready.
        let pods: BTreeMap<String, (bool, bool)> = sources
            .kubernetes
            .list(&pods, Some("default"))
            .await?
            .iter()
            .map(|pod| {
                let is_new = text(pod, "/spec/containers/0/image") == self.image;
                let is_leaving = pod.pointer("/metadata/deletionTimestamp").is_some();
                let is_ready = condition_is_true(pod, "Ready") && !is_leaving;
                (text(pod, "/metadata/name").to_owned(), (is_new, is_ready))
            })
            .collect();
        let question = sources.question;
        let shares = sources.cluster.route(&question.host, &question.path, &question.headers);
        let weight = shares
            .iter()
            .filter(|(pod, _)| pods.get(&pod.name).is_some_and(|(is_new, _)| *is_new))
            .map(|(_, share)| share)
            .fold(0.0, |sum, share| sum + share);
        let ready = |new: bool| pods.values().filter(|pod| **pod == (new, true)).count();
        Ok(Look {
            at,
            weight,
            old: ready(false),
            new: ready(true),
            rate: sources.metrics.measured(),
        })
    }

    async fn measurements(&mut self, at: Duration, sources: &Sources<'_>) -> Result<Vec<String>> {
        let runs = sources
            .kubernetes
            .resource("rollouts.kruise.io/v1alpha1", "AnalysisRun")
            .await?;
        let mut lines = Vec::new();
        for run in sources.kubernetes.list(&runs, Some("default")).await? {
            let condition = text(&run, "/spec/metrics/0/successCondition");
            condition.clone_into(&mut self.record.condition);
            self.record.threshold = threshold(condition);
            // The template measures one metric, so that its counters tell how many measurements there were.
            let Some(result) = run.pointer("/status/metricResults/0") else {
                continue;
            };
            let mut measured = result["measurements"].as_array().into_iter().flatten();
            let Some(last) = measured.rfind(|measurement| !text(measurement, "/finishedAt").is_empty()) else {
                continue;
            };
            let all = number(result, "/count") + number(result, "/error");
            if usize::try_from(all).is_ok_and(|all| all <= self.record.measurements.len()) {
                continue;
            }
            lines.push(self.measurement(at, &run, result, last));
        }
        Ok(lines)
    }

    /// Keeps the last measurement of a run, and says it in a line.
    fn measurement(&mut self, at: Duration, run: &Value, result: &Value, last: &Value) -> String {
        let verdict = match text(last, "/phase") {
            "Successful" => Verdict::Good,
            "Failed" => Verdict::Bad,
            _ => Verdict::Unknown,
        };
        let value = text(last, "/value");
        let value = value
            .trim_matches(['[', ']'])
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite());
        self.record.measurements.push(Measurement { at, value, verdict });
        let number_of_it = self.record.measurements.len();
        let word = match verdict {
            Verdict::Good => "good",
            Verdict::Bad => "bad",
            Verdict::Unknown => "neither good nor bad",
        };
        let shown = value.map_or_else(|| "no number".to_owned(), percent);
        let wants = format!("{} asks for {}", text(result, "/name"), self.record.condition);
        let counts = match (verdict, number(run, "/spec/metrics/0/failureLimit")) {
            (Verdict::Bad, limit) => {
                format!("; {} bad so far, at most {limit} may be", number(result, "/failed"))
            }
            _ => String::new(),
        };
        let said = match text(last, "/message") {
            "" => String::new(),
            said => format!("; {said}"),
        };
        self.record.decisions.push(Decision {
            at,
            by: By::Analysis,
            what: format!("Measurement {number_of_it} is {word}: {shown}"),
            why: format!("{wants}{counts}{said}"),
        });
        format!("* AnalysisRun measurement {number_of_it}: {shown}, {word}{counts}")
    }
}

/// The version in an image.
pub(super) fn version(image: &str) -> &str {
    image.rsplit_once(':').map_or(image, |(_, version)| version)
}

//! Events: what controllers, scheduler and kubelet say of the objects that they work on, as `kubectl describe` and `kubectl events` show it.
//!
//! Best effort, as upstream: an Event that cannot be written is logged and forgotten. The same words about the same object count up one Event
//! instead of making more. Names are those of upstream's recorder, the object's name and the time in hexadecimal, so that a list is in the order
//! of time. Used by everything that works through [`Cluster`].

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::object;

/// How many different Events one recorder remembers in order to count them up.
const REMEMBERED: usize = 4_096;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reporter {
    /// The controller of Deployments.
    Deployments,
    /// The controller of ReplicaSets.
    ReplicaSets,
    /// The scheduler.
    Scheduler,
    /// The kubelets.
    Kubelet,
}

impl Reporter {
    /// How many there are.
    const COUNT: i128 = 4;

    /// The component's name, as Events carry it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deployments => "deployment-controller",
            Self::ReplicaSets => "replicaset-controller",
            Self::Scheduler => "default-scheduler",
            Self::Kubelet => "kubelet",
        }
    }
}

/// Whether somebody should worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Things take their course.
    Normal,
    /// Something is wrong.
    Warning,
}

/// One thing that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// Whether somebody should worry.
    pub(crate) severity: Severity,
    /// One word, as `Scheduled`.
    pub(crate) reason: &'static str,
    /// A sentence.
    pub(crate) message: String,
    /// The part of the object that it is about, as `spec.containers{web}`; empty for the whole.
    pub(crate) part: String,
}

impl Note {
    pub(crate) fn normal(reason: &'static str, message: String) -> Self {
        Self {
            severity: Severity::Normal,
            reason,
            message,
            part: String::new(),
        }
    }

    pub(crate) fn warning(reason: &'static str, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::normal(reason, message)
        }
    }

    /// The same about one container of a pod.
    pub(crate) fn of_container(mut self, name: &str) -> Self {
        self.part = format!("spec.containers{{{name}}}");
        self
    }
}

/// What makes two notes the same: uid, part, reason, message.
type Same = (String, String, &'static str, String);

#[derive(Clone, Debug)]
struct Known {
    name: String,
    count: u64,
    first: String,
}

#[derive(Debug, Default)]
struct Memory {
    known: BTreeMap<Same, Known>,
    taken: BTreeSet<String>,
}

/// One reporter of Events.
#[derive(Debug)]
pub(crate) struct Recorder {
    reporter: Reporter,
    memory: Mutex<Memory>,
}

impl Recorder {
    /// The recorder of one who speaks.
    pub(crate) fn of(reporter: Reporter) -> Self {
        Self {
            reporter,
            memory: Mutex::default(),
        }
    }

    /// Says something about an object; `host` is the node on which it happened, empty where there is none.
    pub(crate) async fn note(&self, cluster: &dyn Cluster, about: &Value, host: &str, note: Note) {
        let event = self.compose(cluster, about, host, &note);
        cluster.record(event).await;
    }

    fn compose(&self, cluster: &dyn Cluster, about: &Value, host: &str, note: &Note) -> Value {
        let time = cluster.env().now();
        let now = object::seconds(time);
        let known = self.remember(about, note, time, &now);
        let mut involved = json!({
            "kind": about["kind"], "apiVersion": about["apiVersion"],
            "name": object::name(about), "uid": object::uid(about),
            "resourceVersion": about["metadata"]["resourceVersion"],
        });
        let namespace = object::namespace(about);
        if !namespace.is_empty() {
            involved["namespace"] = json!(namespace);
        }
        if !note.part.is_empty() {
            involved["fieldPath"] = json!(note.part);
        }
        let mut source = json!({ "component": self.reporter.name() });
        if !host.is_empty() {
            source["host"] = json!(host);
        }
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": known.name, "namespace": if namespace.is_empty() { "default" } else { namespace } },
            "involvedObject": involved, "source": source,
            "reportingComponent": self.reporter.name(), "reportingInstance": host,
            "type": match note.severity { Severity::Normal => "Normal", Severity::Warning => "Warning" },
            "reason": note.reason, "message": note.message,
            "count": known.count, "firstTimestamp": known.first, "lastTimestamp": now, "eventTime": null,
        })
    }

    /// Counts a note, and names it when it is new.
    fn remember(&self, about: &Value, note: &Note, time: jiff::Timestamp, now: &str) -> Known {
        let same = (
            object::uid(about).to_owned(),
            note.part.clone(),
            note.reason,
            note.message.clone(),
        );
        let mut memory = self.memory.lock();
        if let Some(known) = memory.known.get_mut(&same) {
            known.count += 1;
            return known.clone();
        }
        if memory.known.len() >= REMEMBERED {
            *memory = Memory::default();
        }
        // Things that happen at one moment are told apart by nanoseconds, of which each reporter has its own.
        let mut nanosecond = time.as_nanosecond() / Reporter::COUNT * Reporter::COUNT + self.reporter as i128;
        let mut name = named(about, nanosecond);
        while !memory.taken.insert(name.clone()) {
            nanosecond += Reporter::COUNT;
            name = named(about, nanosecond);
        }
        let known = Known {
            name,
            count: 1,
            first: now.to_owned(),
        };
        memory.known.insert(same, known.clone());
        known
    }
}

fn named(about: &Value, nanosecond: i128) -> String {
    format!("{}.{nanosecond:x}", object::name(about))
}

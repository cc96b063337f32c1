//! What the gateway tells of the objects that it serves: conditions with the generation that is in force.
//!
//! What to tell is part of the configuration; here it is merged with what others told, and written where it differs.

use std::sync::Arc;
use std::time::Duration;

use env::watch;
use serde_json::{Value, json};

use super::gateway_api::CONTROLLER;
use super::kinds::Kind;
use crate::cluster::Cluster;
use crate::object;
use crate::resource::Resource;

/// How often a write that met a newer object is tried again, and how long after.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// What is to be told of one object.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) kind: Kind,
    namespace: String,
    name: String,
    uid: String,
    /// A status without the times of its conditions.
    pub(super) status: Value,
}

impl Report {
    pub(super) fn new(kind: Kind, object: &Value, status: Value) -> Self {
        Self {
            kind,
            namespace: object::namespace(object).to_owned(),
            name: object::name(object).to_owned(),
            uid: object::uid(object).to_owned(),
            status,
        }
    }
}

/// A condition, without its time.
pub(super) fn condition(kind: &str, holds: bool, reason: &str, message: &str, generation: i64) -> Value {
    let status = if holds { "True" } else { "False" };
    json!({ "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation })
}

/// What is to be told of all objects, and where each kind is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports {
    pub(super) reports: Arc<[Report]>,
    pub(super) resources: Arc<[(Kind, Resource)]>,
}

/// Writes what there is to tell, until nobody tells any more.
pub(super) async fn write(cluster: Arc<dyn Cluster>, mut news: watch::Receiver<Reports>) {
    while news.changed().await.is_ok() {
        news.mark_unchanged();
        let told = news.borrow().clone();
        for report in told.reports.iter() {
            let resource = told.resources.iter().find(|(kind, _)| *kind == report.kind);
            if let Some((_, resource)) = resource {
                tell(cluster.as_ref(), resource, report).await;
            }
        }
    }
}

async fn tell(cluster: &dyn Cluster, resource: &Resource, report: &Report) {
    for _ in 0..TRIES {
        let Some(known) = cluster.get(resource, &report.namespace, &report.name) else {
            return;
        };
        if known.uid != report.uid {
            return;
        }
        let now = object::seconds(cluster.env().clock().now());
        let status = merged(&known.value["status"], &report.status, &now);
        if status == known.value["status"] {
            return;
        }
        let mut object = known.value.clone();
        object["status"] = status;
        match cluster.update_status(resource, object).await {
            Ok(_) => return,
            Err(refused) if refused.code == 409 => cluster.env().sleep(PAUSE).await,
            Err(refused) if refused.code == 404 => return,
            Err(refused) => {
                let (namespace, name) = (&report.namespace, &report.name);
                tracing::warn!(%refused, kind = %resource.kind, namespace, name, "a status could not be written");
                return;
            }
        }
    }
}

/// The known status with ours in it: what other controllers told of a route stays, and a condition that says the same keeps its time.
fn merged(known: &Value, ours: &Value, now: &str) -> Value {
    let mut status = known.clone();
    if let Some(conditions) = ours["conditions"].as_array() {
        object::entry(&mut status, &[]).insert("conditions".to_owned(), timed(&known["conditions"], conditions, now));
    }
    if let Some(listeners) = ours["listeners"].as_array() {
        let all = listeners.iter().map(|listener| {
            let before = object::items(known, &["listeners"]);
            with_conditions(listener, before.iter().find(|one| one["name"] == listener["name"]), now)
        });
        object::entry(&mut status, &[]).insert("listeners".to_owned(), all.collect());
    }
    if let Some(parents) = ours["parents"].as_array() {
        let before = object::items(known, &["parents"]);
        let (mine, others): (Vec<&Value>, Vec<&Value>) =
            before.iter().partition(|parent| parent["controllerName"] == CONTROLLER);
        if !parents.is_empty() || !mine.is_empty() {
            let told = parents.iter().map(|parent| {
                let same = mine.iter().find(|one| one["parentRef"] == parent["parentRef"]);
                with_conditions(parent, same.copied(), now)
            });
            let all: Vec<Value> = others.into_iter().cloned().chain(told).collect();
            object::entry(&mut status, &[]).insert("parents".to_owned(), Value::Array(all));
        }
    }
    status
}

fn with_conditions(part: &Value, before: Option<&Value>, now: &str) -> Value {
    let mut part = part.clone();
    let conditions = object::items(&part, &["conditions"]).to_vec();
    let known = before.map_or(&Value::Null, |before| &before["conditions"]);
    part["conditions"] = timed(known, &conditions, now);
    part
}

fn timed(known: &Value, conditions: &[Value], now: &str) -> Value {
    let known = object::items(known, &[]);
    let others = known
        .iter()
        .filter(|one| !conditions.iter().any(|condition| condition["type"] == one["type"]));
    let ours = conditions.iter().map(|condition| {
        let same = known
            .iter()
            .find(|one| one["type"] == condition["type"] && one["status"] == condition["status"]);
        let since = same.map_or_else(|| json!(now), |same| same["lastTransitionTime"].clone());
        let mut condition = condition.clone();
        condition["lastTransitionTime"] = since;
        condition
    });
    ours.chain(others.cloned()).collect()
}

//! Workloads: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, and what scales and guards them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{self, NONE, containers, holds, images, spec_selector};
use super::{AGE, Cell, Column, NAME, age};
use crate::object;

const CONTAINERS: Column = Column::made("Containers", containers).wide();
const IMAGES: Column = Column::made("Images", images).wide();
const SELECTOR: Column = Column::made("Selector", spec_selector).wide();

pub(super) const DEPLOYMENTS: &[Column] = &[
    NAME,
    Column::made("Ready", ready_of_wanted),
    Column::of("Up-to-date", "string", Cell::Number("status.updatedReplicas")),
    Column::of("Available", "string", Cell::Number("status.availableReplicas")),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const REPLICA_SETS: &[Column] = &[
    NAME,
    Column::number("Desired", "spec.replicas"),
    Column::number("Current", "status.replicas"),
    Column::number("Ready", "status.readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const REPLICATION_CONTROLLERS: &[Column] = &[
    NAME,
    Column::number("Desired", "spec.replicas"),
    Column::number("Current", "status.replicas"),
    Column::number("Ready", "status.readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    Column::made("Selector", |object, _| {
        json!(cells::labels(&object["spec"]["selector"]))
    })
    .wide(),
];

pub(super) const STATEFUL_SETS: &[Column] = &[NAME, Column::made("Ready", ready_of_wanted), AGE, CONTAINERS, IMAGES];

pub(super) const DAEMON_SETS: &[Column] = &[
    NAME,
    Column::number("Desired", "status.desiredNumberScheduled"),
    Column::number("Current", "status.currentNumberScheduled"),
    Column::number("Ready", "status.numberReady"),
    Column::number("Up-to-date", "status.updatedNumberScheduled"),
    Column::number("Available", "status.numberAvailable"),
    Column::made("Node Selector", |set, _| {
        json!(cells::labels(&set["spec"]["template"]["spec"]["nodeSelector"]))
    }),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const JOBS: &[Column] = &[
    NAME,
    Column::made("Status", |job, _| json!(job_status(job))),
    Column::made("Completions", completions),
    Column::made("Duration", duration),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) const CRON_JOBS: &[Column] = &[
    NAME,
    Column::text("Schedule", "spec.schedule", ""),
    Column::text("Timezone", "spec.timeZone", NONE),
    Column::of(
        "Suspend",
        "boolean",
        Cell::Made(|job, _| {
            json!(if job["spec"]["suspend"] == true {
                "True"
            } else {
                "False"
            })
        }),
    ),
    Column::of("Active", "integer", Cell::Count(&["status.active"])),
    Column::made("Last Schedule", |job, now| match &job["status"]["lastScheduleTime"] {
        Value::Null => json!(NONE),
        time => json!(age::since(time, now)),
    }),
    AGE,
    CONTAINERS,
    IMAGES,
];

pub(super) const SCALES: &[Column] = &[
    NAME,
    Column::number("Desired", "spec.replicas"),
    Column::number("Available", "status.replicas"),
    AGE,
];

pub(super) const CONTROLLER_REVISIONS: &[Column] = &[
    NAME,
    Column::made("Controller", |revision, _| json!(owner(revision))),
    Column::number("Revision", "revision"),
    AGE,
];

pub(super) const POD_TEMPLATES: &[Column] = &[
    NAME,
    Column::made("Containers", |object, _| part(object, "name")),
    Column::made("Images", |object, _| part(object, "image")),
    Column::made("Pod Labels", |object, _| {
        json!(cells::labels(&object["template"]["metadata"]["labels"]))
    }),
];

pub(super) const AUTOSCALERS: &[Column] = &[
    NAME,
    Column::made("Reference", |scaler, _| {
        let target = &scaler["spec"]["scaleTargetRef"];
        json!(format!(
            "{}/{}",
            object::text(target, &["kind"]),
            object::text(target, &["name"])
        ))
    }),
    Column::made("Targets", |scaler, _| json!(targets(scaler))),
    Column::text("MinPods", "spec.minReplicas", "<unset>"),
    Column::of("MaxPods", "string", Cell::Number("spec.maxReplicas")),
    Column::of("Replicas", "string", Cell::Number("status.currentReplicas")),
    AGE,
];

pub(super) const DISRUPTION_BUDGETS: &[Column] = &[
    NAME,
    Column::text("Min Available", "spec.minAvailable", "N/A"),
    Column::text("Max Unavailable", "spec.maxUnavailable", "N/A"),
    Column::number("Allowed Disruptions", "status.disruptionsAllowed"),
    AGE,
];

fn ready_of_wanted(object: &Value, _: Timestamp) -> Value {
    let ready = object::number(object, &["status", "readyReplicas"]).unwrap_or(0);
    let wanted = object::number(object, &["spec", "replicas"]).unwrap_or(0);
    json!(format!("{ready}/{wanted}"))
}

fn job_status(job: &Value) -> &'static str {
    let ended = [("Complete", "Complete"), ("Failed", "Failed")];
    let under_way = [
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ];
    let found = |list: &[(&str, &'static str)]| list.iter().find(|(kind, _)| holds(job, kind)).map(|(_, word)| *word);
    match found(&ended) {
        Some(word) => word,
        None if object::is_deleting(job) => "Terminating",
        None => found(&under_way).unwrap_or("Running"),
    }
}

fn completions(job: &Value, _: Timestamp) -> Value {
    let done = object::number(job, &["status", "succeeded"]).unwrap_or(0);
    let wanted = object::number(job, &["spec", "completions"]);
    let beside = object::number(job, &["spec", "parallelism"]).unwrap_or(0);
    json!(match wanted {
        Some(wanted) => format!("{done}/{wanted}"),
        None if beside > 1 => format!("{done}/1 of {beside}"),
        None => format!("{done}/1"),
    })
}

fn duration(job: &Value, now: Timestamp) -> Value {
    let Some(start) = age::read(&job["status"]["startTime"]) else {
        return json!("");
    };
    let end = age::read(&job["status"]["completionTime"]).unwrap_or(now);
    json!(age::human(end.duration_since(start).as_secs()))
}

/// The controller of an object as `statefulset.apps/web`.
fn owner(object: &Value) -> String {
    let Some(owner) = object::controller_of(object) else {
        return NONE.to_owned();
    };
    let kind = object::text(owner, &["kind"]).to_lowercase();
    let group = object::text(owner, &["apiVersion"])
        .split_once('/')
        .map(|(group, _)| group);
    let name = object::text(owner, &["name"]);
    match group {
        Some(group) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

fn part(object: &Value, field: &str) -> Value {
    json!(cells::each(object::items(object, &["template", "spec", "containers"]), field).join(","))
}

/// What is measured against what is wanted. Other metrics than those of resources are shown without their value.
fn targets(scaler: &Value) -> String {
    let v1 = object::number(scaler, &["spec", "targetCPUUtilizationPercentage"]);
    let current = object::number(scaler, &["status", "currentCPUUtilizationPercentage"]);
    if let Some(wanted) = v1 {
        let current = current.map_or_else(|| "<unknown>".to_owned(), |percent| format!("{percent}%"));
        return format!("cpu: {current}/{wanted}%");
    }
    let texts: Vec<String> = object::items(scaler, &["spec", "metrics"])
        .iter()
        .map(|metric| {
            let name = object::text(metric, &["resource", "name"]);
            let current = object::items(scaler, &["status", "currentMetrics"])
                .iter()
                .find(|current| current["resource"]["name"] == name)
                .and_then(|current| object::number(current, &["resource", "current", "averageUtilization"]))
                .map_or_else(|| "<unknown>".to_owned(), |percent| format!("{percent}%"));
            match object::number(metric, &["resource", "target", "averageUtilization"]) {
                Some(wanted) => format!("{name}: {current}/{wanted}%"),
                None => "<unknown>".to_owned(),
            }
        })
        .collect();
    if texts.is_empty() {
        NONE.to_owned()
    } else {
        texts.join(", ")
    }
}

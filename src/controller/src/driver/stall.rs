//! What the API server will go on refusing, told where a person looks: an Event, and the condition `Stalled` on the Rollout.
//!
//! Pure but for being asked when it happens. The condition is in the cluster and not in memory, so that a restart neither forgets nor repeats
//! it; it goes once a decision needs no write. `Stalled` is the word that `kubectl wait` scripts and delivery tools know.

use std::collections::BTreeSet;

use api::names::{condition, reason};
use api::v1beta1::RolloutStatus;
use jiff::Timestamp;
use rollout::{Action, EventNote, EventType, Guard, Kind, Object, Plan, RouteNames, Target, WaitReason, World, Write};
use serde_json::{Value, json};

use super::cache::{Caches, Knowledge};

/// The plan for a world of which the controller may not read all: to say so, and to leave the release where it is. Routes that cannot be seen
/// must not be taken for routes that are gone.
pub(super) fn unreadable(world: &World, caches: &Caches) -> Option<Plan> {
    let named = world.of_kind(Kind::Rollout).iter();
    let kinds: BTreeSet<Kind> = named
        .flat_map(|rollout| RouteNames::of(rollout).routes)
        .map(|(kind, _)| kind)
        .collect();
    let (kind, why) = kinds.into_iter().find_map(|kind| match caches.knowledge(kind) {
        Knowledge::Unreadable(why) => Some((kind, why)),
        Knowledge::Unlisted | Knowledge::Served(_) | Knowledge::Unserved => None,
    })?;
    let text = format!(
        "read {}: {why}; give the controller's account this right, `tidegate manifests` lists what it needs; it is tried again by itself",
        kind.plural()
    );
    let writes = tell(world, reason::READ_REFUSED, &text);
    Some(Plan {
        events: if writes.is_empty() {
            Vec::new()
        } else {
            notes(world, reason::READ_REFUSED, &text)
        },
        writes,
        waiting_on: vec![WaitReason::Blocked { why: text.clone() }],
        rule: "unreadable-kind",
        message: text,
        ..Plan::default()
    })
}

/// The writes by which the Rollouts of `world` say that they are stalled, as far as they do not say it yet.
pub(super) fn tell(world: &World, reason: &str, text: &str) -> Vec<Write> {
    let second = Timestamp::from_second(world.now.as_second()).unwrap_or(world.now);
    let said = |condition: &Value| {
        condition["status"] == "True" && condition["reason"] == reason && condition["message"] == text
    };
    each(world, |conditions| {
        let before = conditions.iter().find(|condition| is_ours(condition)).cloned();
        if before.as_ref().is_some_and(said) {
            return false;
        }
        let since = before.and_then(|before| before["lastTransitionTime"].as_str().map(str::to_owned));
        conditions.retain(|condition| !is_ours(condition));
        conditions.push(json!({
            "type": condition::STALLED,
            "status": "True",
            "reason": reason,
            "message": text,
            "lastUpdateTime": second.to_string(),
            "lastTransitionTime": since.unwrap_or_else(|| second.to_string()),
        }));
        true
    })
}

/// The writes that take the condition off the Rollouts of `world` that have it.
pub(super) fn clear(world: &World) -> Vec<Write> {
    each(world, |conditions| {
        let before = conditions.len();
        conditions.retain(|condition| !is_ours(condition));
        conditions.len() < before
    })
}

/// The notes that say the same as Events.
pub(super) fn notes(world: &World, reason: &'static str, text: &str) -> Vec<EventNote> {
    rollouts(world)
        .map(|(target, _)| EventNote {
            regarding: target,
            event_type: EventType::Warning,
            reason,
            message: text.to_owned(),
        })
        .collect()
}

fn is_ours(condition: &Value) -> bool {
    condition["type"] == condition::STALLED
}

fn rollouts(world: &World) -> impl Iterator<Item = (Target, &Object)> {
    world.of_kind(Kind::Rollout).iter().filter_map(|object| {
        let target = Target {
            kind: Kind::Rollout,
            namespace: object.metadata.namespace.clone()?,
            name: object.metadata.name.clone()?,
        };
        Some((target, object))
    })
}

/// What a status must have: one that is written before there was any is refused without it.
fn required() -> serde_json::Map<String, Value> {
    match serde_json::to_value(RolloutStatus::default()) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    }
}

/// One status write for each Rollout whose conditions `change` changes.
fn each(world: &World, change: impl Fn(&mut Vec<Value>) -> bool) -> Vec<Write> {
    let mut writes = Vec::new();
    for (target, object) in rollouts(world) {
        let (Some(uid), Some(resource_version)) =
            (object.metadata.uid.clone(), object.metadata.resource_version.clone())
        else {
            continue;
        };
        let mut conditions = match object.data.pointer("/status/conditions") {
            Some(Value::Array(conditions)) => conditions.clone(),
            _ => Vec::new(),
        };
        if !change(&mut conditions) {
            continue;
        }
        let mut status = match object.data.get("status") {
            Some(Value::Object(status)) => status.clone(),
            _ => serde_json::Map::new(),
        };
        for (field, value) in required() {
            status.entry(field).or_insert(value);
        }
        if conditions.is_empty() {
            status.remove("conditions");
        } else {
            status.insert("conditions".to_owned(), Value::Array(conditions));
        }
        writes.push(Write {
            target,
            action: Action::Status {
                guard: Guard { uid, resource_version },
                status: Value::Object(status),
            },
            recheck: None,
        });
    }
    writes
}

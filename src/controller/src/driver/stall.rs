//! A write that the API server will go on refusing, told where a person looks: an Event, and the condition `Stalled` on the Rollout.
//!
//! Pure but for being asked when it happens. The condition is in the cluster and not in memory, so that a restart neither forgets nor repeats
//! it; it goes once a decision needs no write. `Stalled` is the word that `kubectl wait` scripts and delivery tools know.

use api::names::{condition, reason};
use jiff::Timestamp;
use rollout::{Action, EventNote, EventType, Guard, Kind, Object, Target, World, Write};
use serde_json::{Value, json};

/// The writes by which the Rollouts of `world` say that they are stalled, as far as they do not say it yet.
pub(super) fn tell(world: &World, text: &str) -> Vec<Write> {
    let second = Timestamp::from_second(world.now.as_second()).unwrap_or(world.now);
    let said = |condition: &Value| {
        condition["status"] == "True" && condition["reason"] == reason::WRITE_REFUSED && condition["message"] == text
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
            "reason": reason::WRITE_REFUSED,
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
pub(super) fn notes(world: &World, text: &str) -> Vec<EventNote> {
    rollouts(world)
        .map(|(target, _)| EventNote {
            regarding: target,
            event_type: EventType::Warning,
            reason: reason::WRITE_REFUSED,
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

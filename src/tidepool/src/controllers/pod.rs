//! What controllers ask of a pod: is it active, ready, and for how long.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::object;

/// Neither finished nor being deleted.
pub(super) fn is_active(pod: &Value) -> bool {
    !object::is_deleting(pod) && !is_finished(pod)
}

/// Succeeded or failed.
pub(super) fn is_finished(pod: &Value) -> bool {
    matches!(object::text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

/// Whether the Ready condition is true.
pub(super) fn is_ready(pod: &Value) -> bool {
    ready_condition(pod).is_some_and(|condition| condition["status"] == "True")
}

fn ready_condition(pod: &Value) -> Option<&Value> {
    object::items(pod, &["status", "conditions"])
        .iter()
        .find(|condition| condition["type"] == "Ready")
}

/// How long until the pod counts as available: zero when it does, none when it is not ready.
pub(super) fn until_available(pod: &Value, min_ready_seconds: i64, now: Timestamp) -> Option<Duration> {
    if !is_ready(pod) {
        return None;
    }
    if min_ready_seconds <= 0 {
        return Some(Duration::ZERO);
    }
    let since: Timestamp = ready_condition(pod)?
        .get("lastTransitionTime")?
        .as_str()?
        .parse()
        .ok()?;
    let at = since
        .checked_add(jiff::SignedDuration::from_secs(min_ready_seconds))
        .ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

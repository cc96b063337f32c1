//! Conditions of a Rollout: how one is set, and the words that belong to each. A condition that says nothing new is left as it is.

use api::names::{condition, reason};
use api::parts::Condition;
use api::v1beta1::RolloutStatus;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Sets a condition; the one that changed moves to the end of the list.
pub(crate) fn set(status: &mut RolloutStatus, now: Timestamp, kind: &str, value: bool, reason: &str, message: &str) {
    let value = if value { "True" } else { "False" };
    let before = status.condition(kind);
    if before.is_some_and(|c| c.status == value && c.reason == reason && c.message == message) {
        return;
    }
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let kept = before.filter(|condition| condition.status == value);
    let transition = kept.and_then(|condition| condition.last_transition_time.clone());
    let changed = Condition {
        condition_type: kind.into(),
        status: value.into(),
        last_update_time: Some(Time(second)),
        last_transition_time: transition.or(Some(Time(second))),
        reason: reason.into(),
        message: message.into(),
    };
    remove(status, kind);
    status.conditions.get_or_insert_default().push(changed);
}

/// Removes a condition.
pub(crate) fn remove(status: &mut RolloutStatus, kind: &str) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| condition.condition_type != kind);
    }
}

/// Sets Progressing with one of its reasons while the release is under way.
pub(crate) fn progressing(status: &mut RolloutStatus, now: Timestamp, reason: &str, message: &str) {
    set(status, now, condition::PROGRESSING, true, reason, message);
}

/// Closes the release: Progressing is over, Succeeded says how it ended.
pub(crate) fn completed(status: &mut RolloutStatus, now: Timestamp, succeeded: bool) {
    let message = match succeeded {
        true => "Rollout progressing has been completed",
        false => "Rollout progressing has been canceled",
    };
    set(status, now, condition::PROGRESSING, false, reason::COMPLETED, message);
    set(status, now, condition::SUCCEEDED, succeeded, "", "");
}

/// The reason of Progressing; empty without one.
pub(crate) fn progressing_reason(status: &RolloutStatus) -> &str {
    status
        .condition(condition::PROGRESSING)
        .map_or("", |condition| condition.reason.as_str())
}

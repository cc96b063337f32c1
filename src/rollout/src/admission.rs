//! The mutating webhook's rule for a Deployment's update, as a function from values to a verdict. The webhook server decodes the review,
//! reads the Rollouts and ReplicaSets of the namespace, and sends back what this says.

use std::collections::BTreeMap;

use api::names::{annotation, label, reason};
use api::parts::RolloutPhase;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::meta::Meta;
use crate::view::{Acting, active_replica_sets, rollouts as acting_first};
use crate::world::Object;
use crate::{Key, Kind, Op, World};

/// The verdict on an update.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// Not ours to touch: admitted as it is.
    Untouched,
    /// Admitted with these changes to the new object.
    Patched(Vec<Op>),
    /// Refused, and why.
    Denied(String),
}

/// Judges an UPDATE of an `apps/v1` Deployment. `rollouts` are those of the namespace (stored form, `v1beta1`); `replica_sets` are those of
/// the namespace, selected here by owner.
pub fn deployment(old: &DynamicObject, new: &DynamicObject, rollouts: &[Object], replica_sets: &[Object]) -> Admission {
    let mut ops = Vec::new();
    if new.uid().is_empty() && !old.uid().is_empty() {
        ops.push(Op::set("/metadata/uid", old.uid()));
    }
    let key = Key::deployment(old.namespace(), old.name());
    // The clock plays no part in who leads a workload.
    let mut world = World::new(jiff::Timestamp::UNIX_EPOCH, key);
    world.extend(Kind::Rollout, rollouts.iter().cloned());
    let acting = acting_first(&world);
    let leader = acting.iter().find(|one| {
        let disabled = one.rollout.spec.disabled == Some(true) || one.status().phase == RolloutPhase::Disabled;
        !disabled && !one.object.deleting()
    });
    if let Some(leader) = leader {
        let marked = new.annotation(annotation::IN_PROGRESSING).is_some();
        let routed = leader.spec.as_ref().is_ok_and(|spec| spec.routing.is_some());
        match (&leader.spec, entering(old, new, routed, replica_sets)) {
            _ if marked => ops.extend(held(old, new)),
            (Err(why), Some(_)) => {
                return Admission::Denied(format!(
                    "Deployment {}/{}: its template cannot be changed, since Rollout {} watches it and cannot lead the release: {why}; correct the Rollout, or release without steps by spec.disabled: true on it",
                    old.namespace(),
                    old.name(),
                    leader.name()
                ));
            }
            (Ok(_), Some(stable)) => ops.extend(enter(new, leader.name(), &stable)),
            (_, None) if kept(old, leader) => {
                ops.extend(marks(old, new));
                ops.extend(held(old, new));
            }
            (_, None) => {}
        }
    }
    match ops.is_empty() {
        true => Admission::Untouched,
        false => Admission::Patched(ops),
    }
}

/// Whether a mark that an update would take off stays: until the Rollout itself gives the workload back.
fn kept(old: &DynamicObject, leader: &Acting<'_>) -> bool {
    let status = leader.status();
    let giving_back = status.phase == RolloutPhase::Disabling
        || matches!(
            crate::conditions::progressing_reason(&status),
            reason::FINALISING | reason::CANCELLING
        );
    let mark = api::names::in_progressing(leader.name());
    old.annotation(annotation::IN_PROGRESSING) == Some(mark.as_str()) && !giving_back
}

/// Puts back the marks of a release that an update left out, as `kubectl replace` does.
fn marks(old: &DynamicObject, new: &DynamicObject) -> Vec<Op> {
    let of = |keys: &[&str], present: Option<&BTreeMap<String, String>>| {
        let found = keys.iter().filter_map(|key| Some((*key, present?.get(*key)?.clone())));
        found
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<BTreeMap<_, _>>()
    };
    let before = &old.metadata;
    let annotations = of(
        &[annotation::IN_PROGRESSING, annotation::CONTROL_INFO],
        before.annotations.as_ref(),
    );
    let labels = of(&[label::STABLE_REVISION], before.labels.as_ref());
    let mut ops = Op::map(
        "/metadata/annotations",
        new.metadata.annotations.as_ref(),
        &annotations,
        |_| false,
    );
    ops.extend(Op::map(
        "/metadata/labels",
        new.metadata.labels.as_ref(),
        &labels,
        |_| false,
    ));
    ops
}

/// The stable revision that an update leaves behind, when it is one that begins a release.
fn entering(old: &DynamicObject, new: &DynamicObject, routed: bool, replica_sets: &[Object]) -> Option<String> {
    let template = |object: &DynamicObject| object.data.pointer("/spec/template").cloned().unwrap_or_default();
    if new.data.pointer("/spec/replicas") == Some(&json!(0)) || api::hash::same_template(&template(old), &template(new))
    {
        return None;
    }
    // An id that stays the same says: still the same release.
    if rollout_id(new).is_some_and(|id| rollout_id(old) == Some(id)) {
        return None;
    }
    let active = active_replica_sets(replica_sets, old);
    if active.is_empty() || (routed && active.len() != 1) {
        return None;
    }
    let new_template = template(new);
    let revision = |set: &&&DynamicObject| {
        let revision = set.annotation(annotation::DEPLOYMENT_REVISION);
        revision
            .and_then(|revision| revision.parse::<u64>().ok())
            .unwrap_or(u64::MAX)
    };
    let others = active.iter().filter(|set| {
        let template = set.data.pointer("/spec/template");
        template.is_none_or(|template| !api::hash::same_template(template, &new_template))
    });
    let stable = others.min_by_key(revision)?;
    stable.label(label::POD_TEMPLATE_HASH).map(str::to_owned)
}

fn rollout_id(object: &DynamicObject) -> Option<&str> {
    let id = object
        .label(label::ROLLOUT_ID)
        .or(object.annotation(annotation::ROLLOUT_ID));
    id.filter(|id| !id.is_empty())
}

/// Freezes the Deployment and marks it.
fn enter(new: &DynamicObject, rollout: &str, stable: &str) -> Vec<Op> {
    let map = |pointer: &str, present: Option<&BTreeMap<String, String>>, key: &str, value: String| {
        Op::map(pointer, present, &[(key.to_owned(), value)].into(), |_| false)
    };
    let annotations = new.metadata.annotations.as_ref();
    let labels = new.metadata.labels.as_ref();
    let mut ops = vec![Op::set("/spec/paused", true)];
    ops.extend(map(
        "/metadata/annotations",
        annotations,
        annotation::IN_PROGRESSING,
        api::names::in_progressing(rollout),
    ));
    ops.extend(map(
        "/metadata/labels",
        labels,
        label::STABLE_REVISION,
        stable.to_owned(),
    ));
    ops
}

/// Keeps a Deployment frozen that is in a release: it stays paused, and Recreate would take its pods away.
fn held(old: &DynamicObject, new: &DynamicObject) -> Vec<Op> {
    let mut ops = Vec::new();
    if new.data.pointer("/spec/paused").and_then(Value::as_bool) != Some(true) {
        ops.push(Op::set("/spec/paused", true));
    }
    let recreate = |object: &DynamicObject| object.data.pointer("/spec/strategy/type") == Some(&json!("Recreate"));
    if let (true, false, Some(strategy)) = (recreate(new), recreate(old), old.data.pointer("/spec/strategy")) {
        ops.push(Op::set("/spec/strategy", strategy.clone()));
    }
    ops
}

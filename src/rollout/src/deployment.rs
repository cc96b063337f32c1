//! A Deployment as the rules see it: the few numbers that decide, and the pod template as raw JSON. Read from what the API returned; what is
//! of the wrong type is an [`Unreadable`], never a guess.

use api::names::{annotation, label};
use api::quantity::percent;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::draft::Draft;
use crate::meta::Meta;
use crate::{Evidence, Kind, Op};

/// An object that does not have the shape its kind promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} cannot be read: {why}; correct the object, the release goes on by itself")]
pub struct Unreadable {
    /// Kind and name.
    pub object: String,
    /// What is wrong.
    pub why: String,
}

/// The view of one Deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deployment<'a> {
    pub(crate) object: &'a DynamicObject,
    /// `spec.replicas`, 1 when absent, as the API defaults it.
    pub(crate) replicas: i64,
    pub(crate) paused: bool,
    pub(crate) template: &'a Value,
    /// `strategy.rollingUpdate.maxUnavailable` in pods, a share rounded down; 25 % when absent.
    max_unavailable: i64,
    observed_generation: i64,
    /// `status.replicas`.
    pub(crate) status_replicas: i64,
    updated_replicas: i64,
    pub(crate) available_replicas: i64,
}

impl<'a> Deployment<'a> {
    pub(crate) fn read(object: &'a DynamicObject) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable {
            object: format!("Deployment {}", object.name()),
            why,
        };
        let number = |pointer: &str, default: i64| match object.data.pointer(pointer) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_i64()
                .ok_or_else(|| unreadable(format!("{pointer} is not a number"))),
        };
        let template = object
            .data
            .pointer("/spec/template")
            .filter(|template| template.is_object());
        let replicas = number("/spec/replicas", 1)?;
        let max_unavailable = match object.data.pointer("/spec/strategy/rollingUpdate/maxUnavailable") {
            None | Some(Value::Null) => replicas / 4,
            Some(Value::String(text)) => {
                let share = percent(text).map_err(|error| unreadable(format!("maxUnavailable: {error}")))?;
                (i64::from(share) * replicas).div_euclid(100)
            }
            Some(value) => value
                .as_i64()
                .ok_or_else(|| unreadable("maxUnavailable is not a number".into()))?,
        };
        Ok(Self {
            object,
            replicas,
            paused: object
                .data
                .pointer("/spec/paused")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            template: template.ok_or_else(|| unreadable("spec.template is missing".into()))?,
            max_unavailable,
            observed_generation: number("/status/observedGeneration", 0)?,
            status_replicas: number("/status/replicas", 0)?,
            updated_replicas: number("/status/updatedReplicas", 0)?,
            available_replicas: number("/status/availableReplicas", 0)?,
        })
    }

    /// Whether the Deployment controller has seen the current spec.
    pub(crate) fn observed(&self) -> bool {
        self.observed_generation >= self.object.generation()
    }

    /// Whether it is marked as part of a release, by the webhook or by us.
    pub(crate) fn held(&self) -> bool {
        let marks = [annotation::IN_PROGRESSING, annotation::CONTROL_INFO];
        marks.iter().any(|mark| self.object.annotation(mark).is_some())
    }

    /// One patch takes every mark off it and lets it roll.
    pub(crate) fn give_back(&self, recheck: Option<Evidence>, draft: &mut Draft) {
        let object = self.object;
        let taken = |map: &str, key: &str| Op::remove(format!("/metadata/{map}/{}", traffic::escape(key)));
        let mut ops = Vec::new();
        for mark in [annotation::IN_PROGRESSING, annotation::CONTROL_INFO] {
            if object.annotation(mark).is_some() {
                ops.push(taken("annotations", mark));
            }
        }
        if object.label(label::STABLE_REVISION).is_some() {
            ops.push(taken("labels", label::STABLE_REVISION));
        }
        if self.paused {
            ops.push(Op::remove("/spec/paused"));
        }
        draft.patch(Kind::Deployment, object, ops, recheck);
    }

    /// What its controller complains of: pods that cannot be made, or that took longer than `progressDeadlineSeconds`.
    pub(crate) fn trouble(&self) -> Option<String> {
        let conditions = self
            .object
            .data
            .pointer("/status/conditions")
            .and_then(Value::as_array)?;
        let text = |condition: &Value, field: &str| {
            condition
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let complains =
            |condition: &&Value| match (text(condition, "type").as_str(), text(condition, "status").as_str()) {
                ("ReplicaFailure", "True") => true,
                ("Progressing", "False") => text(condition, "reason") == "ProgressDeadlineExceeded",
                _ => false,
            };
        let condition = conditions.iter().find(complains)?;
        let said = match text(condition, "message") {
            message if message.is_empty() => text(condition, "reason"),
            message => message,
        };
        Some(format!("Deployment {}: {said}", self.object.name()))
    }

    /// Ok once all its pods are of its own template and enough of them are available; else what is missing, in words.
    pub(crate) fn rolled(&self) -> Result<(), String> {
        let name = self.object.name();
        if self.paused {
            return Err(format!("Deployment {name} is paused"));
        }
        if !self.observed() {
            return Err(format!(
                "Deployment {name}: its controller has not seen generation {}",
                self.object.generation()
            ));
        }
        if self.updated_replicas < self.replicas || self.status_replicas != self.updated_replicas {
            return Err(format!(
                "Deployment {name} is rolling: {} of {} pods are new, {} in all",
                self.updated_replicas, self.replicas, self.status_replicas
            ));
        }
        let needed = self.replicas - self.max_unavailable;
        if self.available_replicas < needed {
            return Err(format!(
                "Deployment {name} is rolling: {} of {} pods are available",
                self.available_replicas, self.replicas
            ));
        }
        Ok(())
    }
}

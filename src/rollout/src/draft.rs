//! A plan under construction. Every rule adds to one draft; [`Draft::finish`] closes it with the new status, written only when it says
//! something new. Guards come from the objects, so that no rule can forget one.

use api::v1alpha1::AnalysisRunStatus;
use api::v1beta1::{BatchReleaseStatus, RolloutStatus};
use jiff::Timestamp;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::meta::Meta;
use crate::{
    Action, Ask, EventNote, EventType, Evidence, Kind, Op, Plan, Propagation, Target, WaitReason, Wake, Write,
};

/// The plan so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) plan: Plan,
}

impl Draft {
    pub(crate) fn rule(&mut self, rule: &'static str, message: impl Into<String>) {
        self.plan.rule = rule;
        self.plan.message = message.into();
    }

    pub(crate) fn wait(&mut self, reason: WaitReason) {
        self.plan.waiting_on.push(reason);
    }

    /// Looks again at that moment at the latest.
    pub(crate) fn wake_at(&mut self, moment: Timestamp) {
        self.plan.wake = self.plan.wake.sooner(Wake::At(moment));
    }

    pub(crate) fn event(
        &mut self,
        about: &DynamicObject,
        event_type: EventType,
        reason: &'static str,
        message: String,
    ) {
        self.plan.events.push(EventNote {
            regarding: about.target(Kind::Rollout),
            event_type,
            reason,
            message,
        });
    }

    pub(crate) fn create(&mut self, kind: Kind, object: Value, recheck: Option<Evidence>) {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.plan.writes.push(Write {
            target: Target {
                kind,
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name"),
            },
            action: Action::Create { object },
            recheck,
        });
    }

    /// Patches an object, unless there is nothing to patch.
    pub(crate) fn patch(&mut self, kind: Kind, object: &DynamicObject, ops: Vec<Op>, recheck: Option<Evidence>) {
        if ops.is_empty() {
            return;
        }
        self.plan.writes.push(Write {
            target: object.target(kind),
            action: Action::Patch {
                guard: object.guard(),
                ops,
            },
            recheck,
        });
    }

    /// Deletes an object, unless it is on its way out already.
    pub(crate) fn delete(
        &mut self,
        kind: Kind,
        object: &DynamicObject,
        propagation: Propagation,
        recheck: Option<Evidence>,
    ) {
        if object.deleting() {
            return self.wait(WaitReason::Gone {
                object: object.target(kind),
            });
        }
        self.plan.writes.push(Write {
            target: object.target(kind),
            action: Action::Delete {
                guard: object.guard(),
                propagation,
            },
            recheck,
        });
    }

    fn status(&mut self, kind: Kind, object: &DynamicObject, status: Value) {
        self.plan.writes.push(Write {
            target: object.target(kind),
            action: Action::Status {
                guard: object.guard(),
                status,
            },
            recheck: None,
        });
    }

    /// Whether an object is written to already: then it is looked at again before it is written once more.
    pub(crate) fn writes_to(&self, target: &Target) -> bool {
        self.plan.writes.iter().any(|write| write.target == *target)
    }

    /// Asks for measurements.
    pub(crate) fn ask(&mut self, asks: impl IntoIterator<Item = Ask>) {
        self.plan.asks.extend(asks);
    }

    /// Writes an AnalysisRun's status.
    pub(crate) fn run_status(&mut self, object: &DynamicObject, status: &AnalysisRunStatus) {
        self.status(Kind::AnalysisRun, object, json!(status));
    }

    /// Writes a Rollout's status if it differs.
    pub(crate) fn rollout_status(&mut self, object: &DynamicObject, old: &RolloutStatus, new: &RolloutStatus) {
        if old == new || self.writes_to(&object.target(Kind::Rollout)) {
            return;
        }
        let mut status = json!(new);
        if let Some(time) = new.common().and_then(|common| common.last_update_time.as_ref()) {
            let sub = if status.get("canaryStatus").is_some() {
                "canaryStatus"
            } else {
                "blueGreenStatus"
            };
            // The library writes whole seconds; pauses and graces count from here and must not come out short.
            status[sub]["lastUpdateTime"] = json!(time.0.to_string());
        }
        self.status(Kind::Rollout, object, status);
    }

    /// Writes a BatchRelease's status.
    pub(crate) fn batch_status(&mut self, object: &DynamicObject, new: &BatchReleaseStatus) {
        let mut status = json!(new);
        if let Some(time) = &new.canary_status.batch_ready_time {
            status["canaryStatus"]["batchReadyTime"] = json!(time.0.to_string());
        }
        self.status(Kind::BatchRelease, object, status);
    }
}

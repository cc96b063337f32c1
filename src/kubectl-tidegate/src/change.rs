//! What a command changes, as a value: a patch bound to what the person looked at, or the reason why there is none.

use api::parts::{RolloutPhase, StepState};
use api::v1beta1::{CommonStatus, Rollout};
use serde_json::{Value, json};

use crate::view;

/// A write that is ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A JSON Patch on the status, which tests what it was decided on.
    Status { operations: Value, said: String },
    /// A merge patch on the object.
    Spec { merge: Value, said: String },
}

impl Change {
    pub(crate) fn said(&self) -> &str {
        match self {
            Self::Status { said, .. } | Self::Spec { said, .. } => said,
        }
    }
}

/// Why there is nothing to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is so already.
    Nothing(&'static str),
    /// It cannot be done; the sentence goes on after the object's name.
    Because(String),
}

/// Where the strategy's sub-status is, its revision's field and what people call it.
struct Sub<'a> {
    common: &'a CommonStatus,
    revision: &'a str,
    path: &'static str,
    revision_field: &'static str,
    word: &'static str,
}

fn sub(rollout: &Rollout) -> Option<Sub<'_>> {
    let status = rollout.status.as_ref()?;
    match (&status.canary_status, &status.blue_green_status) {
        (Some(canary), _) => Some(Sub {
            common: &canary.common,
            revision: &canary.canary_revision,
            path: "/status/canaryStatus",
            revision_field: "canaryRevision",
            word: "canary",
        }),
        (None, Some(blue_green)) => Some(Sub {
            common: &blue_green.common,
            revision: &blue_green.updated_revision,
            path: "/status/blueGreenStatus",
            revision_field: "updatedRevision",
            word: "blue-green",
        }),
        (None, None) => None,
    }
}

impl Sub<'_> {
    /// The release is still where the person saw it.
    fn still(&self) -> Vec<Value> {
        vec![
            json!({ "op": "test", "path": format!("{}/currentStepIndex", self.path), "value": self.common.current_step_index }),
            json!({ "op": "test", "path": format!("{}/{}", self.path, self.revision_field), "value": self.revision }),
        ]
    }
}

/// Opens the gate that the release waits at, and no other: the patch tests step, revision and state. What a verdict says is overruled, by name.
pub(crate) fn approve(rollout: &Rollout, step: Option<i32>, revision: Option<&str>) -> Result<Change, Refused> {
    let Some(sub) = sub(rollout) else {
        return Err(Refused::Because(
            "needs no approval: not in canary or blue-green progress".to_owned(),
        ));
    };
    let looked_at = |what: &str, seen: &str| {
        Refused::Because(format!(
            "is not at {what} {seen} but at {}; nothing was approved, look again",
            view::place(rollout)
        ))
    };
    if let Some(step) = step.filter(|step| sub.common.current_step_index != Some(*step)) {
        return Err(looked_at("step", &step.to_string()));
    }
    if let Some(revision) = revision.filter(|revision| *revision != sub.revision) {
        return Err(looked_at("revision", revision));
    }
    match sub.common.current_step_state {
        StepState::StepPaused => {}
        StepState::StepReady => return Err(Refused::Nothing("already approved")),
        _ => {
            return Err(Refused::Because(format!(
                "does not allow to approve, because current {} state is not 'StepPaused': it is at {}",
                sub.word,
                view::place(rollout)
            )));
        }
    }
    let state = format!("{}/currentStepState", sub.path);
    let mut operations = sub.still();
    operations.push(json!({ "op": "test", "path": state, "value": StepState::StepPaused }));
    operations.push(json!({ "op": "replace", "path": state, "value": StepState::StepReady }));
    let overruled = verdicts(rollout);
    let said = if overruled.is_empty() {
        "approved".to_owned()
    } else {
        format!("approved, overruling {}", overruled.join(" and "))
    };
    Ok(Change::Status {
        operations: operations.into(),
        said,
    })
}

/// Asks for another try where a verdict holds the release or took it back: it is measured anew.
pub(crate) fn retry(rollout: &Rollout) -> Result<Change, Refused> {
    let nothing = |why: String| Err(Refused::Because(format!("has nothing to retry: {why}")));
    let Some(sub) = sub(rollout) else {
        return nothing("no release is under way".to_owned());
    };
    let Some(retry) = rollout::retry(rollout) else {
        let place = view::place(rollout);
        return match sub.common.current_step_state {
            StepState::StepPaused => nothing(format!(
                "no verdict stands against {place}; use approve to let it go on"
            )),
            StepState::StepMetricsAnalysis => nothing(format!("metrics are being judged at {place}")),
            _ => nothing(format!("it is at {place}")),
        };
    };
    let (state, path) = (format!("{}/currentStepState", sub.path), sub.path);
    let mut operations = sub.still();
    operations.push(json!({ "op": "test", "path": state, "value": sub.common.current_step_state }));
    if Some(retry.step) != sub.common.current_step_index || retry.next_step != sub.common.next_step_index {
        operations.push(json!({ "op": "replace", "path": format!("{path}/currentStepIndex"), "value": retry.step }));
        operations.push(json!({ "op": "replace", "path": format!("{path}/nextStepIndex"), "value": retry.next_step }));
    }
    operations.push(json!({ "op": "replace", "path": state, "value": retry.state }));
    let said = match sub.common.current_step_state {
        StepState::StepAborted => "tries again from step 1".to_owned(),
        _ => format!("measures again, after {}", verdicts(rollout).join(" and ")),
    };
    Ok(Change::Status {
        operations: operations.into(),
        said,
    })
}

/// The verdicts that keep the release where it is: `AnalysisRun NAME (Failed)`.
fn verdicts(rollout: &Rollout) -> Vec<String> {
    let judging = rollout::judging(rollout).into_iter().filter(|judging| judging.objects);
    judging
        .map(|judging| format!("AnalysisRun {} ({})", judging.run.name, judging.run.phase))
        .collect()
}

/// Asks for another step than the one that comes next.
pub(crate) fn jump(rollout: &Rollout, to: i32) -> Result<Change, Refused> {
    let because = |text: String| Err(Refused::Because(text));
    let released = rollout
        .status
        .as_ref()
        .is_some_and(|status| status.phase == RolloutPhase::Progressing);
    let Some(sub) = sub(rollout).filter(|_| released) else {
        return because("has no release under way, so there is no step to jump from".to_owned());
    };
    let steps = view::step_count(rollout);
    if !(1..=steps).contains(&to) {
        return because(format!("has no step {to}; its steps are 1 to {steps}"));
    }
    let current = sub.common.current_step_index.unwrap_or_default();
    if to == current + 1 {
        return because(format!("goes to step {to} next anyway; use approve when it waits"));
    }
    let mut operations = sub.still();
    operations.push(json!({ "op": "replace", "path": format!("{}/nextStepIndex", sub.path), "value": to }));
    Ok(Change::Status {
        operations: operations.into(),
        said: "jumping".to_owned(),
    })
}

/// Holds the release.
pub(crate) fn pause(rollout: &Rollout) -> Result<Change, Refused> {
    if rollout.spec.strategy.paused == Some(true) {
        return Err(Refused::Because("is already paused".to_owned()));
    }
    Ok(Change::Spec {
        merge: json!({ "spec": { "strategy": { "paused": true } } }),
        said: "paused".to_owned(),
    })
}

/// Lets a held release go on.
pub(crate) fn resume(rollout: &Rollout) -> Result<Change, Refused> {
    if rollout.spec.strategy.paused != Some(true) {
        return Err(Refused::Because("is not paused".to_owned()));
    }
    Ok(Change::Spec {
        merge: json!({ "spec": { "strategy": { "paused": false } } }),
        said: "resumed".to_owned(),
    })
}

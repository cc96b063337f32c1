//! What a controller decided, read from two observations of one release that follow each other. Pure; used by `recorder`.

use suites::dialect::{Ending, Gate, Observation, Phase, StepState};

use super::record::By;

/// Who decided what between the two; nothing when nobody did.
pub(super) fn between(before: &Observation, now: &Observation) -> Option<(By, String)> {
    let mut by = By::Plan;
    let mut parts = Vec::new();
    let is_releasing = now.phase == Phase::Progressing && matches!(now.state, StepState::Working | StepState::Paused);
    if is_releasing && (before.phase != now.phase || before.step != now.step || before.revision != now.revision) {
        parts.push(step_begins(now));
    }
    if now.state == StepState::TakenBack && before.state != now.state {
        by = By::Analysis;
        parts.push("The new version is taken back".to_owned());
    }
    if now.state == StepState::Completed && before.state != now.state && now.phase == Phase::Progressing {
        parts.push("The steps are done".to_owned());
    }
    if before.weight != now.weight {
        parts.push(match now.weight {
            0 => "The canary route goes: every request goes to the stable Service".to_owned(),
            weight => format!("{weight} % of the requests go to the new version"),
        });
    }
    if is_releasing && now.state == StepState::Paused && before.state != now.state {
        parts.push(waits(now));
    }
    if now.phase == Phase::Healthy && before.phase != now.phase {
        match now.ending {
            Some(Ending::Completed) => parts.push("The release is complete".to_owned()),
            Some(Ending::RolledBack) => parts.push("The release is over: the old version is back".to_owned()),
            None => {}
        }
    }
    (!parts.is_empty()).then(|| (by, parts.join(". ")))
}

fn step_begins(now: &Observation) -> String {
    let pods = now.planned().map(|planned| match planned.replicas.as_str() {
        "1" => ": one pod of the new version".to_owned(),
        replicas => format!(": {replicas} pods of the new version"),
    });
    format!(
        "Step {} of {} begins{}",
        now.step,
        now.plan.len(),
        pods.unwrap_or_default()
    )
}

fn waits(now: &Observation) -> String {
    let step = now.step;
    match now.planned().map(|planned| planned.gate) {
        Some(Gate::After(time)) => format!("Step {step} waits for {} minutes", time.as_secs() / 60),
        Some(Gate::Analysis) => format!("Step {step} waits for its analysis"),
        Some(Gate::Approval) | None => format!("Step {step} waits for a person"),
    }
}

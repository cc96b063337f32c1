//! What a person is told about a Rollout: one line, one place, one verdict, one page. Pure text from a value.

use std::fmt::Write as _;

use api::names::condition;
use api::parts::{IntOrString, RolloutPhase, StepState};
use api::plan::{Pause, Plan, Route, Router, Stage, Style};
use api::v1beta1::Rollout;

use crate::runs::{self, Shown};

/// How a release stands, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The last release was promoted, or there never was one.
    Completed,
    /// The last release was rolled back.
    RolledBack,
    /// A verdict took the release back; it stays so until somebody decides.
    Aborted,
    /// A person must act.
    Paused,
    /// Going on by itself.
    UnderWay,
}

/// How a Rollout's release stands by its status alone.
pub(crate) fn verdict(rollout: &Rollout) -> Verdict {
    let Some(status) = &rollout.status else {
        return Verdict::UnderWay;
    };
    // A status that speaks of an older spec proves nothing.
    if status.observed_generation < rollout.metadata.generation {
        return Verdict::UnderWay;
    }
    match status.phase {
        RolloutPhase::Disabled => Verdict::Completed,
        RolloutPhase::Healthy => match status
            .condition(condition::SUCCEEDED)
            .map(|found| found.status.as_str())
        {
            Some("False") => Verdict::RolledBack,
            _ => Verdict::Completed,
        },
        RolloutPhase::Progressing => {
            let aborted = status
                .common()
                .is_some_and(|common| common.current_step_state == StepState::StepAborted);
            let held = rollout.spec.strategy.paused == Some(true);
            if aborted {
                Verdict::Aborted
            } else if held || waits_for_approval(rollout) {
                Verdict::Paused
            } else {
                Verdict::UnderWay
            }
        }
        _ => Verdict::UnderWay,
    }
}

/// Whether the current step waits for a person rather than for time.
fn waits_for_approval(rollout: &Rollout) -> bool {
    let Some(common) = rollout.status.as_ref().and_then(|status| status.common()) else {
        return false;
    };
    let pause = Plan::of(rollout)
        .ok()
        .and_then(|plan| plan.step(common.current_step_index?).map(|step| step.pause));
    let objects = rollout::judging(rollout).iter().any(|judging| judging.objects);
    common.current_step_state == StepState::StepPaused && (objects || matches!(pause, None | Some(Pause::Manual)))
}

/// How many steps a release has, those of its promotion included; 0 of a plan that cannot be read.
pub(crate) fn step_count(rollout: &Rollout) -> i32 {
    Plan::of(rollout).map_or(0, |plan| plan.step_count())
}

/// `step 1/4 (StepPaused) of revision abc`.
pub(crate) fn place(rollout: &Rollout) -> String {
    let Some(status) = &rollout.status else {
        return "no step: the controller has not seen it".to_owned();
    };
    let (Some(common), Some(revision)) = (status.common(), status.updated_revision()) else {
        return format!("no step, phase {}", status.phase);
    };
    let step = common.current_step_index.unwrap_or_default();
    format!(
        "step {step}/{} ({}) of revision {revision}",
        step_count(rollout),
        common.current_step_state
    )
}

/// The status in one line.
pub(crate) fn line(rollout: &Rollout) -> String {
    let Some(status) = &rollout.status else {
        return "is new: the controller has not seen it".to_owned();
    };
    let mut line = status.phase.to_string();
    if status.phase == RolloutPhase::Progressing {
        let _ = write!(line, ", {}", place(rollout));
    }
    if let Some(message) = status.message.as_deref().filter(|message| !message.is_empty()) {
        let _ = write!(line, ": {message}");
    }
    line
}

/// The plan and where it is, on a page; under the step, the runs that judge it.
pub(crate) fn description(rollout: &Rollout, runs: &[Shown]) -> String {
    let mut page = String::new();
    let mut row = |label: &str, value: &str| {
        let _ = writeln!(page, "{}", format!("{label:<19}{value}").trim_end());
    };
    let metadata = &rollout.metadata;
    row("Name:", metadata.name.as_deref().unwrap_or_default());
    row("Namespace:", metadata.namespace.as_deref().unwrap_or_default());
    let status = rollout.status.clone().unwrap_or_default();
    let phase = if status.phase.is_empty() {
        "Unknown"
    } else {
        status.phase.as_str()
    };
    row("Status:", phase);
    if status.observed_generation == metadata.generation {
        row("Message:", status.message.as_deref().unwrap_or_default());
    }
    let workload = &rollout.spec.workload_ref;
    row(
        "Workload:",
        &format!("{}/{} ({})", workload.kind, workload.name, workload.api_version),
    );
    let plan = match Plan::of(rollout) {
        Ok(plan) => plan,
        Err(errors) => {
            row("Problem:", &api::field_error::aggregate(&errors));
            return page;
        }
    };
    let style = match plan.style() {
        Style::Canary => "Canary",
        Style::Partition => "Canary, in place",
        Style::BlueGreen => "BlueGreen",
    };
    row("Strategy:", style);
    let current = status.common().and_then(|common| common.current_step_index);
    row(
        " Step:",
        &format!("{}/{}", current.unwrap_or_default(), plan.step_count()),
    );
    row(" Steps:", "");
    for (number, step) in (1..).zip(&plan.steps) {
        let here = if current == Some(number) { "*" } else { "-" };
        let replicas = match &step.replicas {
            IntOrString::Int(pods) => pods.to_string(),
            IntOrString::String(share) => share.clone(),
        };
        let route = match &step.route {
            Some(Route::Weight(weight)) => format!("traffic {weight}"),
            Some(Route::Matches(matches)) => format!("traffic by {} match(es)", matches.len()),
            None => "no traffic".to_owned(),
        };
        let pause = match step.pause {
            Pause::Manual => "until approved".to_owned(),
            Pause::For(seconds) => format!("for {seconds} s"),
            Pause::UntilAnalysis => "until its analysis is successful".to_owned(),
        };
        let state = if current == Some(number) {
            format!("  {}", status.current_step_state)
        } else {
            String::new()
        };
        let stage = match step.stage {
            Stage::Own => "",
            Stage::BeforePromotion => "before promotion: ",
            Stage::AfterPromotion { .. } => "after promotion: ",
        };
        row(
            "",
            &format!("{here} {stage}replicas {replicas}, {route}, {pause}{state}"),
        );
        if current == Some(number) {
            for line in runs.iter().flat_map(runs::lines) {
                row("", &format!("  {line}"));
            }
        }
    }
    if let Some(routing) = &plan.routing {
        row("Traffic Routings:", &format!("Service {}", routing.service));
        for router in &routing.routers {
            let router = match router {
                Router::Ingress { class, name } => format!("Ingress {name} ({class})"),
                Router::HttpRoute { name } => format!("HTTPRoute {name}"),
                Router::GrpcRoute { name } => format!("GRPCRoute {name}"),
                Router::Custom(objects) => {
                    let objects: Vec<String> = objects
                        .iter()
                        .map(|object| format!("{} {}", object.kind, object.name))
                        .collect();
                    objects.join(", ")
                }
            };
            row("", &router);
        }
    }
    if let Some(common) = status.common() {
        row(
            "Current Revision:",
            common.stable_revision.as_deref().unwrap_or_default(),
        );
        row("Update Revision:", status.updated_revision().unwrap_or_default());
    }
    page
}

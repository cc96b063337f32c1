//! The verbs of `analysis`: runs are listed, looked at and told to stop; a template is measured once from here (`by_hand`). Used by the command
//! line's entry.

mod by_hand;
mod template;
#[cfg(test)]
mod tests;

use std::io::Write;

use api::v1alpha1::AnalysisRun;
use env::Env;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;

use crate::args::{AnalysisVerb, Connection, DryRun, List, Output, Runs, Terminate};
use crate::connect::{self, Connect};
use crate::output::{marked, print, print_list};
use crate::target::{self, Kind, Target};
use crate::{Failure, exit, runs};

/// Does one verb and returns the exit code.
pub(crate) async fn perform(
    env: &Env,
    connect: Connect,
    connection: &Connection,
    verb: &AnalysisVerb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    match verb {
        AnalysisVerb::Run(asked) => by_hand::measure(env, connect, connection, asked, out).await,
        AnalysisVerb::List(asked) => {
            let place = Place::reach(connect, connection).await?;
            list(&place, asked, out, err).await
        }
        AnalysisVerb::Get(asked) => {
            let place = Place::reach(connect, connection).await?;
            get(&place, asked, out, err).await
        }
        AnalysisVerb::Terminate(asked) => {
            let place = Place::reach(connect, connection).await?;
            let mut code = exit::DONE;
            for target in target::runs(&asked.what.names)? {
                if let Err(Failure(line)) = terminate(&place.runs(), &target, asked, out).await {
                    writeln!(err, "error: {target} {line}")?;
                    code = exit::FAILED;
                }
            }
            Ok(code)
        }
    }
}

/// The cluster, and the namespace that the command line is about.
struct Place {
    client: Client,
    namespace: String,
}

impl Place {
    async fn reach(connect: Connect, connection: &Connection) -> Result<Self, Failure> {
        let (client, default_namespace) = connect::client(connect, connection).await?;
        let namespace = connection.namespace.clone().unwrap_or(default_namespace);
        Ok(Self { client, namespace })
    }

    fn runs(&self) -> Api<AnalysisRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

async fn list(place: &Place, asked: &List, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let runs = match asked.all_namespaces {
        true => Api::all(place.client.clone()),
        false => place.runs(),
    };
    let labels = ListParams::default().labels(asked.selector.as_deref().unwrap_or_default());
    let listed = runs
        .list(&labels)
        .await
        .map_err(|error| connect::failure("AnalysisRuns cannot be listed", &error))?;
    let wanted = |run: &AnalysisRun| asked.rollout.is_none() || owner(run) == asked.rollout;
    let found: Vec<(Target, AnalysisRun)> = listed
        .items
        .into_iter()
        .filter(wanted)
        .map(|run| {
            let target = Target {
                kind: Kind::AnalysisRun,
                namespace: run.namespace().filter(|_| asked.all_namespaces),
                name: run.name_any(),
            };
            (target, run)
        })
        .collect();
    if found.is_empty() {
        let within = match asked.all_namespaces {
            true => String::new(),
            false => format!(" in {} namespace", place.namespace),
        };
        writeln!(err, "No resources found{within}.")?;
    }
    match asked.output {
        Some(output) => print_list(out, output, &found)?,
        None => {
            for (target, run) in &found {
                writeln!(out, "{target} {}", line(run))?;
            }
        }
    }
    Ok(exit::DONE)
}

/// The Rollout that a run belongs to.
fn owner(run: &AnalysisRun) -> Option<String> {
    let owners = run.owner_references().iter();
    let mut rollouts =
        owners.filter(|owner| owner.kind == "Rollout" && owner.api_version.starts_with("rollouts.kruise.io/"));
    rollouts.next().map(|owner| owner.name.clone())
}

/// A run in one line: how it stands, what it judges, and what it says.
pub(crate) fn line(run: &AnalysisRun) -> String {
    let status = run.status.clone().unwrap_or_default();
    let mut line = runs::phase(&status.phase).to_owned();
    let labels = run.labels();
    let role = match (labels.get("rollout-type").map(String::as_str), labels.get("step-index")) {
        (Some("Step"), Some(step)) => Some(format!("gate of step {step}")),
        (Some(kind), _) => Some(kind.to_lowercase()),
        (None, _) => None,
    };
    let judges = match (role, owner(run)) {
        (Some(role), Some(rollout)) => Some(format!("{role} of rollout/{rollout}")),
        (None, Some(rollout)) => Some(format!("of rollout/{rollout}")),
        (role, None) => role,
    };
    if let Some(judges) = judges {
        line = format!("{line}, {judges}");
    }
    if let Some(message) = status.message.filter(|message| !message.is_empty()) {
        line = format!("{line}: {}", runs::clean(&message));
    }
    line
}

async fn get(place: &Place, asked: &Runs, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let (runs, mut code) = (place.runs(), exit::DONE);
    let mut found = Vec::new();
    for target in target::runs(&asked.names)? {
        match fetch(&runs, &target).await {
            Ok(run) => found.push((target, run)),
            Err(Failure(line)) => {
                writeln!(err, "error: {target} {line}")?;
                code = exit::FAILED;
            }
        }
    }
    match (asked.output, found.as_slice()) {
        (Some(output), [(target, run)]) if output != Output::Name => print(out, Some(output), target, "", run)?,
        (Some(output), found) => print_list(out, output, found)?,
        (None, found) => {
            for (target, run) in found {
                for line in runs::run_lines(&target.to_string(), run) {
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
    Ok(code)
}

async fn terminate(
    runs: &Api<AnalysisRun>,
    target: &Target,
    asked: &Terminate,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let run = fetch(runs, target).await?;
    if let Some(phase) = run
        .status
        .as_ref()
        .map(|status| &status.phase)
        .filter(|phase| phase.is_final())
    {
        return Err(Failure(format!("is over already: {phase}")));
    }
    if run.spec.terminate == Some(true) {
        return print(out, asked.what.output, target, "is being terminated already", &run);
    }
    let said = marked("terminated", asked.dry_run);
    if asked.dry_run == DryRun::Client {
        return print(out, asked.what.output, target, &said, &run);
    }
    let params = PatchParams {
        dry_run: asked.dry_run == DryRun::Server,
        ..PatchParams::default()
    };
    let merge = Patch::Merge(json!({ "spec": { "terminate": true } }));
    let written = runs
        .patch(&target.name, &params, &merge)
        .await
        .map_err(|error| connect::failure("cannot be changed", &error))?;
    print(out, asked.what.output, target, &said, &written)
}

async fn fetch(runs: &Api<AnalysisRun>, target: &Target) -> Result<AnalysisRun, Failure> {
    runs.get(&target.name)
        .await
        .map_err(|error| connect::failure("cannot be read", &error))
}

//! `rollout status`: a line per change until the release ends, and under it the runs that judge the step, whenever they have measured.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use api::names::annotation;
use api::plan::Plan;
use api::v1alpha1::AnalysisRun;
use api::v1beta1::Rollout;
use env::Env;
use futures::{Stream, StreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};

use crate::args::Status;
use crate::output::print;
use crate::runs::{self, Shown};
use crate::target::Target;
use crate::view::{self, Verdict};
use crate::{Failure, connect, exit, fetch};

/// How long to wait before a broken watch is opened again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Reports on one Rollout and returns the exit code.
pub(crate) async fn report(
    env: &Env,
    client: &Client,
    rollouts: &Api<Rollout>,
    target: &Target,
    status: &Status,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    // Asked first, so that a wrong name or an unreachable cluster is an answer and not a wait.
    let rollout = fetch(rollouts, target).await?;
    if !status.watch {
        let mut told = Told::default();
        told.line(out, status, target, &rollout)?;
        told.runs(out, status, &runs::of(client, &rollout).await)?;
        let over = is_over(client, rollouts, &rollout).await?;
        return Ok(match view::verdict(&rollout) {
            Verdict::Completed if over => exit::DONE,
            Verdict::RolledBack if over => exit::ROLLED_BACK,
            Verdict::Aborted => exit::ROLLED_BACK,
            Verdict::Paused => exit::PAUSED,
            _ => exit::UNDER_WAY,
        });
    }
    let waiting = Box::pin(follow(env, client, rollouts, target, status, out, err));
    let Some(limit) = status.timeout.filter(|limit| !limit.is_zero()) else {
        return waiting.await;
    };
    match env.clock().timeout(limit, waiting).await {
        Ok(done) => done,
        Err(_) => {
            writeln!(err, "error: {target} timed out waiting for the release to end")?;
            Ok(exit::TIMED_OUT)
        }
    }
}

/// What was printed last: nothing is said twice.
#[derive(Debug, Default)]
struct Told {
    line: String,
    runs: Vec<String>,
}

impl Told {
    fn line(
        &mut self,
        out: &mut dyn Write,
        status: &Status,
        target: &Target,
        rollout: &Rollout,
    ) -> Result<(), Failure> {
        let line = view::line(rollout);
        if line != self.line {
            print(out, status.read.output, target, &line, rollout)?;
            self.line = line;
        }
        Ok(())
    }

    /// Objects and names are the Rollout's alone: runs are told of in sentences only.
    fn runs(&mut self, out: &mut dyn Write, status: &Status, shown: &[Shown]) -> Result<(), Failure> {
        let lines: Vec<String> = shown.iter().flat_map(runs::lines).collect();
        if status.read.output.is_none() && lines != self.runs {
            for line in &lines {
                writeln!(out, "  {line}")?;
            }
        }
        self.runs = lines;
        Ok(())
    }
}

/// What a watch tells of.
#[expect(clippy::large_enum_variant, reason = "one is made for each event and used at once")]
enum Seen {
    Rollout(Result<Event<Rollout>, watcher::Error>),
    Run(Result<Event<AnalysisRun>, watcher::Error>),
}

async fn follow(
    env: &Env,
    client: &Client,
    rollouts: &Api<Rollout>,
    target: &Target,
    status: &Status,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let config = watcher::Config::default().fields(&format!("metadata.name={}", target.name));
    let of_rollout = watcher(rollouts.clone(), config).map(Seen::Rollout);
    let first = fetch(rollouts, target).await?;
    let mut events = pin!(futures::stream::select(of_rollout, runs_of(env, client, &first)));
    let mut told = Told::default();
    let mut trouble = String::new();
    let mut last: Option<Rollout> = None;
    while let Some(seen) = events.next().await {
        let rollout = match seen {
            Seen::Rollout(Ok(Event::Apply(rollout) | Event::InitApply(rollout))) => rollout,
            Seen::Rollout(Ok(Event::Delete(_))) => return Err(Failure("was deleted".to_owned())),
            Seen::Run(Ok(Event::Apply(run))) => {
                let judged = last.as_ref().filter(|rollout| judges(rollout, &run));
                if let Some(rollout) = judged {
                    told.runs(out, status, &runs::of(client, rollout).await)?;
                }
                continue;
            }
            // Runs that cannot be watched are still read with each change of the Rollout.
            Seen::Rollout(Ok(_)) | Seen::Run(_) => continue,
            Seen::Rollout(Err(error)) => {
                let line = error.to_string();
                if line != trouble {
                    writeln!(err, "{target} cannot be watched, trying again: {line}")?;
                    trouble = line;
                }
                env.sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        told.line(out, status, target, &rollout)?;
        told.runs(out, status, &runs::of(client, &rollout).await)?;
        match view::verdict(&rollout) {
            Verdict::Aborted => return Ok(exit::ROLLED_BACK),
            Verdict::Paused if status.until_paused => return Ok(exit::PAUSED),
            Verdict::Completed if is_over(client, rollouts, &rollout).await? => return Ok(exit::DONE),
            Verdict::RolledBack if is_over(client, rollouts, &rollout).await? => return Ok(exit::ROLLED_BACK),
            _ => {}
        }
        last = Some(rollout);
    }
    Err(Failure("cannot be watched any more".to_owned()))
}

/// Whether a run is one of those that judge the step.
fn judges(rollout: &Rollout, run: &AnalysisRun) -> bool {
    rollout::judging(rollout)
        .iter()
        .any(|judging| run.metadata.name.as_deref() == Some(judging.run.name.as_str()))
}

/// The runs beside a Rollout that measures something; of another one nothing is watched, since a cluster may not know the kind.
fn runs_of(env: &Env, client: &Client, rollout: &Rollout) -> impl Stream<Item = Seen> + use<> {
    let measures = Plan::of(rollout)
        .is_ok_and(|plan| plan.background.is_some() || plan.steps.iter().any(|step| step.gate.is_some()));
    let namespace = rollout.metadata.namespace.as_deref();
    let runs: Api<AnalysisRun> = Api::namespaced(client.clone(), namespace.unwrap_or(client.default_namespace()));
    let env = env.clone();
    match measures {
        false => futures::stream::pending().left_stream(),
        true => watcher(runs, watcher::Config::default())
            .then(move |seen| {
                let env = env.clone();
                async move {
                    if seen.is_err() {
                        env.sleep(AGAIN_AFTER).await;
                    }
                    Seen::Run(seen)
                }
            })
            .right_stream(),
    }
}

/// Whether a release that the status calls over really is: one that has just begun shows on the workload first.
async fn is_over(client: &Client, rollouts: &Api<Rollout>, rollout: &Rollout) -> Result<bool, Failure> {
    let workload = &rollout.spec.workload_ref;
    if workload.kind != "Deployment" || workload.group() != "apps" {
        return Ok(true);
    }
    let namespace = rollout
        .metadata
        .namespace
        .as_deref()
        .unwrap_or(client.default_namespace());
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let found = deployments
        .get_opt(&workload.name)
        .await
        .map_err(|error| connect::failure("its workload cannot be read", &error))?;
    let annotations = found
        .and_then(|deployment| deployment.metadata.annotations)
        .unwrap_or_default();
    if !annotations.contains_key(annotation::IN_PROGRESSING) {
        return Ok(true);
    }
    // The mark is still there: the release ended while we read, or a new one has begun. The Rollout, read after it, tells.
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let again = rollouts
        .get(name)
        .await
        .map_err(|error| connect::failure("cannot be read", &error))?;
    let disabled = again.spec.disabled == Some(true);
    Ok(disabled && matches!(view::verdict(&again), Verdict::Completed))
}

//! `rollout status`: a line per change until the release ends.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use api::names::annotation;
use api::v1beta1::Rollout;
use env::Env;
use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};

use crate::args::Status;
use crate::output::print;
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
        print(out, status.read.output, target, &view::line(&rollout), &rollout)?;
        let over = is_over(client, rollouts, &rollout).await?;
        return Ok(match view::verdict(&rollout) {
            Verdict::Completed if over => exit::DONE,
            Verdict::RolledBack if over => exit::ROLLED_BACK,
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
    let mut events = pin!(watcher(rollouts.clone(), config));
    let mut printed = String::new();
    while let Some(event) = events.next().await {
        let rollout = match event {
            Ok(Event::Apply(rollout) | Event::InitApply(rollout)) => rollout,
            Ok(Event::Delete(_)) => return Err(Failure("was deleted".to_owned())),
            Ok(Event::Init | Event::InitDone) => continue,
            Err(error) => {
                let line = error.to_string();
                if line != printed {
                    writeln!(err, "{target} cannot be watched, trying again: {line}")?;
                    printed = line;
                }
                env.sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let line = view::line(&rollout);
        if line != printed {
            print(out, status.read.output, target, &line, &rollout)?;
            printed = line;
        }
        match view::verdict(&rollout) {
            Verdict::Paused if status.until_paused => return Ok(exit::PAUSED),
            Verdict::Completed if is_over(client, rollouts, &rollout).await? => return Ok(exit::DONE),
            Verdict::RolledBack if is_over(client, rollouts, &rollout).await? => return Ok(exit::ROLLED_BACK),
            _ => {}
        }
    }
    Err(Failure("cannot be watched any more".to_owned()))
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

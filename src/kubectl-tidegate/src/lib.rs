//! `kubectl-tidegate`, called `kubectl-kruise` too: what a person does to a release. Decisions are values ([`change`], [`view`]); this module sends
//! them and prints what came of it. The suites run it in their own process through [`run`]; the binaries through [`process`].

mod args;
mod change;
mod connect;
mod status;
mod target;
mod undo;
mod view;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::process::ExitCode;

use api::v1beta1::Rollout;
use clap::Parser;
use env::Env;
use kube::api::{Api, Patch, PatchParams};

use args::{Args, Common, DryRun, Output, Root, Verb};
use change::{Change, Refused};
use target::Target;

pub use connect::Connect;

/// Exit codes, as `--help` says them.
pub mod exit {
    /// Done; for `status`, the release was completed or there is none.
    pub const DONE: u8 = 0;
    /// Something is wrong; standard error says what.
    pub const FAILED: u8 = 1;
    /// `status`: the release waits for a person.
    pub const PAUSED: u8 = 2;
    /// `status`: the release was rolled back.
    pub const ROLLED_BACK: u8 = 3;
    /// `status`: the time given by `--timeout` is over.
    pub const TIMED_OUT: u8 = 4;
    /// `status --watch=false`: the release is under way.
    pub const UNDER_WAY: u8 = 5;
}

/// What ends a command early: one line for the person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(pub(crate) String);

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(format!("cannot write the answer: {error}"))
    }
}

/// The program of both binaries: real time, the kubeconfig, standard output.
pub fn process() -> ExitCode {
    // Another provider that was installed before is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(err, "error: cannot start: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    let code = runtime.block_on(run(
        &Env::real(),
        Connect::FromKubeconfig,
        std::env::args(),
        &mut out,
        &mut err,
    ));
    ExitCode::from(code)
}

/// Runs one command line (the program's name first) and returns its exit code; see [`exit`]. Answers go to `out`, errors to `err`.
pub async fn run(
    env: &Env,
    connect: Connect,
    args: impl IntoIterator<Item = String>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(usage) => {
            let asked = !usage.use_stderr();
            let _ = if asked {
                write!(out, "{}", usage.render())
            } else {
                write!(err, "{}", usage.render())
            };
            return if asked { exit::DONE } else { exit::FAILED };
        }
    };
    let Root::Rollout { verb } = args.root;
    match Box::pin(perform(env, connect, verb, out, err)).await {
        Ok(code) => code,
        Err(Failure(line)) => {
            let _ = writeln!(err, "error: {line}");
            exit::FAILED
        }
    }
}

async fn perform(
    env: &Env,
    connect: Connect,
    verb: Verb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let common = verb.common();
    let targets = target::parse(&common.targets)?;
    let (client, default_namespace) = connect::client(connect, common).await?;
    let namespace = common.namespace.clone().unwrap_or(default_namespace);
    let rollouts: Api<Rollout> = Api::namespaced(client.clone(), &namespace);
    let mut code = exit::DONE;
    for target in &targets {
        let done = match &verb {
            Verb::Status(status) => status::report(env, &client, &rollouts, target, status, out, err).await,
            Verb::Describe(_) => {
                let rollout = fetch(&rollouts, target).await?;
                out.write_all(view::description(&rollout).as_bytes())?;
                Ok(exit::DONE)
            }
            Verb::Get(common) => {
                let rollout = fetch(&rollouts, target).await?;
                let line = view::line(&rollout);
                print(out, common.output, target, &line, &rollout)?;
                Ok(exit::DONE)
            }
            Verb::Undo(common) => {
                let rollout = fetch(&rollouts, target).await?;
                let said = undo::workload(&client, &namespace, &rollout, common.dry_run).await?;
                print(out, common.output, target, &marked(&said, common.dry_run), &rollout)?;
                Ok(exit::DONE)
            }
            verb => edit(&rollouts, target, verb, out).await,
        };
        match done {
            Ok(exit::DONE) => {}
            Ok(other) => code = other,
            // The other targets are still worth doing.
            Err(Failure(line)) => {
                writeln!(err, "error: {target} {line}")?;
                code = exit::FAILED;
            }
        }
    }
    Ok(code)
}

/// Decides on one edit, sends it and says so.
async fn edit(rollouts: &Api<Rollout>, target: &Target, verb: &Verb, out: &mut dyn Write) -> Result<u8, Failure> {
    let rollout = fetch(rollouts, target).await?;
    let common = verb.common();
    let change = match decide(verb, &rollout) {
        Ok(change) => change,
        Err(Refused::Nothing(said)) => {
            print(out, common.output, target, said, &rollout)?;
            return Ok(exit::DONE);
        }
        Err(Refused::Because(why)) => return Err(Failure(why)),
    };
    let params = PatchParams {
        dry_run: common.dry_run == DryRun::Server,
        ..PatchParams::default()
    };
    let written = if common.dry_run == DryRun::Client {
        Ok(rollout)
    } else {
        match &change {
            Change::Status { operations, .. } => {
                let patch = serde_json::from_value(operations.clone())
                    .map_err(|error| Failure(format!("cannot build the patch: {error}")))?;
                rollouts
                    .patch_status(&target.name, &params, &Patch::Json::<()>(patch))
                    .await
            }
            Change::Spec { merge, .. } => rollouts.patch(&target.name, &params, &Patch::Merge(merge)).await,
        }
    };
    let written = match written {
        Ok(written) => written,
        // A `test` of the patch failed: somebody, or the controller, was faster.
        Err(kube::Error::Api(status)) if status.code == 422 && matches!(change, Change::Status { .. }) => {
            let now = fetch(rollouts, target).await?;
            let place = view::place(&now);
            return Err(Failure(format!(
                "has moved on meanwhile: it is now at {place}; nothing was changed, look again and repeat"
            )));
        }
        Err(error) => return Err(connect::failure("cannot change it", &error)),
    };
    print(
        out,
        common.output,
        target,
        &marked(change.said(), common.dry_run),
        &written,
    )?;
    Ok(exit::DONE)
}

fn decide(verb: &Verb, rollout: &Rollout) -> Result<Change, Refused> {
    match verb {
        Verb::Approve(approve) => change::approve(rollout, approve.step, approve.revision.as_deref()),
        Verb::Pause(_) => change::pause(rollout),
        Verb::Resume(_) => change::resume(rollout),
        Verb::Jump(jump) => change::jump(rollout, jump.to_step),
        Verb::Status(_) | Verb::Describe(_) | Verb::Get(_) | Verb::Undo(_) => Err(Refused::Nothing("unchanged")),
    }
}

async fn fetch(rollouts: &Api<Rollout>, target: &Target) -> Result<Rollout, Failure> {
    rollouts
        .get(&target.name)
        .await
        .map_err(|error| connect::failure("cannot be read", &error))
}

fn marked(said: &str, dry_run: DryRun) -> String {
    match dry_run {
        DryRun::None => said.to_owned(),
        DryRun::Client => format!("{said} (dry run)"),
        DryRun::Server => format!("{said} (server dry run)"),
    }
}

fn print(
    out: &mut dyn Write,
    output: Option<Output>,
    target: &Target,
    said: &str,
    rollout: &Rollout,
) -> Result<(), Failure> {
    let text = |error: &dyn std::fmt::Display| Failure(format!("cannot print it: {error}"));
    match output {
        None => writeln!(out, "{target} {said}")?,
        Some(Output::Name) => writeln!(out, "{target}")?,
        Some(Output::Json) => writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(rollout).map_err(|error| text(&error))?
        )?,
        Some(Output::Yaml) => write!(out, "{}", serde_yaml::to_string(rollout).map_err(|error| text(&error))?)?,
    }
    Ok(())
}

impl Verb {
    fn common(&self) -> &Common {
        match self {
            Self::Approve(approve) => &approve.common,
            Self::Jump(jump) => &jump.common,
            Self::Status(status) => &status.common,
            Self::Pause(common)
            | Self::Resume(common)
            | Self::Undo(common)
            | Self::Describe(common)
            | Self::Get(common) => common,
        }
    }
}

//! `kubectl-tidegate`, called `kubectl-kruise` too: what a person does to a release, and what measures it. Decisions are values ([`change`],
//! [`view`]); this module sends them and prints what came of it. The suites run it in their own process through [`run`]; the binaries through
//! [`process`].

mod analyses;
mod args;
mod change;
mod connect;
mod output;
mod runs;
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
use kube::api::{Api, ListParams, Patch, PatchParams};

use args::{Approve, Args, DryRun, Edit, Jump, Output, Read, Root, Verb};
use change::{Change, Refused};
use output::{marked, print, print_list};
use target::{Selection, Target};

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
    /// `analysis run`: what was measured is neither good nor bad.
    pub const INCONCLUSIVE: u8 = 2;
    /// `analysis run`: what was measured is bad.
    pub const BAD: u8 = 3;
    /// `analysis run`: it could not be measured.
    pub const UNMEASURED: u8 = 4;
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
    match Box::pin(perform(env, connect, &args, out, err)).await {
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
    args: &Args,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let verb = match &args.root {
        Root::Rollout { verb } => verb,
        Root::Analysis { verb } => return analyses::perform(env, connect, &args.connection, verb, out, err).await,
    };
    let selection = target::select(verb)?;
    let (client, default_namespace) = connect::client(connect, &args.connection).await?;
    let namespace = args.connection.namespace.clone().unwrap_or(default_namespace);
    let place = Place { client, namespace };
    let targets = match selection {
        Selection::Named(targets) => targets,
        Selection::Matching { labels, everywhere } => place.list(&labels, everywhere, err).await?,
    };
    if let Verb::Get(Read {
        output: Some(output), ..
    }) = verb
        && targets.len() > 1
    {
        return list(&place, *output, targets, out).await;
    }
    let mut code = exit::DONE;
    for (number, target) in targets.iter().enumerate() {
        if number > 0 && matches!(verb, Verb::Describe(_)) {
            writeln!(out)?;
        }
        match one(env, &place, target, verb, out, err).await {
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

/// One verb on one Rollout.
async fn one(
    env: &Env,
    place: &Place,
    target: &Target,
    verb: &Verb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let rollouts = place.rollouts(target);
    match verb {
        Verb::Status(status) => status::report(env, &place.client, &rollouts, target, status, out, err).await,
        Verb::Describe(_) => {
            let rollout = fetch(&rollouts, target).await?;
            let shown = runs::of(&place.client, &rollout).await;
            out.write_all(view::description(&rollout, &shown).as_bytes())?;
            Ok(exit::DONE)
        }
        Verb::Get(read) => {
            let rollout = fetch(&rollouts, target).await?;
            print(out, read.output, target, &view::line(&rollout), &rollout)?;
            Ok(exit::DONE)
        }
        Verb::Undo(options) => {
            let rollout = fetch(&rollouts, target).await?;
            let namespace = place.of(target);
            let said = undo::workload(&place.client, namespace, &rollout, options.dry_run).await?;
            print(out, options.output, target, &marked(&said, options.dry_run), &rollout)?;
            Ok(exit::DONE)
        }
        Verb::Approve(Approve {
            edit: options,
            step,
            revision,
        }) => {
            let decide = |rollout: &Rollout| change::approve(rollout, *step, revision.as_deref());
            edit(&rollouts, target, options, decide, out).await
        }
        Verb::Jump(Jump { edit: options, to_step }) => {
            edit(
                &rollouts,
                target,
                options,
                |rollout| change::jump(rollout, *to_step),
                out,
            )
            .await
        }
        Verb::Retry(options) => edit(&rollouts, target, options, change::retry, out).await,
        Verb::Pause(options) => edit(&rollouts, target, options, change::pause, out).await,
        Verb::Resume(options) => edit(&rollouts, target, options, change::resume, out).await,
    }
}

/// Several objects as one.
async fn list(place: &Place, output: Output, targets: Vec<Target>, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut found = Vec::new();
    for target in targets {
        let rollout = fetch(&place.rollouts(&target), &target)
            .await
            .map_err(|Failure(line)| Failure(format!("{target} {line}")))?;
        found.push((target, rollout));
    }
    print_list(out, output, &found)?;
    Ok(exit::DONE)
}

/// The cluster, and the namespace that the command line is about.
struct Place {
    client: kube::Client,
    namespace: String,
}

impl Place {
    fn of<'a>(&'a self, target: &'a Target) -> &'a str {
        target.namespace.as_deref().unwrap_or(&self.namespace)
    }

    fn rollouts(&self, target: &Target) -> Api<Rollout> {
        Api::namespaced(self.client.clone(), self.of(target))
    }

    /// Every Rollout with such labels; nobody is no error, but is said.
    async fn list(&self, labels: &str, everywhere: bool, err: &mut dyn Write) -> Result<Vec<Target>, Failure> {
        let rollouts: Api<Rollout> = if everywhere {
            Api::all(self.client.clone())
        } else {
            Api::namespaced(self.client.clone(), &self.namespace)
        };
        let listed = rollouts
            .list(&ListParams::default().labels(labels))
            .await
            .map_err(|error| connect::failure("Rollouts cannot be listed", &error))?;
        if listed.items.is_empty() {
            let within = if everywhere {
                String::new()
            } else {
                format!(" in {} namespace", self.namespace)
            };
            writeln!(err, "No resources found{within}.")?;
        }
        let target = |rollout: Rollout| Target {
            kind: target::Kind::Rollout,
            namespace: rollout.metadata.namespace.filter(|_| everywhere),
            name: rollout.metadata.name.unwrap_or_default(),
        };
        Ok(listed.items.into_iter().map(target).collect())
    }
}

/// Decides on one edit, sends it and says so.
async fn edit(
    rollouts: &Api<Rollout>,
    target: &Target,
    options: &Edit,
    decide: impl Fn(&Rollout) -> Result<Change, Refused>,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    let rollout = fetch(rollouts, target).await?;
    let change = match decide(&rollout) {
        Ok(change) => change,
        Err(Refused::Nothing(said)) => {
            print(out, options.output, target, said, &rollout)?;
            return Ok(exit::DONE);
        }
        Err(Refused::Because(why)) => return Err(Failure(why)),
    };
    let params = PatchParams {
        dry_run: options.dry_run == DryRun::Server,
        ..PatchParams::default()
    };
    let written = if options.dry_run == DryRun::Client {
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
        Err(error) => return Err(connect::failure("cannot be changed", &error)),
    };
    let said = marked(change.said(), options.dry_run);
    print(out, options.output, target, &said, &written)?;
    Ok(exit::DONE)
}

async fn fetch(rollouts: &Api<Rollout>, target: &Target) -> Result<Rollout, Failure> {
    rollouts
        .get(&target.name)
        .await
        .map_err(|error| connect::failure("cannot be read", &error))
}

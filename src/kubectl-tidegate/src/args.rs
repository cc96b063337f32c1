//! The command line, as kubectl's users expect it.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

/// Drive releases: approve, pause, resume, jump, watch, undo.
#[derive(Debug, Parser)]
#[command(name = "kubectl-tidegate", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) root: Root,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Commands on Rollouts of rollouts.kruise.io
    #[command(alias = "rollouts")]
    Rollout {
        #[command(subcommand)]
        verb: Verb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Let the release go on past the step that it waits at
    Approve(Approve),
    /// Hold the release where it is
    Pause(Common),
    /// Let a held release go on
    Resume(Common),
    /// Go to another step, forward or back
    Jump(Jump),
    /// Put the workload back to the stable version
    Undo(Common),
    /// Say where the release is, until it ends
    ///
    /// Exit codes: 0 completed (or no release), 1 error, 2 paused (with --until-paused or --watch=false), 3 rolled back, 4 timed out,
    /// 5 under way (with --watch=false).
    Status(Status),
    /// Print the plan and where it is
    Describe(Common),
    /// Print the Rollout
    Get(Common),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// TYPE/NAME, or TYPE and names: rollout/demo, rollout demo
    #[arg(required = true, value_name = "TYPE/NAME")]
    pub(crate) targets: Vec<String>,
    /// The namespace; the context's without it
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// The context of the kubeconfig to use
    #[arg(long)]
    pub(crate) context: Option<String>,
    /// The kubeconfig to use
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Print the object instead of a sentence
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
    /// Say what would be done, and do nothing
    #[arg(long, value_enum, default_value = "none", default_missing_value = "client", num_args = 0..=1, require_equals = true)]
    pub(crate) dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The step that was looked at; another one is not approved
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<i32>,
    /// The revision that was looked at; another one is not approved
    #[arg(long)]
    pub(crate) revision: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Jump {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The step to go to, from 1
    #[arg(long, value_name = "N")]
    pub(crate) to_step: i32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Wait until the release ends
    #[arg(short, long, action = ArgAction::Set, default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true)]
    pub(crate) watch: bool,
    /// Wait no longer than this: 30s, 5m, 1h; for ever without it
    #[arg(long, value_parser = duration)]
    pub(crate) timeout: Option<std::time::Duration>,
    /// End also when the release waits for a person
    #[arg(long)]
    pub(crate) until_paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Json,
    Yaml,
    Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    None,
    Client,
    Server,
}

/// Reads `90`, `90s`, `5m`, `1h`; zero, as in kubectl, is no limit and not asked for here.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        _ => 1,
    };
    let number: u32 = number.parse().map_err(|_| "write a time as 30s, 5m or 1h".to_owned())?;
    Ok(std::time::Duration::from_secs(u64::from(number) * seconds))
}

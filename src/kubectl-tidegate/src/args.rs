//! The command line, as kubectl's users expect it.

mod analyses;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub(crate) use analyses::{AnalysisVerb, ByHand, List, Runs, Terminate};

/// Drive releases: approve, retry, pause, resume, jump, watch, undo; and look at what measures them.
#[derive(Debug, Parser)]
#[command(name = "kubectl-tidegate", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) root: Root,
}

/// Which cluster, and where in it; before or after the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// The namespace; the context's without it
    #[arg(short, long, global = true)]
    pub(crate) namespace: Option<String>,
    /// The kubeconfig to use
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// The cluster of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) cluster: Option<String>,
    /// The user of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Root {
    /// Commands on Rollouts of rollouts.kruise.io
    #[command(alias = "rollouts")]
    Rollout {
        #[command(subcommand)]
        verb: Verb,
    },
    /// Commands on AnalysisRuns and templates of rollouts.kruise.io
    Analysis {
        #[command(subcommand)]
        verb: AnalysisVerb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Let the release go on past the step that it waits at
    Approve(Approve),
    /// Measure again where a verdict holds the release; from the first step where it was taken back
    Retry(Edit),
    /// Hold the release where it is
    Pause(Edit),
    /// Let a held release go on
    Resume(Edit),
    /// Go to another step, forward or back
    Jump(Jump),
    /// Put the workload back to the stable version
    Undo(Edit),
    /// Say where the release is, until it ends
    ///
    /// Exit codes: 0 completed (or no release), 1 error, 2 paused (with --until-paused or --watch=false), 3 rolled back (by a person or by a
    /// verdict), 4 timed out, 5 under way (with --watch=false).
    Status(Status),
    /// Print the plan and where it is
    Describe(Describe),
    /// Print the Rollout
    Get(Read),
}

/// What a verb is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Chosen {
    /// TYPE/NAME, or TYPE and names: rollout/demo, rollout demo
    #[arg(required = true, value_name = "TYPE/NAME")]
    pub(crate) targets: Vec<String>,
    /// Every one with such labels: app=shop,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
}

/// What every verb that changes something has.
#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Print the object instead of a sentence
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
    /// Say what would be done, and do nothing
    #[arg(long, value_enum, default_value = "none", default_missing_value = "client", num_args = 0..=1, require_equals = true)]
    pub(crate) dry_run: DryRun,
}

/// What a verb that reads is about: without a name, all there are.
#[derive(Debug, clap::Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// In all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}

/// What every verb that reads and prints objects has.
#[derive(Debug, clap::Args)]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) what: Describe,
    /// Print the object instead of a sentence
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) edit: Edit,
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
    pub(crate) edit: Edit,
    /// The step to go to, from 1
    #[arg(long, value_name = "N")]
    pub(crate) to_step: i32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) read: Read,
    /// Wait until the release ends
    #[arg(short, long, action = ArgAction::Set, default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true)]
    pub(crate) watch: bool,
    /// Wait no longer than this: 30s, 5m, 1h30m; for ever with 0 or without it
    #[arg(long, value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
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

impl Verb {
    pub(crate) fn chosen(&self) -> &Chosen {
        match self {
            Self::Approve(Approve { edit, .. })
            | Self::Jump(Jump { edit, .. })
            | Self::Pause(edit)
            | Self::Retry(edit)
            | Self::Resume(edit)
            | Self::Undo(edit) => &edit.chosen,
            Self::Status(Status {
                read: Read { what, .. },
                ..
            })
            | Self::Get(Read { what, .. })
            | Self::Describe(what) => &what.chosen,
        }
    }

    /// Where a verb that may do without names looks: `None` for verbs that change something, which need to be told what.
    pub(crate) fn reads_in_all_namespaces(&self) -> Option<bool> {
        match self {
            Self::Approve(_) | Self::Jump(_) | Self::Pause(_) | Self::Resume(_) | Self::Retry(_) | Self::Undo(_) => {
                None
            }
            Self::Status(Status {
                read: Read { what, .. },
                ..
            })
            | Self::Get(Read { what, .. })
            | Self::Describe(what) => Some(what.all_namespaces),
        }
    }
}

/// Reads `90`, `90s`, `5m`, `1h30m`, `500ms`: numbers with units, added up; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let unclear = || "write a time as 30s, 5m or 1h30m".to_owned();
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(u64::from(seconds)));
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unclear)?;
        let number: u32 = rest[..digits].parse().map_err(|_| unclear())?;
        let after = &rest[digits..];
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match &after[..end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            _ => return Err(unclear()),
        };
        sum = unit
            .checked_mul(number)
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(unclear)?;
        rest = &after[end..];
    }
    if text.is_empty() { Err(unclear()) } else { Ok(sum) }
}

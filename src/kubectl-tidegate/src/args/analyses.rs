//! The command line of `analysis`: what there is to look at, to stop, and to measure by hand.

use std::path::PathBuf;

use clap::Subcommand;

use super::{DryRun, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum AnalysisVerb {
    /// List the runs, a line each
    List(List),
    /// Print a run: for each metric what it wants, what it found and how often
    Get(Runs),
    /// Let a run measure no more; what it has found decides
    Terminate(Terminate),
    /// Measure a template's metrics once, from here
    ///
    /// A cluster is asked only for Secrets and templates that the file names and does not hold. Exit codes: 0 good, 1 error, 2 neither good nor
    /// bad, 3 bad, 4 could not be measured; of several metrics the worst: bad, not measured, neither, good.
    Run(ByHand),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only runs of this Rollout
    #[arg(long, value_name = "NAME")]
    pub(crate) rollout: Option<String>,
    /// Only runs with such labels: rollout-type=Background
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// In all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Print the objects instead of lines
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Runs {
    /// The runs: NAME or analysisrun/NAME
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Print the object instead of a page
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Terminate {
    #[command(flatten)]
    pub(crate) what: Runs,
    /// Say what would be done, and do nothing
    #[arg(long, value_enum, default_value = "none", default_missing_value = "client", num_args = 0..=1, require_equals = true)]
    pub(crate) dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ByHand {
    /// File with one or more AnalysisTemplates, which are measured together; - is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) filename: PathBuf,
    /// Value of an argument: service-name=shop
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = argument)]
    pub(crate) arguments: Vec<(String, String)>,
    /// Only this metric; again for more
    #[arg(long = "metric", value_name = "NAME")]
    pub(crate) metrics: Vec<String>,
}

fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

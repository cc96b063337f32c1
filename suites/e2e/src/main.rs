//! `e2e`: runs the suite's scenarios against tidegate on a cluster in this process. `cargo xtask e2e` builds and starts it.

mod embedded;
mod local;
mod run;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "e2e",
    about = "Runs tidegate's scenarios and judges them by measured traffic and proven clean-up"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run scenarios on the embedded cluster and report.
    Run(Run),
    /// Find or build the programs of `--cluster local` and kubectl, and print where each one is.
    Tools,
    /// Start the control plane of `--cluster local` and run a command beside it, with KUBECONFIG set; without one, wait for Ctrl-C.
    ControlPlane {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// What to run, and where the results go.
#[derive(clap::Args)]
struct Run {
    /// Only scenarios whose name matches; `*` stands for any text.
    #[arg(long, value_name = "GLOB", default_value = "*")]
    scenario: String,
    /// The seed of everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many scenarios run at the same time.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write each scenario's trace into this folder, one JSON line per event.
    #[arg(long, value_name = "DIR")]
    trace: Option<PathBuf>,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report: Markdown, or JSON when the name ends in `.json`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Only name the scenarios.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(options) => run::run(&options, &mut std::io::stdout().lock()),
        Command::Tools => local::command::tools(&mut std::io::stdout(), &mut std::io::stderr()),
        Command::ControlPlane { command } => {
            local::command::control_plane(&command, &mut std::io::stdout(), &mut std::io::stderr())
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // The one line that a person reads when nothing could be run at all.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

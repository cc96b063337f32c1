//! `e2e`: runs the suite's scenarios against tidegate on a cluster in this process, or keeps such a cluster for a person. `cargo xtask` builds
//! and starts it.
//!
//! This file only chooses the subcommand; each is a module of its own, and `args` holds their words.

mod abreast;
mod args;
mod bad_day;
mod compare;
mod crash;
mod current;
mod demo;
mod doors;
mod embedded;
mod folder;
mod gateway;
mod gateway_table;
mod installation;
mod interrupt;
mod jobs;
mod kind;
mod living;
mod local;
mod metric_server;
mod metric_servers;
mod order;
mod output;
mod remote_cluster;
mod run;
mod scraped;
mod session;
#[cfg(test)]
mod tests;
mod up;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Cluster, Command, Run};
use output::Output;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(options) => scenarios(&options),
        Command::Up(options) => up::up(&options, &mut std::io::stdout()),
        Command::Demo(options) => demo::demo(&options, &mut std::io::stdout()),
        Command::KubectlSession(options) => session::session(&options, &mut std::io::stdout()),
        Command::GatewayTable(options) => gateway_table::gateway_table(&options, &mut std::io::stdout()),
        Command::Compare(options) => compare::compare(&options, &mut Output::standard()),
        Command::BadDay => bad_day::bad_day(&mut std::io::stdout()),
        Command::Tools { names } => local::command::tools(&names, &mut std::io::stdout(), &mut std::io::stderr()),
        Command::ControlPlane { command } => {
            local::command::control_plane(&command, &mut std::io::stdout(), &mut std::io::stderr())
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // The one line that a person reads when nothing could be run at all.
            Output::standard().error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn scenarios(options: &Run) -> anyhow::Result<ExitCode> {
    let mut out = Output::standard();
    let all_is_well = match &options.crash {
        Some(_) if options.cluster != Cluster::Embedded => {
            anyhow::bail!(
                "--crash needs --cluster embedded: only there are the controller's writes the same in every run"
            )
        }
        Some(scenario) => crash::explore(options, scenario, &mut out),
        None => run::run(options, &mut out),
    };
    Ok(if all_is_well? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

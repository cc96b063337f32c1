//! The two commands that need no scenario: `tools` builds the programs and says where they are, `control-plane` runs one command beside a real
//! control plane. For CI, which takes kubectl from here, and for people who want to look. Used by `main`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use env::Env;

use super::program::Program;
use super::tools::{Machine, Tools};
use super::{ControlPlane, prepare};

/// Finds or builds the programs of those names, or every program of clusters and of their measurements when there is no name, and prints each as
/// `name=path`, one to a line.
///
/// # Errors
/// A name that is none of a program; what is missing, and how to get it.
pub(crate) fn tools(names: &[String], out: &mut dyn Write, progress: &mut dyn Write) -> Result<ExitCode> {
    let programs = match names {
        [] => [Program::OF_CLUSTERS, Program::OF_MEASUREMENTS].concat(),
        names => names.iter().map(|name| named(name)).collect::<Result<Vec<_>>>()?,
    };
    let tools = Tools::find_or_build(&Machine::of_this_process()?, &programs, progress)?;
    for program in &programs {
        writeln!(out, "{}={}", program.name(), tools.path(*program).display())
            .context("print where the programs are")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn named(name: &str) -> Result<Program> {
    Program::all().find(|program| program.name() == name).with_context(|| {
        let known: Vec<&str> = Program::all().map(Program::name).collect();
        format!("there is no program {name:?}; there are {}", known.join(", "))
    })
}

/// The kubectl of the pinned version: found, or built once.
///
/// # Errors
/// What is missing, and how to get it.
pub(crate) fn kubectl(progress: &mut dyn Write) -> Result<PathBuf> {
    let tools = Tools::find_or_build(&Machine::of_this_process()?, &[Program::Kubectl], progress)?;
    Ok(tools.path(Program::Kubectl))
}

/// Starts a control plane, runs `command` with `KUBECONFIG` set (or waits for Ctrl-C when it is empty), and ends everything.
///
/// # Errors
/// What is missing, or what did not start.
pub(crate) fn control_plane(command: &[String], out: &mut dyn Write, progress: &mut dyn Write) -> Result<ExitCode> {
    let tools = prepare(&[], progress)?;
    // Installing it twice is refused, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let env = Env::real();
        let begun = env.clock().elapsed();
        let plane = ControlPlane::start(&env, &tools).await?;
        let took = env.clock().elapsed().since(begun).as_secs_f64();
        writeln!(
            out,
            "ready in {took:.1} s; in its namespace: export KUBECONFIG={}",
            plane.kubeconfig().display()
        )
        .context("print the kubeconfig")?;
        let Some((program, arguments)) = command.split_first() else {
            tokio::signal::ctrl_c().await.context("wait for Ctrl-C")?;
            return Ok(ExitCode::SUCCESS);
        };
        let status = tokio::process::Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", plane.kubeconfig())
            .status()
            .await
            .with_context(|| format!("start {program}"))?;
        plane.check()?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    })
}

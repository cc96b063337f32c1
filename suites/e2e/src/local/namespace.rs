//! Namespaces of the run's own: a network in which every pod address can be bound and no port is taken, and a file system that vanishes with the
//! last process. Entered by running this program again under util-linux's `unshare`. Used by [`super::prepare`].

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::LocalError;
use super::tools::Machine;

/// Where pods live; the kubelet's network hands these addresses out.
const POD_NETWORK: &str = "10.244.0.0/16";
/// Where Services live.
pub(super) const SERVICE_NETWORK: &str = "10.96.0.0/16";
/// Names, for the process inside, the network it came from.
const CAME_FROM: &str = "TIDEGATE_CAME_FROM_NETWORK";

/// On which side this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In the machine's network.
    Outside,
    /// In a namespace that a process of this run made.
    Inside,
}

/// Reads on which side this process is.
pub(super) fn standing() -> Result<Standing, LocalError> {
    let network = network()?;
    Ok(match std::env::var_os(CAME_FROM) {
        Some(outer) if outer != network.as_os_str() => Standing::Inside,
        _ => Standing::Outside,
    })
}

/// The kernel's name of this process's network namespace, such as `net:[4026531840]`.
fn network() -> Result<PathBuf, LocalError> {
    let file = "/proc/self/ns/net";
    std::fs::read_link(file).map_err(LocalError::io("read", file))
}

/// Replaces this process by the same program with the same arguments in new namespaces. Returns only when it cannot.
pub(super) fn enter() -> Result<(), LocalError> {
    let unshare = program("unshare", "util-linux")?;
    program("setpriv", "util-linux")?;
    program("mount", "mount (Debian) or util-linux")?;
    program("ip", "iproute2 (Debian, Alpine) or iproute (Fedora)")?;
    let flags = allowed_flags(&unshare)?;
    let this = std::env::current_exe().map_err(LocalError::io("find", "this program"))?;
    let failure = Command::new(&unshare)
        .args(flags)
        .arg("--")
        .arg(this)
        .args(std::env::args_os().skip(1))
        .env(CAME_FROM, network()?)
        .exec();
    Err(LocalError::Io {
        doing: "start",
        path: unshare,
        source: failure,
    })
}

/// The namespaces that this user may make: as root directly, else with a user namespace in which it is root.
fn allowed_flags(unshare: &Path) -> Result<&'static [&'static str], LocalError> {
    const AS_ROOT: &[&str] = &["--net", "--mount"];
    const AS_USER: &[&str] = &["--user", "--map-root-user", "--net", "--mount"];
    let mut reason = String::new();
    for flags in [AS_ROOT, AS_USER] {
        let tried = Command::new(unshare)
            .args(flags)
            .args(["--", "true"])
            .output()
            .map_err(LocalError::io("start", unshare))?;
        if tried.status.success() {
            return Ok(flags);
        }
        reason = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
    }
    Err(LocalError::NoNamespace { reason })
}

/// Makes the new namespaces habitable: loopback up, pod and Service addresses local, an empty file system at [`folder`].
pub(super) fn furnish(machine: &Machine) -> Result<(), LocalError> {
    let ip = program("ip", "iproute2")?;
    run("bring loopback up", &ip, &["link", "set", "lo", "up"])?;
    for network in [POD_NETWORK, SERVICE_NETWORK] {
        run(
            "make a network local",
            &ip,
            &["route", "add", "local", network, "dev", "lo"],
        )?;
    }
    let folder = folder(machine);
    std::fs::create_dir_all(&folder).map_err(LocalError::io("create the folder", &folder))?;
    let mount = program("mount", "mount")?;
    let target = folder.display().to_string();
    run(
        "mount a file system in memory",
        &mount,
        &["-t", "tmpfs", "-o", "mode=0700", "tidegate", &target],
    )
}

/// Where a run's files are: one path for all runs, and behind it a file system of each run's own.
pub(super) fn folder(machine: &Machine) -> PathBuf {
    machine.cache.join("run")
}

/// A tool of the operating system, also where PATH leaves the folders of root's tools out.
pub(super) fn program(name: &'static str, package: &'static str) -> Result<PathBuf, LocalError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or(LocalError::NoProgram { program: name, package })
}

fn run(doing: &'static str, program: &Path, arguments: &[&str]) -> Result<(), LocalError> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(LocalError::io("start", program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(LocalError::Command {
        doing,
        command: format!("{} {}", program.display(), arguments.join(" ")),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

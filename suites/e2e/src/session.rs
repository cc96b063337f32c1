//! `e2e kubectl-session`: `fixtures/kubectl-session.sh` against a cluster as `up` serves it, its output held against the golden file beside it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::{Chance, Env};
use tidepool::Ports;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::folder::Folder;
use crate::living::{self, Living, Speed};
use crate::local::command::kubectl;
use crate::up::log_to_stderr;

const SCRIPT: &str = "fixtures/kubectl-session.sh";
const GOLDEN: &str = "fixtures/kubectl-session.golden";
/// Fast enough to be short, slow enough that programs of a loaded machine keep up.
const SPEED: Speed = Speed::times(6.0);
/// A session takes a fraction of this.
const PATIENCE: Duration = Duration::from_secs(240);

/// What is done with the output.
#[derive(Debug, clap::Args)]
pub(crate) struct Session {
    /// Take the output for the golden file instead of comparing the two.
    #[arg(long)]
    update: bool,
    /// The kubectl to use; without it the one that KUBECTL names, or the pinned version, found or built once.
    #[arg(long, value_name = "FILE")]
    kubectl: Option<PathBuf>,
}

/// Runs the session and compares.
///
/// # Errors
/// When the session could not be run at all.
pub(crate) fn session(options: &Session, out: &mut impl Write) -> Result<ExitCode> {
    log_to_stderr();
    let root = repository()?;
    let named = options
        .kubectl
        .clone()
        .or_else(|| std::env::var_os("KUBECTL").map(PathBuf::from));
    let kubectl = match named {
        Some(path) => path,
        None => kubectl(&mut std::io::stderr())?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(async {
        let seen = play(&root, &kubectl).await?;
        let golden = root.join(GOLDEN);
        if options.update {
            std::fs::write(&golden, &seen).with_context(|| format!("write {}", golden.display()))?;
            writeln!(out, "{GOLDEN}: {} lines", seen.lines().count())?;
            return Ok(ExitCode::SUCCESS);
        }
        let known = std::fs::read_to_string(&golden).with_context(|| format!("read {}", golden.display()))?;
        if seen == known {
            writeln!(out, "kubectl session: {} lines, as in {GOLDEN}", seen.lines().count())?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "{}", differences(&golden, &seen).await?)?;
        bail!("the session differs from {GOLDEN} (cargo xtask kubectl-session --update takes it as it is)")
    })
}

/// The folder that holds the script: above where this was called, or above this program.
fn repository() -> Result<PathBuf> {
    let places = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let above = places.iter().flatten().flat_map(|place| place.ancestors());
    above
        .filter(|folder| folder.join(SCRIPT).is_file())
        .map(Path::to_path_buf)
        .next()
        .with_context(|| format!("find {SCRIPT}; call this from inside the repository"))
}

/// Starts a cluster, runs the script against it, and gives what it printed.
async fn play(root: &Path, kubectl: &Path) -> Result<String> {
    let folder = Folder::make()?;
    let world = living::world(SPEED, Chance::from_seed(1));
    let living = Living::start(&world).await?;
    let served = living.cluster.serve(Ports::default()).await?;
    let kubeconfig = folder.write("kubeconfig", &served.kubeconfig)?;
    let mut paths: Vec<PathBuf> = std::env::current_exe()
        .ok()
        .iter()
        .filter_map(|exe| exe.parent())
        .map(Path::to_path_buf)
        .collect();
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let child = Command::new("bash")
        .arg(SCRIPT)
        .current_dir(root)
        .env("KUBECONFIG", &kubeconfig)
        .env("GATEWAY", format!("http://{}", served.gateway()))
        .env("KUBECTL", kubectl)
        .env("PATH", std::env::join_paths(paths).context("put the plugin on PATH")?)
        // What a person keeps at home (aliases, a kuberc, proxies for loopback) is not part of the session.
        .env("HOME", kubeconfig.parent().unwrap_or(root))
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("start bash")?;
    let clock = Env::real().clock().clone();
    let ended = tokio::select! {
        biased;
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("wait for Ctrl-C")?;
            None
        }
        ended = clock.timeout(PATIENCE, child.wait_with_output()) => Some(ended),
    };
    served.stop().await;
    living.stop().await;
    match ended {
        None => bail!("interrupted"),
        Some(Err(_)) => bail!("{SCRIPT} took longer than {} s", PATIENCE.as_secs()),
        Some(Ok(output)) => {
            let output = output.with_context(|| format!("run {SCRIPT}"))?;
            if !output.status.success() {
                bail!("{SCRIPT} ended with {}", output.status);
            }
            String::from_utf8(output.stdout).with_context(|| format!("read what {SCRIPT} printed"))
        }
    }
}

/// The two texts side by side, as `diff -u` tells them apart.
async fn differences(golden: &Path, seen: &str) -> Result<String> {
    let mut child = Command::new("diff")
        .args(["-u", "--label", GOLDEN, "--label", "this session"])
        .arg(golden)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start diff")?;
    if let Some(mut input) = child.stdin.take() {
        input
            .write_all(seen.as_bytes())
            .await
            .context("send the session to diff")?;
    }
    let output = child.wait_with_output().await.context("run diff")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

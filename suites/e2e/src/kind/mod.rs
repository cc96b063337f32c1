//! `--cluster kind`: a real cluster in a container, with the controller's image, real gateways and an echo server in it.
//!
//! [`cluster`] makes, takes and deletes it, [`install`] fills it, [`images`] and [`programs`] build what no registry gives, [`shell`] runs the
//! commands. Once it stands it is a cluster behind a kubeconfig like any other, and [`crate::remote_cluster`] plays on it. Whatever fails on the way,
//! the cluster goes with the run, unless `--keep` was said.

mod cluster;
mod images;
mod install;
mod programs;
mod shell;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use suites::{Report, Scenario};

use crate::interrupt::Interrupt;
use crate::local;
use crate::remote_cluster::{self, Ground, Site, collect_namespace};
use cluster::{KindCluster, NODE_PORTS};
use shell::{Shell, command};

/// The name under which reports and expectations know it.
pub(crate) const CLUSTER: &str = "kind";
/// How many scenarios run at the same time when nobody says: each has some ten pods, and all share this machine with the cluster.
const JOBS: usize = 6;
/// Traefik follows within 2 s when edits come in a burst; ingress-nginx within 4 s. And what a busy machine adds.
const GATEWAY_LAG: Duration = Duration::from_secs(7);

/// What a person asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Whether to do without image registries.
    pub(crate) offline: bool,
    /// Whether the cluster stays.
    pub(crate) keep: bool,
    /// Whether to take the one that is there.
    pub(crate) reuse: bool,
    /// How many scenarios at a time.
    pub(crate) jobs: Option<usize>,
}

/// Makes the cluster, plays `scenarios`, gives `done` each report as it comes, and deletes the cluster.
///
/// # Errors
/// What is missing, or what did not start.
pub(crate) fn each(
    wish: Wish,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    done: &mut dyn FnMut(usize, Report),
) -> Result<()> {
    // A second installation is refused, and then there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let env = Env::real();
        let shell = Shell::new(&env, interrupt);
        let root = repository()?;
        let cluster = stand(&shell, &root, wish).await?;
        let played = play(&env, &shell, &root, &cluster, wish, scenarios, interrupt, done).await;
        if wish.keep {
            return played;
        }
        let deleted = cluster.delete(&shell).await;
        played.and(deleted)
    })
}

/// A cluster, new or taken again.
async fn stand(shell: &Shell, root: &Path, wish: Wish) -> Result<KindCluster> {
    docker_answers(shell).await?;
    let kind = programs::kind(shell, root).await?;
    let kubectl = local::command::kubectl(&mut std::io::stderr())?;
    let exists = cluster::exists(shell, &kind, wish.reuse).await?;
    if !wish.offline {
        bail!("--cluster kind with published images is not there yet: use --offline");
    }
    let programs = programs::Programs::make(shell, root).await?;
    let node = images::node(shell, root, &programs).await?;
    let mut names = shell
        .step("images", async {
            images::controller(shell).await?;
            images::published(shell, &programs).await
        })
        .await?;
    names.push(images::CONTROLLER.to_owned());
    let cluster = if exists {
        KindCluster::reuse(shell, &kind, &kubectl).await?
    } else {
        let config = root.join("kind/cluster-offline.yaml");
        let config = std::fs::read_to_string(&config).with_context(|| format!("read {}", config.display()))?;
        let config = cluster::with_free_ports(&config)?;
        KindCluster::create(shell, &kind, &kubectl, &config, Some(&node)).await?
    };
    let filled = async {
        cluster.load(shell, &names).await?;
        install::traefik(shell, &cluster, root).await?;
        install::controller(shell, &cluster).await
    };
    match filled.await {
        Ok(()) => Ok(cluster),
        Err(error) => {
            if !wish.keep {
                cluster.delete(shell).await?;
            }
            Err(error)
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the run's parts, once")]
async fn play(
    env: &Env,
    shell: &Shell,
    root: &Path,
    cluster: &KindCluster,
    wish: Wish,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    done: &mut dyn FnMut(usize, Report),
) -> Result<()> {
    let site = Site {
        cluster: CLUSTER,
        client: cluster.client().await?,
        gateway: cluster.port(shell, NODE_PORTS[0]).await?,
        gateway_lag: GATEWAY_LAG,
        controller: Some(install::deployment()),
    };
    let client = site.client.clone();
    let ground = Ground::start(env, site).await?;
    let logs = root.join("target/e2e-logs").join(CLUSTER);
    if logs.exists() {
        std::fs::remove_dir_all(&logs).with_context(|| format!("remove the old logs {}", logs.display()))?;
    }
    let play = remote_cluster::Play {
        jobs: wish.jobs.unwrap_or(JOBS),
        logs: logs.clone(),
    };
    let mut failed = false;
    let mut told = |index, report: Report| {
        failed |= !report.failures().is_empty();
        done(index, report);
    };
    let played = remote_cluster::each(&ground, &play, scenarios, interrupt, &mut told).await;
    if failed {
        for namespace in ["tidegate", "traefik"] {
            collect_namespace(
                &suites::Kubernetes::new(client.clone()),
                namespace,
                &logs.join(namespace),
            )
            .await?;
        }
    }
    played
}

/// What was real, for the last line of a run.
pub(crate) fn what_is_real() -> String {
    format!(
        "everything: Kubernetes {} in a container with containerd, its pods, the controller's image, and Traefik 3.7.15, which stood for the nginx dialect",
        local::kubernetes_version()
    )
}

async fn docker_answers(shell: &Shell) -> Result<()> {
    if programs::on_path("docker").is_none() {
        bail!(
            "--cluster kind needs Docker, and there is no docker on PATH: install it (Debian: apt-get install docker.io)"
        );
    }
    let info = command("docker", ["info", "--format", "{{.ServerVersion}}"]);
    shell.run("ask Docker for its version", info).await.map(drop).context(
        "--cluster kind needs a Docker that answers: start it (systemctl start docker; on a machine without an init system: kind/offline/dockerd.sh start)",
    )
}

/// The repository's folder: above where this was called, or above this program.
fn repository() -> Result<PathBuf> {
    const MARK: &str = "kind/cluster-offline.yaml";
    let places = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let mut above = places.iter().flatten().flat_map(|place| place.ancestors());
    above
        .find(|folder| folder.join(MARK).is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("find {MARK}; call this from inside the repository"))
}

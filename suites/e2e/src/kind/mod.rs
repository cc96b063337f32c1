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
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use suites::routes::Family;
use suites::{Feature, Kubernetes, Report, Scenario};

use crate::gateway::Gateway;
use crate::interrupt::Interrupt;
use crate::local;
use crate::metric_server::WINDOW;
use crate::metric_servers::Metrics;
use crate::remote_cluster::{self, Ground, Site, collect_namespace, shortened};
use crate::scraped::{Proxy, Scraped};
use cluster::{KindCluster, NODE_PORTS};
use shell::{Shell, command};

/// The name under which reports and expectations know it.
pub(crate) const CLUSTER: &str = "kind";
/// How many scenarios run at the same time when nobody says: each has some ten pods, and all share this machine with the cluster.
const JOBS: usize = 6;
/// Traefik follows within 2 s when edits come in a burst; ingress-nginx within 4 s. And what a busy machine adds.
const NGINX_LAG: Duration = Duration::from_secs(7);
/// istiod gathers changes for a tenth of a second, or longer while more come. And what a busy machine adds.
const ISTIO_LAG: Duration = Duration::from_secs(5);
/// Scrapes come every second where the machine is not too busy.
const RATES_OVER: &str = "10s";
/// What scenarios can be played through: the nginx dialect, and Istio by VirtualService and by HTTPRoute.
pub(crate) const GATEWAYS: [Gateway; 3] = [Gateway::Ingress, Gateway::Istio, Gateway::IstioHttpRoute];

/// Where images come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Image registries have what others publish.
    Published,
    /// Package registries only: everything is built, and Traefik stands for ingress-nginx.
    Built,
}

impl Source {
    /// The namespace of the gateway of the nginx dialect.
    const fn nginx_namespace(self) -> &'static str {
        match self {
            Self::Published => "ingress-nginx",
            Self::Built => "traefik",
        }
    }

    /// The kind config.
    const fn config(self) -> &'static str {
        match self {
            Self::Published => "kind/cluster.yaml",
            Self::Built => "kind/cluster-offline.yaml",
        }
    }
}

/// What a person asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Where images come from.
    pub(crate) source: Source,
    /// Whether the cluster stays.
    pub(crate) keep: bool,
    /// Whether to take the one that is there.
    pub(crate) reuse: bool,
    /// Whether a real Prometheus scrapes the gateways.
    pub(crate) prometheus: bool,
    /// How many scenarios at a time.
    pub(crate) jobs: Option<usize>,
}

/// A kind cluster with everything in it, ready to be played on.
pub(crate) struct Kind<'a> {
    shell: &'a Shell,
    cluster: &'a KindCluster,
    ground: Arc<Ground>,
    wish: Wish,
    logs: PathBuf,
}

/// Makes the cluster, does `work` on it, and deletes it.
///
/// # Errors
/// What is missing, or what did not start.
pub(crate) fn each(wish: Wish, interrupt: &Interrupt, work: impl AsyncFnOnce(&Kind<'_>) -> Result<()>) -> Result<()> {
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
        let played = async {
            let logs = root.join("target/e2e-logs").join(CLUSTER);
            if logs.exists() {
                std::fs::remove_dir_all(&logs).with_context(|| format!("remove the old logs {}", logs.display()))?;
            }
            let metrics = Metrics::start(&env, cluster.host(&shell).await?, shortened(WINDOW)).await?;
            let site = Site {
                cluster: CLUSTER,
                client: cluster.client().await?,
                controller: Some(install::deployment()),
                features: [Feature::Admission].into(),
                metrics: Some(Arc::new(metrics)),
            };
            let kind = Kind {
                shell: &shell,
                cluster: &cluster,
                ground: Ground::start(&env, site),
                wish,
                logs,
            };
            work(&kind).await
        };
        let played = played.await;
        if wish.keep {
            return played;
        }
        cluster::both(played, cluster.delete(&shell).await)
    })
}

impl Kind<'_> {
    /// Plays `scenarios` through a gateway and gives `done` each report as it comes. Keeps what a failure leaves.
    ///
    /// # Errors
    /// When the gateway cannot be reached, or the cluster does not clean up.
    pub(crate) async fn play(
        &self,
        gateway: Gateway,
        scenarios: &[Scenario],
        interrupt: &Interrupt,
        done: &mut dyn FnMut(usize, Report),
    ) -> Result<()> {
        let (family, node_port, lag) = match gateway {
            Gateway::Istio => (Family::VirtualService, NODE_PORTS[1], ISTIO_LAG),
            Gateway::IstioHttpRoute => (Family::HttpRoute, NODE_PORTS[1], ISTIO_LAG),
            _ => (Family::Ingress, NODE_PORTS[0], NGINX_LAG),
        };
        let authority = self.cluster.port(self.shell, node_port).await?;
        let mut entrance = self.ground.entrance(&authority, family, lag).await?;
        entrance.scraped = self.scraped(gateway);
        let logs = self.logs.join(gateway.name());
        let play = remote_cluster::Play {
            jobs: self.wish.jobs.unwrap_or(JOBS),
            expected_as: gateway.expected_as(CLUSTER),
            logs: logs.clone(),
        };
        let mut failed = false;
        let mut told = |index, report: Report| {
            failed |= !report.failures().is_empty();
            done(index, report);
        };
        let played = remote_cluster::each(&self.ground, &entrance, &play, scenarios, interrupt, &mut told).await;
        if failed {
            let kubernetes = Kubernetes::new(self.ground.client());
            for namespace in [
                install::HOME,
                self.wish.source.nginx_namespace(),
                "istio-system",
                "gateways",
            ] {
                collect_namespace(&kubernetes, namespace, &logs.join(namespace)).await?;
            }
        }
        played
    }

    /// What the Prometheus knows of a gateway.
    fn scraped(&self, gateway: Gateway) -> Option<Scraped> {
        let proxy = match (gateway, self.wish.source) {
            (Gateway::Istio | Gateway::IstioHttpRoute, _) => Proxy::Envoy,
            (_, Source::Published) => Proxy::IngressNginx,
            (_, Source::Built) => Proxy::Traefik,
        };
        self.wish.prometheus.then(|| Scraped {
            address: install::PROMETHEUS.to_owned(),
            proxy,
            window: RATES_OVER,
        })
    }
}

/// A cluster, new or taken again.
async fn stand(shell: &Shell, root: &Path, wish: Wish) -> Result<KindCluster> {
    docker_answers(shell).await?;
    let kind = programs::kind(shell, root).await?;
    let kubectl = local::command::kubectl(&mut std::io::stderr())?;
    // Before anything is built: one that stands only by half is no good.
    let found = match cluster::exists(shell, &kind, wish.reuse).await? {
        true => Some(KindCluster::reuse(shell, &kind, &kubectl).await?),
        false => None,
    };
    let source = wish.source;
    let programs = programs::Programs::make(shell, root, wish).await?;
    let node = match source {
        Source::Published => None,
        Source::Built => Some(images::node(shell, root, &programs).await?),
    };
    let make = async {
        images::controller(shell).await?;
        images::of_programs(shell, &programs, wish).await
    };
    let mut names = shell.step("images", make).await?;
    names.push(images::CONTROLLER.to_owned());
    let cluster = match found {
        Some(found) => found,
        None => {
            let config = root.join(source.config());
            let config = std::fs::read_to_string(&config).with_context(|| format!("read {}", config.display()))?;
            let config = cluster::with_free_ports(&config)?;
            KindCluster::create(shell, &kind, &kubectl, &config, node.as_deref()).await?
        }
    };
    let filled = async {
        cluster.load(shell, &names).await?;
        install::kinds(shell, &cluster, root).await?;
        install::nginx_dialect(shell, &cluster, root, source).await?;
        install::istio(shell, &cluster, root, source).await?;
        if wish.prometheus {
            install::prometheus(shell, &cluster, root, source).await?;
        }
        install::controller(shell, &cluster, root).await
    };
    match filled.await {
        Ok(()) => Ok(cluster),
        Err(error) if wish.keep => Err(error),
        Err(error) => cluster::both(Err(error), cluster.delete(shell).await),
    }
}

/// What was real, for the last line of a run.
pub(crate) fn what_is_real(source: Source) -> String {
    let gateway = match source {
        Source::Published => "ingress-nginx 1.15.1",
        Source::Built => "Traefik 3.7.15, which stood for the nginx dialect",
    };
    let version = match source {
        Source::Published => "Kubernetes",
        Source::Built => local::kubernetes_version(),
    };
    format!(
        "real: everything ({version} in a container with containerd, the pods, the controller's image, istiod with Envoy, {gateway})"
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

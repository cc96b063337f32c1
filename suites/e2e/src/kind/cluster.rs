//! The kind cluster itself: made, taken again, and deleted. Used by [`super`].

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::shell::{Shell, command};
use crate::folder::Folder;

/// The cluster's name, and so its containers'.
pub(super) const NAME: &str = "tidegate-e2e";
/// Ports of the node that the host reaches: the nginx dialect and Gateway API, and Istio.
pub(super) const NODE_PORTS: [u16; 2] = [30080, 30081];

/// A cluster that is there.
pub(super) struct KindCluster {
    kind: PathBuf,
    kubectl: PathBuf,
    folder: Folder,
}

impl KindCluster {
    /// Makes the cluster; one that could not be made whole is deleted again.
    ///
    /// # Errors
    /// What kind said.
    pub(super) async fn create(
        shell: &Shell,
        kind: &Path,
        kubectl: &Path,
        config: &str,
        image: Option<&str>,
    ) -> Result<Self> {
        let cluster = Self {
            kind: kind.to_owned(),
            kubectl: kubectl.to_owned(),
            folder: Folder::make()?,
        };
        let config = cluster.folder.write("cluster.yaml", config)?;
        let mut create = command(
            kind,
            ["create", "cluster", "--name", NAME, "--wait", "120s", "--config"],
        );
        create.arg(config).arg("--kubeconfig").arg(cluster.kubeconfig());
        if let Some(image) = image {
            create.args(["--image", image]);
        }
        let created = shell
            .step("kind cluster", shell.run("create the kind cluster", create))
            .await;
        match created {
            Ok(_) => Ok(cluster),
            Err(error) => both(Err(error), cluster.delete(shell).await),
        }
    }

    /// Takes a cluster that an earlier run left.
    ///
    /// # Errors
    /// When it is not whole.
    pub(super) async fn reuse(shell: &Shell, kind: &Path, kubectl: &Path) -> Result<Self> {
        let cluster = Self {
            kind: kind.to_owned(),
            kubectl: kubectl.to_owned(),
            folder: Folder::make()?,
        };
        let halves = || {
            format!(
                "the kind cluster {NAME} exists only by half; take it away with: {} delete cluster --name {NAME}",
                kind.display()
            )
        };
        let kubeconfig = command(kind, ["get", "kubeconfig", "--name", NAME]);
        let text = shell
            .run("read the kubeconfig of the kind cluster", kubeconfig)
            .await
            .with_context(halves)?;
        cluster.folder.write("kubeconfig", &text)?;
        let ready = [
            "wait",
            "--for=condition=Ready",
            "node",
            "--all",
            "--timeout=20s",
            "--request-timeout=5s",
        ];
        cluster
            .kubectl(shell, "ask whether its node is ready", &ready)
            .await
            .with_context(halves)?;
        cluster.port(shell, NODE_PORTS[0]).await.with_context(halves)?;
        Ok(cluster)
    }

    /// Where the kubeconfig is.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// A client with every right.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub(super) async fn client(&self) -> Result<kube::Client> {
        let read = Kubeconfig::read_from(self.kubeconfig()).context("read the kubeconfig of the kind cluster")?;
        let config = kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
            .await
            .context("read the kubeconfig of the kind cluster")?;
        kube::Client::try_from(config).context("make a client for the kind cluster")
    }

    /// The machine's address behind which a port of the node is.
    ///
    /// # Errors
    /// When the port is not mapped.
    pub(super) async fn port(&self, shell: &Shell, node_port: u16) -> Result<String> {
        let node = format!("{NAME}-control-plane");
        let port = command("docker", ["port", &node, &format!("{node_port}/tcp")]);
        let said = shell.run("ask Docker for a port of the node", port).await?;
        let first = said.lines().next().map(str::trim).filter(|line| !line.is_empty());
        first
            .map(str::to_owned)
            .with_context(|| format!("port {node_port} of the kind node is not mapped"))
    }

    /// The address at which pods reach this machine.
    ///
    /// # Errors
    /// When Docker's network has none.
    pub(super) async fn host(&self, shell: &Shell) -> Result<Ipv4Addr> {
        let node = format!("{NAME}-control-plane");
        let gateways = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}";
        let inspect = command("docker", ["inspect", "--format", gateways, &node]);
        let said = shell.run("ask Docker for the node's network", inspect).await?;
        said.split_whitespace()
            .find_map(|address| address.parse().ok())
            .with_context(|| {
                format!("the network of {node} has no gateway, by which pods would reach this machine: {said:?}")
            })
    }

    /// Puts images of this machine's Docker into the node; those that are there already cost nothing.
    ///
    /// # Errors
    /// What kind said.
    pub(super) async fn load(&self, shell: &Shell, images: &[String]) -> Result<()> {
        let mut load = command(&self.kind, ["load", "docker-image", "--name", NAME]);
        load.args(images);
        shell
            .step("images into the node", shell.run("load the images", load))
            .await
            .map(drop)
    }

    /// Runs kubectl on the cluster.
    ///
    /// # Errors
    /// What kubectl said.
    pub(super) async fn kubectl(&self, shell: &Shell, doing: &str, arguments: &[&str]) -> Result<String> {
        let mut kubectl = command(&self.kubectl, arguments);
        kubectl.env("KUBECONFIG", self.kubeconfig());
        shell.run(doing, kubectl).await
    }

    /// Deletes the cluster, whatever Ctrl-C says.
    ///
    /// # Errors
    /// What kind said, and what to do by hand.
    pub(super) async fn delete(&self, shell: &Shell) -> Result<()> {
        let mut delete = command(&self.kind, ["delete", "cluster", "--name", NAME, "--kubeconfig"]);
        delete.arg(self.kubeconfig());
        shell
            .step("kind cluster deleted", shell.undo("delete the kind cluster", delete))
            .await
            .with_context(|| {
                format!("a kind cluster may be left; docker rm --force --volumes {NAME}-control-plane takes it away")
            })
            .map(drop)
    }
}

/// Refuses to touch what somebody else left, and says whether there is a cluster to take again.
///
/// # Errors
/// When there is one and it was not asked for.
pub(super) async fn exists(shell: &Shell, kind: &Path, reuse: bool) -> Result<bool> {
    let clusters = shell
        .run("ask kind for its clusters", command(kind, ["get", "clusters"]))
        .await?;
    let exists = is_among(&clusters);
    if exists && !reuse {
        bail!(
            "a kind cluster {NAME} exists already: --reuse takes it, and {} delete cluster --name {NAME} removes it",
            kind.display()
        );
    }
    Ok(exists)
}

/// Whether kind names the cluster, whole or half.
pub(super) fn is_among(clusters: &str) -> bool {
    clusters.lines().any(|line| line.trim() == NAME)
}

/// What came of some work, and of taking the cluster away after it: neither hides the other.
///
/// # Errors
/// What failed first, and what may be left.
pub(super) fn both<T>(worked: Result<T>, taken_away: Result<()>) -> Result<T> {
    match (worked, taken_away) {
        (worked, Ok(())) => worked,
        (Ok(_), Err(left)) => Err(left),
        (Err(error), Err(left)) => Err(anyhow!("{error:#}\nand then: {left:#}")),
    }
}

/// The kind config with host ports that are free now in the place of the node's.
///
/// # Errors
/// When this machine has no free port.
pub(super) fn with_free_ports(config: &str) -> Result<String> {
    let mut text = config.to_owned();
    // All of them are held until all are known, so that no two are the same.
    let mut held = Vec::new();
    for node_port in NODE_PORTS {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .context("find a free port for the gateway of the kind cluster")?;
        let free = listener.local_addr().context("find a free port")?.port();
        text = text.replace(&format!("hostPort: {node_port}"), &format!("hostPort: {free}"));
        held.push(listener);
    }
    Ok(text)
}

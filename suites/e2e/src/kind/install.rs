//! What runs in the cluster: the gateways and the controller. Used by [`super`].

use std::path::Path;

use anyhow::{Context, Result};
use suites::ObjectRef;

use super::Source;
use super::cluster::KindCluster;
use super::images;
use super::shell::Shell;
use crate::folder::Folder;

/// Where the controller lives.
pub(super) const HOME: &str = "tidegate";

/// Where a Prometheus lives.
const MONITORING: &str = "monitoring";

/// Where it is asked: what its manifest says, since there is no DNS.
pub(super) const PROMETHEUS: &str = "http://10.96.0.16:9090";

/// The controller's Deployment.
pub(super) fn deployment() -> ObjectRef {
    ObjectRef::namespaced("apps/v1", "Deployment", HOME, "tidegate")
}

/// Installs the gateway of the nginx dialect: ingress-nginx, or Traefik in its place.
///
/// # Errors
/// What kubectl said.
pub(super) async fn nginx_dialect(shell: &Shell, cluster: &KindCluster, root: &Path, source: Source) -> Result<()> {
    let (what, file, deployment) = match source {
        Source::Published => (
            "ingress-nginx",
            "kind/ingress-nginx/ingress-nginx.yaml",
            "ingress-nginx-controller",
        ),
        Source::Built => ("Traefik", "kind/traefik/traefik.yaml", "traefik"),
    };
    let install = async {
        apply(shell, cluster, &root.join(file)).await?;
        ready(shell, cluster, source.nginx_namespace(), deployment).await
    };
    shell.step(what, install).await
}

/// Installs the kinds of Gateway API and Istio, before whoever looks for them when it starts.
///
/// # Errors
/// What kubectl said.
pub(super) async fn kinds(shell: &Shell, cluster: &KindCluster, root: &Path) -> Result<()> {
    let install = async {
        for file in ["kind/gateway-api/crds.yaml", "kind/istio/crds.yaml"] {
            apply(shell, cluster, &root.join(file)).await?;
        }
        let established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
        cluster
            .kubectl(shell, "wait for the kinds", &established)
            .await
            .map(drop)
    };
    shell.step("kinds of Gateway API and Istio", install).await
}

/// Installs istiod and its gateway, and the doors that routes of both kinds hang on.
///
/// # Errors
/// What kubectl said.
pub(super) async fn istio(shell: &Shell, cluster: &KindCluster, root: &Path, source: Source) -> Result<()> {
    let install = async {
        apply_with_images(shell, cluster, &root.join("kind/istio/istio.yaml"), source).await?;
        ready(shell, cluster, "istio-system", "istiod").await?;
        ready(shell, cluster, "gateways", "istio-ingressgateway").await?;
        apply(shell, cluster, &root.join("kind/istio/gateways.yaml")).await
    };
    shell.step("Istio", install).await
}

/// Installs a Prometheus that scrapes the gateways.
///
/// # Errors
/// What kubectl said.
pub(super) async fn prometheus(shell: &Shell, cluster: &KindCluster, root: &Path, source: Source) -> Result<()> {
    let install = async {
        apply_with_images(shell, cluster, &root.join("kind/prometheus/prometheus.yaml"), source).await?;
        start_anew(shell, cluster, MONITORING, "prometheus").await
    };
    shell.step("Prometheus", install).await
}

/// A manifest with the images that there are.
pub(super) fn with_images(manifest: &str, source: Source) -> String {
    match source {
        Source::Published => manifest.to_owned(),
        Source::Built => {
            let lines = manifest.lines().map(|line| match line.split_once("image: ") {
                Some((before, image)) if image.contains("/istio/pilot:") => {
                    format!("{before}image: {}", images::ISTIOD)
                }
                Some((before, image)) if image.contains("/envoy:") => format!("{before}image: {}", images::ENVOY),
                Some((before, image)) if image.contains("/prometheus:") => {
                    format!("{before}image: {}", images::PROMETHEUS)
                }
                _ => line.to_owned(),
            });
            lines.flat_map(|line| [line, "\n".to_owned()]).collect()
        }
    }
}

/// Installs the controller as a user does: what `charts/install.yaml` holds, its rights and nothing more.
///
/// # Errors
/// What kubectl said.
pub(super) async fn controller(shell: &Shell, cluster: &KindCluster, root: &Path) -> Result<()> {
    let install = async {
        apply(shell, cluster, &root.join("charts/install.yaml")).await?;
        start_anew(shell, cluster, HOME, "tidegate").await
    };
    shell.step("tidegate", install).await
}

async fn apply(shell: &Shell, cluster: &KindCluster, file: &Path) -> Result<()> {
    let file_name = file.display().to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "--filename", &file_name];
    cluster.kubectl(shell, "install", &apply).await.map(drop)
}

/// Applies a manifest with the images that there are.
async fn apply_with_images(shell: &Shell, cluster: &KindCluster, manifest: &Path, source: Source) -> Result<()> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("read {}", manifest.display()))?;
    let folder = Folder::make()?;
    let file = folder.write("manifest.yaml", &with_images(&text, source))?;
    apply(shell, cluster, &file).await
}

/// Starts a Deployment's pods anew, since the image may be another one under the same name, and waits for them.
async fn start_anew(shell: &Shell, cluster: &KindCluster, namespace: &str, deployment: &str) -> Result<()> {
    let name = format!("deployment/{deployment}");
    let restart = ["--namespace", namespace, "rollout", "restart", &name];
    cluster.kubectl(shell, &format!("start {name}"), &restart).await?;
    ready(shell, cluster, namespace, deployment).await
}

async fn ready(shell: &Shell, cluster: &KindCluster, namespace: &str, deployment: &str) -> Result<()> {
    let deployment = format!("deployment/{deployment}");
    let wait = [
        "--namespace",
        namespace,
        "rollout",
        "status",
        &deployment,
        "--timeout=120s",
    ];
    let waited = cluster.kubectl(shell, &format!("wait for {deployment}"), &wait).await;
    if let Err(error) = waited {
        let logs = ["--namespace", namespace, "logs", &deployment, "--tail=15"];
        let said = cluster.kubectl(shell, "read its log", &logs).await.unwrap_or_default();
        return Err(error.context(format!("{deployment} does not get ready; the end of its log:\n{said}")));
    }
    Ok(())
}

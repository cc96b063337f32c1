//! From a kubeconfig, or from inside of a cluster, to a client that has been answered once.

use std::time::Duration;

use anyhow::Context;
use env::Env;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::Cluster;

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, and asks for the server's version, so that a wrong address is told at once and once.
pub(super) async fn connect(env: &Env, cluster: &Cluster) -> anyhow::Result<Client> {
    let mut config = configuration(cluster).await?;
    let url = config.cluster_url.to_string();
    let url = url.trim_end_matches('/').to_owned();
    config.connect_timeout = Some(PATIENCE);
    let client = Client::try_from(config).with_context(|| format!("use the kubeconfig for {url}"))?;
    let advice = "check --kubeconfig and --context, and that the API server runs";
    let version = env
        .clock()
        .timeout(PATIENCE, client.apiserver_version())
        .await
        .map_err(|_| {
            anyhow::anyhow!(
                "connect to the API server {url}: no answer within {} s; {advice}",
                PATIENCE.as_secs()
            )
        })?
        .map_err(|error| anyhow::anyhow!("connect to the API server {url}: {}; {advice}", root(&error)))?;
    tracing::info!(server = url, version = version.git_version, "connected");
    Ok(client)
}

async fn configuration(cluster: &Cluster) -> anyhow::Result<Config> {
    let options = KubeConfigOptions {
        context: cluster.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(path) = &cluster.kubeconfig {
        let kubeconfig =
            Kubeconfig::read_from(path).map_err(|error| anyhow::anyhow!("read the kubeconfig: {}", root(&error)))?;
        return Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| anyhow::anyhow!("use the kubeconfig {}: {}", path.display(), root(&error)));
    }
    if cluster.context.is_some() {
        return Config::from_kubeconfig(&options)
            .await
            .map_err(|error| anyhow::anyhow!("read the kubeconfig: {}", root(&error)));
    }
    Config::infer()
        .await
        .map_err(|error| anyhow::anyhow!("find a cluster: {error}; give --kubeconfig"))
}

/// The error with its innermost cause, which is where connection errors say what happened.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (outer, inner) = (error.to_string(), innermost.to_string());
    if outer.contains(&inner) {
        outer
    } else {
        format!("{outer}: {inner}")
    }
}

//! From a kubeconfig, or from inside of a cluster, to a client that has been answered once.

use std::time::Duration;

use anyhow::Context;
use controller::{explain, innermost};
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
    if config.accept_invalid_certs {
        tracing::warn!(
            server = url,
            "the kubeconfig says not to check the server's certificate (insecure-skip-tls-verify)"
        );
    }
    config.connect_timeout = Some(PATIENCE);
    let client = Client::try_from(config).with_context(|| format!("use the kubeconfig for {url}"))?;
    let version = match env.clock().timeout(PATIENCE, client.apiserver_version()).await {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => anyhow::bail!(
            "connect to the API server {url}: {}; {}",
            explain(&error),
            advice(&error)
        ),
        Err(env::Elapsed) => anyhow::bail!(
            "connect to the API server {url}: no answer within {} s; {CHECK}",
            PATIENCE.as_secs()
        ),
    };
    tracing::info!(server = url, version = version.git_version, "connected");
    Ok(client)
}

const CHECK: &str = "check --kubeconfig and --context, and that the API server runs";

fn advice(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
            "the credentials of the kubeconfig's user are not accepted; renew them or choose another --context"
        }
        _ => CHECK,
    }
}

async fn configuration(cluster: &Cluster) -> anyhow::Result<Config> {
    let options = KubeConfigOptions {
        context: cluster.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(path) = &cluster.kubeconfig {
        let at = path.display();
        let kubeconfig = Kubeconfig::read_from(path).map_err(|error| {
            anyhow::anyhow!(
                "read the kubeconfig {at}: {}; give the file of a cluster to --kubeconfig",
                first_line(&innermost(&error))
            )
        })?;
        return Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| {
                anyhow::anyhow!(
                    "use the kubeconfig {at}: {}; see `kubectl config view --kubeconfig {at}`",
                    innermost(&error)
                )
            });
    }
    if cluster.context.is_some() {
        return Config::from_kubeconfig(&options).await.map_err(|error| {
            anyhow::anyhow!(
                "read the kubeconfig: {}; check --context and $KUBECONFIG",
                innermost(&error)
            )
        });
    }
    Config::infer()
        .await
        .map_err(|error| anyhow::anyhow!("find a cluster: {error}; give --kubeconfig"))
}

/// Parsers draw the place below; line and column are in the first line, too.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

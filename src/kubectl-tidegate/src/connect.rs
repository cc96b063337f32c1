//! Reaching the cluster, and saying in one line why it could not be reached.

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tower::BoxError;
use tower::util::MapErrLayer;

use crate::Failure;
use crate::args::Connection;

/// Where the client comes from.
#[expect(missing_debug_implementations, reason = "kube's client has none")]
pub enum Connect {
    /// From the kubeconfig that the command line or the environment names.
    FromKubeconfig,
    /// A client that somebody else has made; `--kubeconfig` and `--context` are then without effect.
    Ready(Client),
}

/// The client and the namespace that counts when the command line names none.
pub(crate) async fn client(connect: Connect, connection: &Connection) -> Result<(Client, String), Failure> {
    let client = match connect {
        Connect::Ready(client) => client,
        Connect::FromKubeconfig => {
            let options = KubeConfigOptions {
                context: connection.context.clone(),
                cluster: connection.cluster.clone(),
                user: connection.user.clone(),
            };
            let config = match &connection.kubeconfig {
                Some(path) => match Kubeconfig::read_from(path) {
                    Ok(file) => Config::from_custom_kubeconfig(file, &options).await,
                    Err(error) => Err(error),
                },
                None => Config::from_kubeconfig(&options).await,
            };
            let unusable =
                |error: &dyn std::error::Error| Failure(format!("cannot use the kubeconfig: {}", chain(error)));
            let config = config.map_err(|error| unusable(&error))?;
            let server = config.cluster_url.to_string();
            let builder = ClientBuilder::try_from(config).map_err(|error| unusable(&error))?;
            builder
                .with_layer(&MapErrLayer::new(move |cause: BoxError| -> BoxError {
                    Box::new(Unreachable {
                        server: server.clone(),
                        cause,
                    })
                }))
                .build()
        }
    };
    let namespace = client.default_namespace().to_owned();
    Ok((client, namespace))
}

/// No answer came from the API server.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {server}")]
struct Unreachable {
    server: String,
    #[source]
    cause: BoxError,
}

/// One line from an answer of the cluster, or from its silence.
pub(crate) fn failure(doing: &str, error: &kube::Error) -> Failure {
    Failure(match error {
        kube::Error::Api(status) => format!("{doing}: {}", status.message),
        kube::Error::Service(cause) => format!("{doing}: {}; check --kubeconfig and --context", chain(cause.as_ref())),
        other => format!("{doing}: {}", chain(other)),
    })
}

/// An error and what caused it, each text once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = deeper.source();
    }
    text.replace('\n', " ")
}

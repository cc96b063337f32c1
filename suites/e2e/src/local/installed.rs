//! Tidegate's installation on a local control plane: `charts/install.yaml` as a person applies it, and the account that it makes, which the
//! controller acts as. With that account's rights and no others it shares its certificate, points the webhooks at this process and
//! leads every scenario, so that a right which the file does not give is a failing run. Used by [`super::ground`].

use std::net::SocketAddr;

use anyhow::{Context, Result};
use controller::install::{self, Endpoint};
use controller::serve::{Listener, serve};
use controller::{Telemetry, preflight, webhooks};
use env::{Env, watch};
use serde::Deserialize as _;
use serde_json::{Value, json};
use suites::{Kubernetes, ObjectRef, PatchKind};
use tokio::task::JoinSet;

use crate::installation::{self, HOME};

use super::ControlPlane;

/// What `kubectl apply -f` installs.
const MANIFESTS: &str = include_str!("../../../../charts/install.yaml");
/// The name of the account in there.
const ACCOUNT: &str = "tidegate";

/// Every object of the file, in its order.
pub(super) fn objects() -> Result<Vec<Value>> {
    serde_yaml::Deserializer::from_str(MANIFESTS)
        .map(|document| Value::deserialize(document).context("read charts/install.yaml"))
        .collect()
}

/// Applies the file and makes the class of Ingresses. The controller's pods are not wanted: this process is in their place.
pub(super) async fn apply(person: &Kubernetes) -> Result<()> {
    person
        .create(&installation::ingress_class())
        .await
        .context("make the class of Ingresses")?;
    for object in objects()? {
        person.create(&object).await.context("apply charts/install.yaml")?;
    }
    let pods = ObjectRef::namespaced("apps/v1", "Deployment", HOME, ACCOUNT);
    let none = json!({ "spec": { "replicas": 0 } });
    person
        .patch(&pods, None, PatchKind::Merge, &none)
        .await
        .context("take the place of the controller's pods")?;
    Ok(())
}

/// A client that may do what the controller's account may.
///
/// # Errors
/// When the way to the API server cannot be read.
pub(super) async fn account(plane: &ControlPlane) -> Result<kube::Client> {
    let groups = [
        "system:serviceaccounts",
        &format!("system:serviceaccounts:{HOME}"),
        "system:authenticated",
    ];
    let user = format!("system:serviceaccount:{HOME}:{ACCOUNT}");
    let client = plane.client_as(&user, &groups).await;
    client.with_context(|| format!("act as {user}"))
}

/// Serves the webhooks over TLS on loopback and points the installed configurations there, as the binary does at its start.
///
/// # Errors
/// What the account may not do, or what the machine refuses.
pub(super) async fn serve_webhooks(
    env: &Env,
    account: &kube::Client,
    mut closed: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<()> {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), "webhooks").await?;
    let endpoint = Endpoint::Url(format!("https://{}", listener.address()));
    let names = ["127.0.0.1".to_owned()];
    let certificate = install::shared_certificate(account, HOME, &names, env.now()).await?;
    let authority = certificate.authority().to_vec();
    let service = webhooks(env, account.clone());
    tasks.spawn(serve(env.clone(), listener, Some(certificate), service, async move {
        // A sender that is gone ends it, too.
        let _ = closed.wait_for(|closed| *closed).await;
    }));
    preflight::pass(env, account, &Telemetry::default()).await;
    install::point(account, &endpoint, &authority).await?;
    Ok(())
}

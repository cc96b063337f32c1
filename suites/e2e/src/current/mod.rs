//! `--cluster current`: judges what is installed in the cluster of the kubeconfig's current context. A stranger's cluster: it is asked first whether
//! it looks like production, every scenario has a namespace of its own, and nothing is left behind, however the run ends.
//!
//! [`kubeconfig`] and [`name`] refuse, [`preflight`] looks whether there is anything to judge, [`address`] finds the gateway. Then it is a cluster
//! behind a kubeconfig like any other, and [`crate::remote_cluster`] plays on it.

mod address;
mod kubeconfig;
mod name;
mod preflight;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use suites::routes::Door;
use suites::{Kubernetes, Report, Scenario};

use crate::gateway::Gateway;
use crate::interrupt::Interrupt;
use crate::remote_cluster::{self, Ground, Site};
pub(crate) use address::GatewayUrl;
pub(crate) use kubeconfig::Caution;

/// The name under which reports and expectations know it.
pub(crate) const CLUSTER: &str = "current";
/// The routes that can be asked for; whose proxy follows them is the cluster's choice.
pub(crate) const GATEWAYS: [Gateway; 3] = [Gateway::Ingress, Gateway::HttpRoute, Gateway::VirtualService];
/// How many scenarios run at the same time when nobody says: each has some ten pods, and the cluster is not ours.
const JOBS: usize = 4;
/// As long as the slowest gateway that we know takes to follow, and what a busy cluster adds.
const GATEWAY_LAG: Duration = Duration::from_secs(7);
/// How often it is looked whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(100);

/// What a person asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What may be done where a name looks like production.
    pub(crate) caution: Caution,
    /// Where the gateway answers, when the person knows.
    pub(crate) gateway: Option<GatewayUrl>,
    /// The Gateway that routes are bound to, in families that have one.
    pub(crate) door: Door,
    /// How many scenarios at a time.
    pub(crate) jobs: Option<usize>,
}

/// The cluster, ready to be played on.
pub(crate) struct Current {
    ground: Arc<Ground>,
    wish: Wish,
}

/// Looks at the cluster of the current context and does `work` on it.
///
/// # Errors
/// Why nothing can be played there.
pub(crate) fn each(wish: Wish, interrupt: &Interrupt, work: impl AsyncFnOnce(&Current) -> Result<()>) -> Result<()> {
    // A second installation is refused, and then there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let (context, client) = kubeconfig::client(wish.caution).await?;
        let current = Current::look(&Env::real(), &context, client, wish, interrupt).await?;
        work(&current).await
    })
}

impl Current {
    /// Looks whether a controller answers there.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) async fn look(
        env: &Env,
        context: &str,
        client: kube::Client,
        wish: Wish,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        preflight::kinds(&Kubernetes::new(client.clone()), context).await?;
        let site = |features| Site {
            cluster: CLUSTER,
            client: client.clone(),
            controller: None,
            features,
            metrics: None,
        };
        let ground = Ground::start(env, site([].into()));
        let looking = async {
            let (namespace, _) = ground.namespace("preflight").await?;
            preflight::controller(env, &ground.kubernetes(), &namespace).await
        };
        let looked = tokio::select! {
            biased;
            looked = looking => looked,
            () = wished(env, interrupt) => Err(anyhow::anyhow!("interrupted")),
        };
        // Whatever was found: the namespace goes.
        let cleaned = ground.clean().await;
        let found = looked?;
        cleaned?;
        Ok(Self {
            ground: Ground::start(env, site(found.into_iter().collect())),
            wish,
        })
    }

    /// Plays `scenarios` through the gateway that follows such routes, gives `done` each report as it comes, and takes away what was made. Keeps what
    /// a failure leaves.
    ///
    /// # Errors
    /// When there is no such gateway, or the cluster does not clean up.
    pub(crate) async fn play(
        &self,
        gateway: Gateway,
        scenarios: &[Scenario],
        interrupt: &Interrupt,
        done: &mut dyn FnMut(usize, Report),
    ) -> Result<()> {
        if interrupt.is_wished() {
            bail!("interrupted");
        }
        let (family, door) = (gateway.family(), &self.wish.door);
        let authority = preflight::gateway(&self.ground, family, door, self.wish.gateway.as_ref()).await?;
        let mut entrance = self.ground.entrance(&authority, family, GATEWAY_LAG).await?;
        entrance.door = door.clone();
        let play = remote_cluster::Play {
            jobs: self.wish.jobs.unwrap_or(JOBS),
            expected_as: gateway.expected_as(CLUSTER),
            logs: PathBuf::from("target/e2e-logs").join(CLUSTER).join(gateway.name()),
        };
        remote_cluster::each(&self.ground, &entrance, &play, scenarios, interrupt, done).await
    }
}

async fn wished(env: &Env, interrupt: &Interrupt) {
    while !interrupt.is_wished() {
        env.sleep(LOOK).await;
    }
}

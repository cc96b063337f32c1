//! A cluster somewhere else, reached through a kube client: the same scheduler, kubelet and gateway that the embedded cluster has, serving a
//! real control plane.
//!
//! Caches hold what was listed and watched, one collection each, so that reads are snapshots and never wait; a write's answer goes
//! into them at once, so that a writer sees its own writes. Which parts run is the caller's choice: a real control plane has controllers of
//! its own for everything but pods and traffic.

mod cache;
mod discovery;
mod feed;
mod refusal;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, watch};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::gateway::{Asked, Gateway, Lag, PodName};
use crate::kubelet;
use crate::network::PodNetwork;
use crate::resource::{DEFINITIONS, ENDPOINT_SLICES, INGRESS_CLASSES, INGRESSES, NODES, PODS, Resource, SERVICES};
use crate::scheduler;
use cache::Cache;
use view::View;

/// A part of a cluster that a [`Remote`] can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Gives pods their nodes.
    Scheduler,
    /// Three nodes, and the pods on them.
    Kubelet,
    /// Ingresses of class nginx, and the routes of Gateway API and Istio where the cluster has their definitions.
    Gateway,
}

/// How to serve a cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to play.
    pub parts: BTreeSet<Part>,
    /// What is cached beside what the parts need.
    pub resources: Vec<Resource>,
    /// How pods start and stop.
    pub kubelet: kubelet::Options,
    /// How long after a change the gateway acts on it.
    pub gateway_lag: Lag,
    /// How long the first lists may take.
    pub within: Duration,
}

impl Default for Options {
    /// Everything that a control plane without nodes lacks.
    fn default() -> Self {
        Self {
            parts: [Part::Scheduler, Part::Kubelet, Part::Gateway].into(),
            resources: Vec::new(),
            kubelet: kubelet::Options::default(),
            gateway_lag: Lag::default(),
            within: Duration::from_secs(30),
        }
    }
}

/// A remote cluster could not be taken on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API server does not say what it serves.
    #[error(
        "read what the API server serves: {0}; check that the kubeconfig's server is reachable and its user may read"
    )]
    Discover(crate::Status),
    /// A collection did not come.
    #[error(
        "list {collections} within {within:?}: not all arrived; check that the kubeconfig's user may list and watch them"
    )]
    List {
        /// What is missing.
        collections: String,
        /// How long it was waited for.
        within: Duration,
    },
}

/// The parts that run on a cluster somewhere else.
#[derive(Debug)]
pub struct Remote {
    cluster: Arc<dyn Cluster>,
    cache: Arc<Cache>,
    gateway: Gateway,
    closing: watch::Sender<bool>,
    parts: JoinSet<()>,
    feeds: JoinSet<()>,
}

impl Remote {
    /// Fills the caches, then starts the parts. Pods are put into `network`; `env`'s dialer must reach them, since the gateway uses it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        env: &Env,
        client: kube::Client,
        options: Options,
        network: Arc<dyn PodNetwork>,
    ) -> Result<Self, StartError> {
        let served = discovery::read(&client).await.map_err(StartError::Discover)?;
        let closing = watch::Sender::new(false);
        let cache = Arc::new(Cache::new(served));
        let mut feeds = JoinSet::new();
        let mut wanted: BTreeSet<Resource> = options.resources.iter().cloned().collect();
        for part in &options.parts {
            wanted.extend(part.needs());
        }
        for resource in &wanted {
            cache.want(resource);
        }
        feeds.spawn(feed::keep(env.clone(), client.clone(), cache.clone()));
        let mut filled = cache.filled();
        let all = filled.wait_for(|filled| wanted.iter().all(|resource| filled.contains(resource)));
        if env.clock().timeout(options.within, all).await.is_err() {
            let filled = cache.filled();
            let missing = wanted.iter().filter(|resource| !filled.borrow().contains(*resource));
            return Err(StartError::List {
                collections: missing
                    .map(|resource| resource.storage().to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
                within: options.within,
            });
        }
        let cluster: Arc<dyn Cluster> = Arc::new(View::new(env.clone(), client, cache.clone(), closing.subscribe()));
        let mut parts = JoinSet::new();
        let mut gateway = Gateway::idle(env);
        for part in &options.parts {
            match part {
                Part::Scheduler => scheduler::start(cluster.clone(), &mut parts),
                Part::Kubelet => kubelet::start(cluster.clone(), network.clone(), options.kubelet, &mut parts),
                Part::Gateway => gateway = Gateway::start(cluster.clone(), options.gateway_lag, &mut parts),
            }
        }
        Ok(Self {
            cluster,
            cache,
            gateway,
            closing,
            parts,
            feeds,
        })
    }

    /// The cluster as its parts see it.
    pub fn cluster(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    /// The gateway for clients in this process; requests are told apart by their Host header and path.
    pub fn gateway(&self) -> HttpService {
        self.gateway.service()
    }

    /// Which pods may answer such a request now, and how probable each is; see [`Gateway::pods`].
    pub fn route(&self, host: &str, path: &str, headers: &[(String, String)]) -> Vec<(PodName, f64)> {
        self.gateway.pods(Asked {
            method: "GET",
            host,
            path,
            headers,
        })
    }

    /// Tells of every change that arrived in the caches.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.cache.store().changes()
    }

    /// Ends the parts and the caches, and waits for them. Pods stop serving; their objects stay.
    pub async fn stop(mut self) {
        self.closing.send_replace(true);
        while self.parts.join_next().await.is_some() {}
        self.feeds.shutdown().await;
    }
}

impl Part {
    /// The collections that must be in the caches before it starts.
    fn needs(self) -> Vec<Resource> {
        match self {
            Self::Scheduler | Self::Kubelet => vec![PODS, NODES],
            Self::Gateway => vec![DEFINITIONS, INGRESSES, INGRESS_CLASSES, SERVICES, ENDPOINT_SLICES],
        }
    }
}

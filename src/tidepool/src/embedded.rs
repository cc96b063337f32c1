//! The assembly: one store, one API server over it, its controllers, and the ways in.

mod definitions;
mod direct;
mod namespaces;

use std::sync::Arc;

use env::sim::SimNetwork;
use env::{Env, HttpService};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admission::Admission;
use crate::cluster::Cluster;
use crate::controllers;
use crate::gateway::{Asked, Gateway, Lag, Outcome};
use crate::http;
use crate::http::serve::{self, Identity, ServeError, Serving};
use crate::kubelet;
use crate::resource::NAMESPACES;
use crate::scheduler;
use crate::server::{Builtin, Registry, Request, Server, User, Verb};
use crate::store::Store;
use crate::transport::Transport;
use direct::Direct;

/// What a cluster is made of beside its API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {}

/// A Kubernetes in this process.
#[derive(Debug)]
pub struct Embedded {
    server: Server,
    cluster: Arc<Direct>,
    gateway: Gateway,
    tasks: JoinSet<()>,
}

/// A cluster behind sockets.
#[derive(Debug)]
pub struct Served {
    /// The text of a kubeconfig whose user may do everything.
    pub kubeconfig: String,
    api: Serving,
}

impl Served {
    /// Where the API listens.
    pub const fn api(&self) -> std::net::SocketAddr {
        self.api.address()
    }

    /// Closes all sockets.
    pub async fn stop(self) {
        self.api.stop().await;
    }
}

impl Embedded {
    /// Starts a cluster whose pods are reached through `network`.
    pub async fn start(env: &Env, network: &SimNetwork, options: Options) -> Self {
        let _ = options;
        let store = Store::default();
        let types = Arc::new(Registry::new(Arc::new(Builtin::default()), store.clone()));
        let server = Server::new(env.clone(), store, types, Admission::default());
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let mut request = Request::new(Verb::Create, &NAMESPACES, User::named("system:apiserver"));
            request.body = json!({ "metadata": { "name": name } });
            if let Err(status) = server.call(request).await {
                tracing::error!(namespace = name, error = %status, "namespace of a new cluster was refused");
            }
        }
        let cluster = Arc::new(Direct::new(server.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(namespaces::run(server.clone()));
        tasks.spawn(definitions::run(server.clone()));
        let seen: Arc<dyn Cluster> = cluster.clone();
        controllers::start(&seen, &mut tasks);
        scheduler::start(seen.clone(), &mut tasks);
        kubelet::start(
            seen.clone(),
            Arc::new(network.clone()),
            kubelet::Options::default(),
            &mut tasks,
        );
        let gateway = Gateway::start(seen, Lag::default(), &mut tasks);
        Self {
            server,
            cluster,
            gateway,
            tasks,
        }
    }

    /// The API for clients in this process.
    pub fn api(&self) -> HttpService {
        http::service(self.server.clone(), User::named("kubernetes-admin"))
    }

    /// The API for one client process called `name`, with a switch that cuts it off.
    pub fn transport(&self, name: &str) -> Transport {
        Transport::new(http::service(self.server.clone(), User::named(name)))
    }

    /// The gateway in front of the cluster; it tells requests apart by their Host header and path.
    pub fn gateway(&self) -> HttpService {
        self.gateway.service()
    }

    /// The pods that such a request may be answered by now (namespace and name), and how probable each is. Nothing when it would be refused.
    pub fn route(&self, asked: Asked<'_>) -> Vec<(String, String, f64)> {
        match self.gateway.route(asked) {
            Outcome::Forward(shares) => shares
                .into_iter()
                .map(|share| (share.endpoint.namespace, share.endpoint.pod, share.probability))
                .collect(),
            Outcome::NoRoute | Outcome::NoEndpoints => Vec::new(),
        }
    }

    /// The cluster as controllers see it.
    pub fn cluster(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    /// Tells of every new revision of the cluster's objects.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.server.store().changes()
    }

    /// Forgets the history up to now: older watches and pages are told to begin anew.
    pub fn compact(&self) {
        self.server.store().compact(self.server.store().revision());
    }

    /// Serves the API over TLS on a free port of 127.0.0.1. Needs a runtime with I/O.
    ///
    /// # Errors
    /// When there is no port or no certificate to be had.
    pub async fn serve(&self) -> Result<Served, ServeError> {
        let identity = Identity::generate()?;
        let token = self.server.env().chance("kubeconfig-token").uuid();
        let api = serve::over_tls(serve::guarded(self.api(), token.clone()), &identity).await?;
        Ok(Served {
            kubeconfig: serve::kubeconfig(api.address(), &identity, &token),
            api,
        })
    }

    /// Ends every watch and every task of the cluster, and waits for them.
    pub async fn stop(mut self) {
        self.server.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

//! The assembly: one store, one API server over it, its controllers, and the ways in.

mod definitions;
mod direct;
mod events;
mod namespaces;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use env::sim::SimNetwork;
use env::watch;
use env::{Env, HttpService};
use serde_json::json;
use tokio::task::JoinSet;

use crate::admission::Admission;
use crate::cluster::Cluster;
use crate::controllers;
use crate::gateway::{Asked, Gateway, Lag, PodName};
use crate::http;
use crate::http::serve::{self, Identity, ServeError, Serving};
use crate::kubelet;
use crate::resource::NAMESPACES;
use crate::scheduler;
use crate::schema::Catalog;
use crate::server::{Builtin, Registry, Request, Server, User, Verb};
use crate::store::Store;
use crate::transport::Transport;
use direct::Direct;

/// How a cluster behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How pods start and stop.
    pub kubelet: kubelet::Options,
    /// How long after a change the gateway acts on it.
    pub gateway_lag: Lag,
    /// Who schedules pods, runs them and routes requests to them.
    pub data_plane: DataPlane,
}

/// Who schedules pods, runs them and routes requests to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataPlane {
    /// The cluster itself.
    #[default]
    Own,
    /// Somebody who reaches it through its API, as [`Remote`](crate::Remote) does.
    Elsewhere,
}

/// Where a cluster listens on 127.0.0.1; 0 is any free port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The API, over TLS.
    pub api: u16,
    /// The gateway, without TLS.
    pub gateway: u16,
}

/// A Kubernetes in this process.
#[derive(Debug)]
pub struct Embedded {
    server: Server,
    cluster: Arc<dyn Cluster>,
    gateway: Gateway,
    tasks: JoinSet<()>,
}

/// A cluster behind sockets.
#[derive(Debug)]
pub struct Served {
    /// The text of a kubeconfig whose user may do everything.
    pub kubeconfig: String,
    api: Serving,
    gateway: Serving,
}

impl Served {
    /// Where the API listens.
    pub const fn api(&self) -> std::net::SocketAddr {
        self.api.address()
    }

    /// Where the gateway listens, without TLS.
    pub const fn gateway(&self) -> std::net::SocketAddr {
        self.gateway.address()
    }

    /// Closes all sockets.
    pub async fn stop(self) {
        self.api.stop().await;
        self.gateway.stop().await;
    }
}

impl Embedded {
    /// Starts a cluster whose pods are reached through `network`.
    pub async fn start(env: &Env, network: &SimNetwork, options: Options) -> Self {
        let store = Store::default();
        let types = Arc::new(Registry::new(
            Arc::new(Builtin::new(&Catalog::builtin())),
            store.clone(),
        ));
        let server = Server::new(env.clone(), store, types, Admission::default());
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let mut request = Request::new(Verb::Create, &NAMESPACES, User::named("system:apiserver"));
            request.body = json!({ "metadata": { "name": name } });
            if let Err(status) = server.call(request).await {
                tracing::error!(namespace = name, error = %status, "namespace of a new cluster was refused");
            }
        }
        let cluster: Arc<dyn Cluster> = Arc::new(Direct::new(server.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(namespaces::run(server.clone()));
        tasks.spawn(definitions::run(server.clone()));
        controllers::start(&cluster, &mut tasks);
        let gateway = match options.data_plane {
            DataPlane::Own => {
                scheduler::start(cluster.clone(), &mut tasks);
                let pods = Arc::new(network.clone());
                kubelet::start(cluster.clone(), pods, options.kubelet, &mut tasks);
                Gateway::start(cluster.clone(), options.gateway_lag, &mut tasks)
            }
            DataPlane::Elsewhere => Gateway::idle(env),
        };
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

    /// The cluster as controllers see it.
    pub fn cluster(&self) -> Arc<dyn Cluster> {
        self.cluster.clone()
    }

    /// The gateway for clients in this process; requests are told apart by their Host header and path.
    pub fn gateway(&self) -> HttpService {
        self.gateway.service()
    }

    /// Which pods may answer such a request now, and how probable each is; none when nobody would. Where the gateway does not know of a change
    /// yet, neither does this.
    pub fn route(&self, host: &str, path: &str, headers: &[(String, String)]) -> Vec<(PodName, f64)> {
        self.gateway.pods(Asked {
            method: "GET",
            host,
            path,
            headers,
        })
    }

    /// Lets the gateway follow changes with this lag from now on, in every dialect.
    pub fn slow_gateway(&self, lag: Lag) {
        self.gateway.slow_down(lag);
    }

    /// Tells of every new revision of the cluster's objects.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.server.store().changes()
    }

    /// Forgets the history up to now: older watches and pages are told to begin anew.
    pub fn compact(&self) {
        self.server.store().compact(self.server.store().revision());
    }

    /// Serves the API over TLS and the gateway without, on ports of 127.0.0.1. Needs a runtime with I/O.
    ///
    /// # Errors
    /// When a port or a certificate is not to be had.
    pub async fn serve(&self, ports: Ports) -> Result<Served, ServeError> {
        let identity = Identity::generate()?;
        let token = self.server.env().chance("kubeconfig-token").uuid();
        let api = serve::over_tls(serve::guarded(self.api(), token.clone()), &identity, ports.api).await?;
        Ok(Served {
            kubeconfig: serve::kubeconfig(api.address(), &identity, &token),
            api,
            gateway: serve::over_tcp(self.gateway(), ports.gateway).await?,
        })
    }

    /// Ends every watch and every task of the cluster, and waits for them.
    pub async fn stop(mut self) {
        self.server.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

//! The assembly: one store, one API server over it, its controllers, and the ways in.

mod direct;

use std::sync::Arc;

use env::sim::SimNetwork;
use env::{Env, HttpService};
use serde_json::json;
use tokio::sync::watch;

use crate::admission::Admission;
use crate::cluster::Cluster;
use crate::http;
use crate::resource::NAMESPACES;
use crate::server::{Builtin, Request, Server, User, Verb};
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
}

impl Embedded {
    /// Starts a cluster whose pods are reached through `network`.
    pub async fn start(env: &Env, network: &SimNetwork, options: Options) -> Self {
        let _ = (network, options);
        let server = Server::new(
            env.clone(),
            Store::default(),
            Arc::new(Builtin::default()),
            Admission::default(),
        );
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let mut request = Request::new(Verb::Create, &NAMESPACES, User::named("system:apiserver"));
            request.body = json!({ "metadata": { "name": name } });
            if let Err(status) = server.call(request).await {
                tracing::error!(namespace = name, error = %status, "namespace of a new cluster was refused");
            }
        }
        let cluster = Arc::new(Direct::new(server.clone()));
        Self { server, cluster }
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

    /// Tells of every new revision of the cluster's objects.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.server.store().changes()
    }

    /// Ends every watch and every task of the cluster.
    #[expect(clippy::unused_async, reason = "controllers are joined here")]
    pub async fn stop(self) {
        self.server.close();
    }
}

//! The metric servers of a real cluster's scenarios, behind one listener: a scenario's own answers under the path that its namespace is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use env::{Env, HttpService};
use http::{Response, StatusCode};
use parking_lot::Mutex;
use tidepool::http::serve::{Serving, over_tcp_at};

use crate::metric_server::MetricServer;

/// All of them.
pub(crate) struct Metrics {
    env: Env,
    window: Duration,
    servers: Arc<Mutex<BTreeMap<String, MetricServer>>>,
    serving: Serving,
}

impl Metrics {
    /// Listens on an address of this machine; each server counts the requests of the last `window`.
    ///
    /// # Errors
    /// When there is no port.
    pub(crate) async fn start(env: &Env, on: Ipv4Addr, window: Duration) -> Result<Self> {
        let servers: Arc<Mutex<BTreeMap<String, MetricServer>>> = Arc::default();
        let known = servers.clone();
        let service = HttpService::new(move |request: http::Request<env::Body>| {
            let namespace = request.uri().path().split('/').nth(1).unwrap_or_default();
            let server = known.lock().get(namespace).map(MetricServer::service);
            async move {
                match server {
                    Some(server) => server.send(request).await,
                    None => Ok(Response::builder()
                        .status(StatusCode::NOT_FOUND)
                        .body(env::full("no such scenario"))?),
                }
            }
        });
        Ok(Self {
            env: env.clone(),
            window,
            servers,
            serving: over_tcp_at(service, on, 0)
                .await
                .context("serve the metrics of scenarios")?,
        })
    }

    /// The server of a namespace, which it has from now on.
    pub(crate) fn of(&self, namespace: &str) -> MetricServer {
        let mut servers = self.servers.lock();
        let server = servers.entry(namespace.to_owned());
        server
            .or_insert_with(|| MetricServer::new(&self.env, self.window))
            .clone()
    }

    /// Where the server of a namespace is asked.
    pub(crate) fn address(&self, namespace: &str) -> String {
        format!("http://{}/{namespace}", self.serving.address())
    }

    /// Forgets a namespace.
    pub(crate) fn forget(&self, namespace: &str) {
        self.servers.lock().remove(namespace);
    }

    /// Closes the listener.
    pub(crate) async fn stop(self) {
        self.serving.stop().await;
    }
}

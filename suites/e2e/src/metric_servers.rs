//! The metric servers of a real cluster's scenarios, behind one wiremock: a scenario's own answers under the path that its namespace is.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use env::Env;
use http::StatusCode;
use parking_lot::Mutex;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::metric_server::MetricServer;

/// How long a server is silent that never answers: longer than anybody asks.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// All of them.
pub(crate) struct Metrics {
    env: Env,
    window: Duration,
    servers: Arc<Mutex<BTreeMap<String, MetricServer>>>,
    mock: MockServer,
}

impl Metrics {
    /// Listens on an address of this machine; each server counts the requests of the last `window`.
    ///
    /// # Errors
    /// When there is no port.
    pub(crate) async fn start(env: &Env, on: Ipv4Addr, window: Duration) -> Result<Self> {
        let servers: Arc<Mutex<BTreeMap<String, MetricServer>>> = Arc::default();
        let known = servers.clone();
        let answer = move |request: &Request| {
            let namespace = request.url.path().split('/').nth(1).unwrap_or_default();
            let server = known.lock().get(namespace).cloned();
            let Some(server) = server else {
                return ResponseTemplate::new(StatusCode::NOT_FOUND).set_body_string("no such scenario");
            };
            match server.reply() {
                Some(reply) => ResponseTemplate::new(reply.status()).set_body_string(reply.into_body()),
                None => ResponseTemplate::new(StatusCode::OK).set_delay(NEVER),
            }
        };
        let listener = TcpListener::bind((on, 0)).context("serve the metrics of scenarios")?;
        // Whoever counts queries asks the scenario's own server.
        let mock = MockServer::builder().listener(listener).disable_request_recording();
        let mock = mock.start().await;
        Mock::given(any()).respond_with(answer).mount(&mock).await;
        Ok(Self {
            env: env.clone(),
            window,
            servers,
            mock,
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
        format!("http://{}/{namespace}", self.mock.address())
    }

    /// Forgets a namespace.
    pub(crate) fn forget(&self, namespace: &str) {
        self.servers.lock().remove(namespace);
    }
}

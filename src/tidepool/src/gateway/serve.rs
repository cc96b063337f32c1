//! The running gateway: forwards what it is asked by the configuration of now.

use std::sync::Arc;

use env::{Body, BoxError, Chance, Env, HttpService, full, watch};
use http::{Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

use super::choose::{Asked, Outcome, Share, Target, choose};
use super::config::Config;
use super::follow::{Lag, follow};
use super::report::{self, Reports};
use super::rules::Edits;
use crate::cluster::Cluster;

/// A pod, by its namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A gateway. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Gateway {
    env: Env,
    config: Arc<Mutex<Arc<Config>>>,
    lag: Arc<Mutex<Option<Lag>>>,
    picks: Chance,
}

impl Gateway {
    /// Starts following the cluster; the tasks live in `tasks`. The lag is that of Ingresses.
    pub fn start(cluster: Arc<dyn Cluster>, lag: Lag, tasks: &mut JoinSet<()>) -> Self {
        let gateway = Self::idle(cluster.env());
        let (told, news) = watch::channel(Reports::default());
        tasks.spawn(report::write(cluster.clone(), news));
        tasks.spawn(follow(cluster, lag, gateway.lag.clone(), gateway.config.clone(), told));
        gateway
    }

    /// From now on follows changes with this lag, in every dialect.
    pub fn slow_down(&self, lag: Lag) {
        *self.lag.lock() = Some(lag);
    }

    /// A gateway that follows nothing: it answers 404 to everybody.
    pub fn idle(env: &Env) -> Self {
        Self::fixed(env, Config::default())
    }

    /// A gateway that follows nothing, and routes by this configuration.
    pub fn fixed(env: &Env, config: Config) -> Self {
        Self {
            env: env.clone(),
            config: Arc::new(Mutex::new(Arc::new(config))),
            lag: Arc::default(),
            picks: env.chance("gateway/pick"),
        }
    }

    /// The gateway as an HTTP service; requests are told apart by their Host header and path.
    pub fn service(&self) -> HttpService {
        let gateway = self.clone();
        HttpService::new(move |request| {
            let gateway = gateway.clone();
            async move { gateway.forward(request).await }
        })
    }

    /// Where such a request would go now, and how probable each place is.
    pub fn route(&self, asked: Asked<'_>) -> Outcome {
        let config = self.config.lock().clone();
        choose(&config, asked)
    }

    /// Which pods may answer such a request now, and how probable each is; none when nobody would. What is missing to 1 is
    /// refused. Where the gateway does not know of a change yet, neither does this.
    pub fn pods(&self, asked: Asked<'_>) -> Vec<(PodName, f64)> {
        match self.route(asked) {
            Outcome::Forward(shares) => shares
                .into_iter()
                .filter_map(|share| match share.target {
                    Target::Pod { endpoint, .. } => {
                        let (namespace, name) = (endpoint.namespace, endpoint.pod);
                        Some((PodName { namespace, name }, share.probability))
                    }
                    Target::Refused(_) => None,
                })
                .collect(),
            Outcome::NoRoute | Outcome::NoEndpoints => Vec::new(),
        }
    }

    async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let host = request
            .headers()
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| request.uri().host())
            .unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let path = request.uri().path().to_owned();
        let with_query = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let method = request.method().to_string();
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let outcome = self.route(Asked {
            method: &method,
            host: &host,
            path: &with_query,
            headers: &headers,
        });
        let (backend, response) = match outcome {
            Outcome::NoRoute => (None, plain(StatusCode::NOT_FOUND, "default backend - 404")),
            Outcome::NoEndpoints => (
                None,
                plain(StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable"),
            ),
            Outcome::Forward(shares) => match pick(&shares, self.picks.fraction()).map(|share| &share.target) {
                Some(Target::Pod { endpoint, edits }) => {
                    let answer = self.send(&endpoint.authority, edits, request).await;
                    (
                        Some(format!("{}/{}", endpoint.namespace, endpoint.pod)),
                        answer.unwrap_or_else(|| plain(StatusCode::BAD_GATEWAY, "502 Bad Gateway")),
                    )
                }
                Some(Target::Refused(status)) => {
                    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                    (None, plain(status, "the route's backend cannot be used"))
                }
                None => (None, plain(StatusCode::BAD_GATEWAY, "502 Bad Gateway")),
            },
        };
        let code = response.status().as_u16();
        self.env.record(
            "route",
            || json!({ "host": host, "path": path, "backend": backend, "code": code }),
        );
        let mut response = response;
        if let Some(value) = backend.and_then(|backend| http::HeaderValue::from_str(&backend).ok()) {
            response.headers_mut().insert("x-tidepool-backend", value);
        }
        Ok(response)
    }

    async fn send(&self, authority: &str, edits: &Edits, mut request: Request<Body>) -> Option<Response<Body>> {
        let service = self.env.dial(authority).await.ok()?;
        edits.apply_to_request(request.headers_mut());
        let mut response = service.send(request).await.ok()?;
        edits.apply_to_response(response.headers_mut());
        Some(response)
    }
}

fn pick(shares: &[Share], draw: f64) -> Option<&Share> {
    let mut passed = 0.0;
    shares
        .iter()
        .filter(|share| share.probability > 0.0)
        .find(|share| {
            passed += share.probability;
            draw < passed
        })
        .or_else(|| shares.iter().rfind(|share| share.probability > 0.0))
}

fn plain(code: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = code;
    response
}

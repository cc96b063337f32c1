//! The real proxies of `--cluster local`: child processes that read their configuration from the API server alone and forward what the probe
//! sends. They start after what they read is installed, die with the run, and are asked now and then whether they still live. Used by
//! [`super::ground`].

mod istio;
#[cfg(test)]
mod tests;
mod traefik;

use std::net::TcpListener;

use env::{Env, HttpService};
use serde::Deserialize as _;
use serde_json::{Value, json};
use suites::routes::Family;
use tidepool::resource::Resource;

use super::error::LocalError;
use super::process::{Process, wait_for};
use super::program::Program;
use super::{ControlPlane, Tools};
use crate::gateway::{DataPlane, Gateway};

/// Where every proxy listens: the namespace is the run's own, and the port is the one that the Gateways name. No pod listens on it: a proxy that
/// binds it on every address would take it from them.
const LISTENS: (&str, u16) = ("127.0.0.1", 10_080);

/// The namespace and the name of the Gateway that routes attach to.
const DOOR: (&str, &str) = ("gateways", "door");
/// The kinds of Gateway API.
const GATEWAY_API: &str = include_str!("../../../../../kind/gateway-api/crds.yaml");
/// The kinds of Istio.
const ISTIO: &str = include_str!("../../../../../kind/istio/crds.yaml");

/// What must be found before a gateway can be stood up.
pub(super) fn programs(gateway: Gateway) -> Vec<Program> {
    match gateway.data_plane() {
        DataPlane::Tidepool => Vec::new(),
        DataPlane::Traefik => vec![Program::Traefik],
        DataPlane::Istio => vec![Program::PilotDiscovery, Program::Envoy],
    }
}

/// The definitions that a gateway's objects need, in this order.
///
/// # Errors
/// When a committed file cannot be read.
pub(super) fn definitions(gateway: Gateway) -> Result<Vec<Value>, serde_yaml::Error> {
    let texts: &[&str] = match gateway {
        Gateway::Ingress | Gateway::TraefikIngress => &[],
        Gateway::HttpRoute | Gateway::TraefikHttpRoute => &[GATEWAY_API],
        Gateway::VirtualService | Gateway::Istio => &[ISTIO],
        // istiod reads its own kinds in any case.
        Gateway::IstioHttpRoute => &[GATEWAY_API, ISTIO],
    };
    let documents = texts.iter().flat_map(|text| serde_yaml::Deserializer::from_str(text));
    documents.map(Value::deserialize).collect()
}

/// What is created in the cluster before a gateway starts, in this order.
pub(super) fn objects(gateway: Gateway) -> Vec<Value> {
    let objects = match gateway.data_plane() {
        DataPlane::Tidepool => return Vec::new(),
        DataPlane::Traefik => traefik::objects(gateway),
        DataPlane::Istio => istio::objects(gateway),
    };
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": DOOR.0 } });
    [namespace].into_iter().chain(objects).collect()
}

/// What scenarios wait for beside what every cluster has.
pub(super) fn route_kinds(gateway: Gateway) -> Option<Resource> {
    match gateway.family() {
        Family::Ingress => None,
        Family::HttpRoute => Some(Resource::of(
            "gateway.networking.k8s.io",
            "v1",
            "httproutes",
            "HTTPRoute",
            true,
        )),
        Family::VirtualService => Some(Resource::of(
            "networking.istio.io",
            "v1",
            "virtualservices",
            "VirtualService",
            true,
        )),
    }
}

/// Where a proxy shows its metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) port: u16,
    pub(super) path: &'static str,
}

/// A proxy that runs. Dropping it ends its processes.
#[derive(Debug)]
pub(super) struct Proxy {
    // Fields are dropped in this order: who depends on another ends first.
    processes: Vec<Process>,
    service: HttpService,
    endpoint: Endpoint,
}

impl Proxy {
    /// Starts the gateway's proxy and waits until it forwards; `None` when tidepool's own gateway does.
    ///
    /// # Errors
    /// What did not start, with the end of its log.
    pub(super) async fn start(
        env: &Env,
        plane: &ControlPlane,
        tools: &Tools,
        gateway: Gateway,
    ) -> Result<Option<Self>, LocalError> {
        if let Some(program) = programs(gateway).last() {
            free(program.name(), LISTENS)?;
        }
        let (processes, endpoint) = match gateway.data_plane() {
            DataPlane::Tidepool => return Ok(None),
            DataPlane::Traefik => traefik::start(env, plane, tools, gateway).await?,
            DataPlane::Istio => istio::start(env, plane, tools).await?,
        };
        let service = over_the_wire(env, LISTENS).await?;
        Ok(Some(Self {
            processes,
            service,
            endpoint,
        }))
    }

    /// The proxy, as a browser reaches it.
    pub(super) fn service(&self) -> HttpService {
        self.service.clone()
    }

    /// Where its metrics are.
    pub(super) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Whether everything still runs.
    ///
    /// # Errors
    /// Which process ended, with the end of its log.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        self.processes.iter().try_for_each(Process::check)
    }
}

/// Looks whether a proxy will be able to listen: Envoy, which is told where by istiod, only logs that it cannot.
fn free(program: &'static str, (host, port): (&str, u16)) -> Result<(), LocalError> {
    match TcpListener::bind((host, port)) {
        Ok(_) => Ok(()),
        Err(source) => Err(LocalError::Taken {
            program,
            address: format!("{host}:{port}"),
            source,
        }),
    }
}

/// A service behind a socket.
async fn over_the_wire(env: &Env, (host, port): (&str, u16)) -> Result<HttpService, LocalError> {
    env.dial(&format!("{host}:{port}"))
        .await
        .map_err(|error| LocalError::Client(error.into()))
}

/// Waits until a program answers a plain question with success.
pub(super) async fn answers(
    env: &Env,
    what: &'static str,
    processes: &[&Process],
    port: u16,
    path: &'static str,
) -> Result<(), LocalError> {
    let service = over_the_wire(env, ("127.0.0.1", port)).await?;
    wait_for(env, what, processes, || {
        let service = service.clone();
        async move {
            let Ok(request) = http::Request::get(path).body(env::empty()) else {
                return false;
            };
            service
                .send(request)
                .await
                .is_ok_and(|response| response.status().is_success())
        }
    })
    .await
}

/// The one Gateway that all routes attach to: it takes those of every namespace.
fn door(class: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": { "namespace": DOOR.0, "name": DOOR.1 },
        "spec": {
            "gatewayClassName": class,
            "listeners": [{
                "name": "http", "port": LISTENS.1, "protocol": "HTTP",
                "allowedRoutes": { "namespaces": { "from": "All" } },
            }],
        },
    })
}

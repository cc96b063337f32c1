//! Traefik: one process per run, which reads Ingresses of the class nginx or Gateway API's routes, as the gateway asks.

use env::Env;
use serde_json::{Value, json};

use super::super::error::LocalError;
use super::super::process::{Process, free_ports};
use super::super::program::Program;
use super::super::{ControlPlane, Tools};
use super::{Endpoint, LISTENS, answers};
use crate::gateway::Gateway;

/// The class, and the Gateway that routes attach to.
pub(super) fn objects(gateway: Gateway) -> Vec<Value> {
    match gateway {
        Gateway::TraefikHttpRoute => vec![
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
                "metadata": { "name": "traefik" }, "spec": { "controllerName": "traefik.io/gateway-controller" },
            }),
            super::door("traefik"),
        ],
        // The class of the Ingresses stands in every cluster.
        _ => Vec::new(),
    }
}

/// Starts it and waits until it serves and has read the cluster.
pub(super) async fn start(
    env: &Env,
    plane: &ControlPlane,
    tools: &Tools,
    gateway: Gateway,
) -> Result<(Vec<Process>, Endpoint), LocalError> {
    let [management] = free_ports()?;
    let provider = match gateway {
        Gateway::TraefikHttpRoute => "kubernetesgateway",
        _ => "kubernetesingressnginx",
    };
    let access = plane.access();
    let mut arguments = vec![
        "--global.checknewversion=false".to_owned(),
        "--global.sendanonymoususage=false".to_owned(),
        format!("--entrypoints.web.address={}:{}", LISTENS.0, LISTENS.1),
        format!("--entrypoints.traefik.address=127.0.0.1:{management}"),
        "--ping=true".to_owned(),
        "--metrics.prometheus=true".to_owned(),
        "--log.nocolor=true".to_owned(),
        format!("--providers.{provider}=true"),
        format!("--providers.{provider}.endpoint={}", access.server),
        format!("--providers.{provider}.certauthfilepath={}", access.authority),
        format!("--providers.{provider}.token={}", access.token),
    ];
    if gateway != Gateway::TraefikHttpRoute {
        arguments.push(format!("--providers.{provider}.httpentrypoint=web"));
    }
    let traefik = Process::start("traefik", &tools.path(Program::Traefik), arguments, plane.folder())?;
    answers(env, "Traefik", &[&traefik], management, "/ping").await?;
    let endpoint = Endpoint {
        port: management,
        path: "/metrics",
    };
    Ok((vec![traefik], endpoint))
}

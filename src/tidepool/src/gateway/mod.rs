//! A gateway that speaks three dialects: from routes, Services and EndpointSlices to answered requests.
//!
//! Works through [`Cluster`](crate::Cluster), so that it fronts the embedded cluster and a real control plane alike. [`kinds`] says what is read,
//! [`ingress`], [`gateway_api`] and [`istio`] compile it, [`choose`] says exactly where a request may go and how probable each place is,
//! [`follow`] follows the cluster with a lag, [`report`] tells the status, [`serve`] forwards. It never retries, so that a request to a stopped
//! pod is lost.
//!
//! What a cluster must hold for each dialect to be served (definitions may come at any time; where they are not, nothing is done):
//! - **Ingress**: an Ingress of class `nginx`. Semantics measured on ingress-nginx 1.15.1; a canary without endpoints gets nothing.
//! - **Gateway API**: a GatewayClass whose `controllerName` is [`GATEWAY_CONTROLLER`], a Gateway of that class with a listener of protocol HTTP
//!   (`allowedRoutes.namespaces.from: All` for routes of other namespaces), HTTPRoutes and GRPCRoutes with `parentRefs` to it. A backend with a
//!   weight and without endpoints loses its part with 503. Status is written with the generation that is in force.
//! - **Istio**: a Gateway whose selector is `istio: ingressgateway` with a server of protocol HTTP, and VirtualServices that name it in
//!   `gateways`; subsets come from DestinationRules. No status is written.

mod backends;
mod choose;
mod config;
mod follow;
mod gateway_api;
mod ingress;
mod istio;
mod kinds;
mod report;
mod rules;
mod serve;
#[cfg(test)]
mod tests;

pub use backends::Endpoint;
pub use choose::{Asked, Outcome, Share, Target, choose};
pub use config::{Config, compile};
pub use follow::Lag;
pub use gateway_api::CONTROLLER as GATEWAY_CONTROLLER;
pub use kinds::{Kind, Objects};
pub use rules::{Edit, Edits};
pub use serve::{Gateway, PodName};

//! A gateway that speaks the ingress-nginx dialect: from Ingresses, Services and EndpointSlices to answered requests.
//!
//! Works through [`Cluster`](crate::Cluster), so that it fronts the embedded cluster and a real control plane alike. [`config`] compiles what
//! the cluster holds, [`choose`] says exactly where a request may go and how probable each place is, [`follow`] follows the cluster with a lag,
//! [`serve`] forwards. Its semantics are those measured on ingress-nginx 1.15.1; it never retries, so that a request to a stopped pod is lost.

mod choose;
mod config;
mod follow;
mod serve;
#[cfg(test)]
mod tests;

pub use choose::{Asked, Outcome, Share, choose};
pub use config::{Config, Endpoint, compile};
pub use follow::Lag;
pub use serve::{Gateway, PodName};

//! What the gateway knows at one moment: a table of hosts for each dialect, each replaced at its own pace.
//!
//! Pure.

use std::sync::Arc;

use super::gateway_api;
use super::ingress;
use super::istio;
use super::kinds::{Dialect, Objects};
use super::report::Report;
use super::rules::Hosts;

/// Everything the gateway routes by at one moment.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(super) ingress: Arc<ingress::Hosts>,
    pub(super) gateway_api: Arc<Hosts>,
    pub(super) istio: Arc<Hosts>,
}

/// The part of a configuration that one dialect makes.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Ingress(Arc<ingress::Hosts>),
    /// The routes, and what is told of them once they are in force.
    GatewayApi(Arc<Hosts>, Arc<[Report]>),
    Istio(Arc<Hosts>),
}

impl Part {
    pub(super) fn compile(dialect: Dialect, objects: &Objects) -> Self {
        match dialect {
            Dialect::Ingress => Self::Ingress(Arc::new(ingress::compile(objects))),
            Dialect::GatewayApi => {
                let (hosts, reports) = gateway_api::compile(objects);
                Self::GatewayApi(Arc::new(hosts), reports.into())
            }
            Dialect::Istio => Self::Istio(Arc::new(istio::compile(objects))),
        }
    }
}

impl Config {
    /// The same with one part replaced.
    pub(super) fn with(&self, part: &Part) -> Self {
        let mut config = self.clone();
        match part {
            Part::Ingress(hosts) => config.ingress = hosts.clone(),
            Part::GatewayApi(hosts, _) => config.gateway_api = hosts.clone(),
            Part::Istio(hosts) => config.istio = hosts.clone(),
        }
        config
    }
}

/// Compiles a configuration from objects of all kinds.
pub fn compile(objects: &Objects) -> Config {
    let parts = Dialect::ALL.map(|dialect| Part::compile(dialect, objects));
    parts.iter().fold(Config::default(), |config, part| config.with(part))
}

//! The gateways that scenarios can be played on: whose data plane, and in which family of routes. The words of `--gateway`; read by `run` and by
//! the beds, which know how to stand one up.

use std::time::Duration;

use clap::ValueEnum;
use suites::routes::Family;
use tidepool::gateway::Lag;

/// One gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Gateway {
    /// Ingresses of the class nginx, on tidepool's own gateway.
    Ingress,
    /// `HTTPRoutes` of Gateway API, on tidepool's own gateway.
    #[value(name = "httproute")]
    HttpRoute,
    /// `VirtualServices` of Istio, on tidepool's own gateway.
    #[value(name = "virtualservice")]
    VirtualService,
    /// Ingresses of the class nginx, on a real Traefik.
    TraefikIngress,
    /// `HTTPRoutes` of Gateway API, on a real Traefik.
    #[value(name = "traefik-gateway")]
    TraefikHttpRoute,
    /// `VirtualServices`, on a real istiod and Envoy.
    Istio,
    /// `HTTPRoutes` of Gateway API, on a real istiod and Envoy.
    #[value(name = "istio-gateway")]
    IstioHttpRoute,
}

/// What forwards the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataPlane {
    /// Tidepool's gateway, in this process.
    Tidepool,
    /// Traefik.
    Traefik,
    /// Envoy, told by istiod.
    Istio,
}

impl Gateway {
    /// The word for it, in `--gateway`, reports and expectations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::HttpRoute => "httproute",
            Self::VirtualService => "virtualservice",
            Self::TraefikIngress => "traefik-ingress",
            Self::TraefikHttpRoute => "traefik-gateway",
            Self::Istio => "istio",
            Self::IstioHttpRoute => "istio-gateway",
        }
    }

    /// The name under which reports know a scenario that is played on it.
    pub(crate) fn report_id(self, scenario: &str) -> String {
        match self {
            Self::Ingress => scenario.to_owned(),
            _ => format!("{scenario}@{}", self.name()),
        }
    }

    /// The scenario of such a name.
    pub(crate) fn scenario_of(self, report_id: &str) -> &str {
        report_id
            .strip_suffix(self.name())
            .and_then(|id| id.strip_suffix('@'))
            .unwrap_or(report_id)
    }

    /// The name under which `suites/expectations.yaml` knows it on a cluster.
    pub(crate) fn expected_as(self, cluster: &str) -> String {
        self.report_id(cluster)
    }

    /// What forwards its requests.
    pub(crate) const fn data_plane(self) -> DataPlane {
        match self {
            Self::Ingress | Self::HttpRoute | Self::VirtualService => DataPlane::Tidepool,
            Self::TraefikIngress | Self::TraefikHttpRoute => DataPlane::Traefik,
            Self::Istio | Self::IstioHttpRoute => DataPlane::Istio,
        }
    }

    /// In which family of objects its routes are said.
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Ingress | Self::TraefikIngress => Family::Ingress,
            Self::HttpRoute | Self::TraefikHttpRoute | Self::IstioHttpRoute => Family::HttpRoute,
            Self::VirtualService | Self::Istio => Family::VirtualService,
        }
    }

    /// How long it may take until it follows a change of its objects, where many scenarios share it on a busy machine.
    pub(crate) fn lag(self) -> Duration {
        match self.data_plane() {
            // Its readings are not kept apart there; the rest is what a busy machine adds.
            DataPlane::Tidepool => Lag::default().most + Duration::from_secs(4),
            // It gathers changes for two seconds before it takes the next ones in.
            DataPlane::Traefik => Duration::from_millis(2_500),
            // istiod gathers changes for a tenth of a second, or longer as long as more come in, up to ten seconds.
            DataPlane::Istio => Duration::from_secs(3),
        }
    }
}

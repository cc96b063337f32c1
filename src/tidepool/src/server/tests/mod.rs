//! The API server through a real client.

mod applies;
mod custom;
mod deletes;
mod lists;
mod patches;
mod person;
mod refusals;
mod services;
mod verbs;
mod watches;

use std::future::Future;

use env::sim::{self, SimEnv};
use env::{HttpService, Trace};
use http::Request;
use serde_json::Value;

use crate::{Embedded, Options};

/// Runs a test against a fresh cluster.
pub(super) fn with_cluster<F: Future<Output = ()>>(body: impl FnOnce(Embedded) -> F) {
    sim::run(7, Trace::off(), |SimEnv { env, network }| async move {
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        body(cluster).await;
    });
}

/// A kube client of the cluster, in the namespace `default`.
pub(super) fn client(cluster: &Embedded) -> kube::Client {
    kube::Client::new(cluster.api(), "default")
}

/// One raw request; the answer's code and body.
pub(super) async fn raw(
    api: &HttpService,
    method: &str,
    path: &str,
    content_type: &str,
    body: impl Into<bytes::Bytes>,
) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .body(env::full(body))
        .expect("request");
    let response = api.send(request).await.expect("answer");
    let code = response.status().as_u16();
    let bytes = env::read_all(response.into_body(), 1 << 24).await.expect("body");
    let value =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (code, value)
}

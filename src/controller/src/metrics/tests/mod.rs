//! What providers make of every answer there is: over sockets, with wiremock and with servers that break the protocol, and over services in this
//! process on virtual time.

mod answers;
mod asking;
mod bounds;
mod credentials;
mod jobs;
mod masking;
mod sockets;
mod time_limits;
mod tls;
mod web;

use std::sync::Arc;
use std::time::Duration;

use env::{Body, Env, HttpService, full, read_all};
use http::{Request, Response};
use parking_lot::Mutex;

use super::prometheus::Prometheus;
use super::{Class, Manner, Measured, Network, Provider, Reading, Secrets, Trouble};

/// The real environment, with the TLS provider that a process needs.
fn real() -> Env {
    // It is there already when another test of this process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Env::real()
}

/// A plain query to `address`.
fn prometheus(address: &str) -> Prometheus {
    Prometheus {
        address: address.to_owned(),
        query: "up".to_owned(),
        range: None,
        manner: Manner::within(Duration::from_secs(30)),
    }
}

/// Measures once, without secrets.
async fn measure(provider: &dyn Provider, env: &Env) -> Result<Reading, Trouble> {
    provider.measure(&Network::new(env.clone()), &Secrets::default()).await
}

/// The value of a measurement that has one.
fn measured(reading: Result<Reading, Trouble>) -> Measured {
    match reading.expect("it is measured") {
        Reading::Measured(measured) => measured,
        other => panic!("no value: {other:?}"),
    }
}

/// What a measurement came to, in a line.
fn told(reading: Result<Reading, Trouble>) -> Result<String, (Class, String)> {
    reading
        .map(|reading| match reading {
            Reading::Measured(measured) => {
                let warnings = measured.warnings.iter().map(|warning| format!(", {warning}"));
                std::iter::once(measured.value.to_string()).chain(warnings).collect()
            }
            other => format!("{other:?}"),
        })
        .map_err(|trouble| (trouble.class(), trouble.message().to_string()))
}

/// A vector with one number.
fn one(number: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[0,"{number}"]}}]}}}}"#
    )
}

/// Requests that a service got: method, path and query, and body.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, String, String)>>>);

impl Heard {
    /// A service that writes down what it hears, and answers with a status and a body for each method.
    fn service(&self, answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static) -> HttpService {
        let heard = self.clone();
        HttpService::new(move |request: Request<Body>| {
            let (heard, answer) = (heard.clone(), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                let method = head.method.to_string();
                let body = read_all(body, 1 << 20).await?;
                let text = String::from_utf8_lossy(&body).into_owned();
                heard.0.lock().push((method.clone(), head.uri.to_string(), text));
                let (status, body) = answer(&method);
                Ok(Response::builder().status(status).body(full(body))?)
            }
        })
    }

    fn take(&self) -> Vec<(String, String, String)> {
        std::mem::take(&mut *self.0.lock())
    }
}

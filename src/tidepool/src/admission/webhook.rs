//! Webhooks as addresses that JSON is posted to: the one effect of admission, and of the conversion of versions.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use env::Env;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::object;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 8 << 20;

/// Where a webhook is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// What the dialer is asked for.
    authority: String,
    /// The path of the request.
    path: String,
    /// The whole URL, for error texts.
    url: String,
    /// Whose certificates are trusted there, as PEM; the system's when empty.
    roots: Vec<u8>,
}

/// The address in a `clientConfig`: of a Service, or a URL.
pub(crate) fn address(config: &Value, timeout: Duration) -> Address {
    let query = format!("?timeout={}s", timeout.as_secs());
    // Text that is no base64 was refused when the configuration was written, or is taken for none.
    let roots = STANDARD
        .decode(config["caBundle"].as_str().unwrap_or_default())
        .unwrap_or_default();
    if let Some(url) = config["url"].as_str() {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let slash = rest.find('/').unwrap_or(rest.len());
        let path = if slash == rest.len() { "/" } else { &rest[slash..] };
        return Address {
            authority: url[..url.len() - rest.len() + slash].to_owned(),
            path: format!("{path}{query}"),
            url: format!("{url}{query}"),
            roots,
        };
    }
    let service = &config["service"];
    let path = service["path"].as_str().unwrap_or("/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    let authority = format!(
        "{}.{}.svc:{}",
        object::text(service, &["name"]),
        object::text(service, &["namespace"]),
        object::number(service, &["port"]).unwrap_or(443)
    );
    Address {
        path: format!("{slash}{path}{query}"),
        url: format!("https://{authority}{slash}{path}{query}"),
        authority,
        roots,
    }
}

/// Posts JSON to an address and reads JSON back, within `timeout`. An error says what happened, as Go's HTTP client would.
pub(crate) async fn post(env: &Env, address: &Address, timeout: Duration, body: &Value) -> Result<Value, String> {
    match env.clock().timeout(timeout, exchange(env, address, body)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("Post {:?}: context deadline exceeded", address.url)),
    }
}

async fn exchange(env: &Env, address: &Address, body: &Value) -> Result<Value, String> {
    let broken = |why: &dyn std::fmt::Display| format!("Post {:?}: {why}", address.url);
    let dialed = match address.roots.as_slice() {
        [] => env.dial(&address.authority).await,
        roots => env.dial_trusting(&address.authority, roots).await,
    };
    let service = dialed.map_err(|error| broken(&error))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(address.path.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(http::header::ACCEPT, "application/json, */*")
        .header(http::header::USER_AGENT, "kube-apiserver-admission")
        .body(env::full(body.to_string()))
        .map_err(|error| broken(&error))?;
    let response = service.send(request).await.map_err(|error| broken(&error))?;
    let code = response.status();
    let bytes = env::read_all(response.into_body(), LARGEST)
        .await
        .map_err(|error| broken(&error))?;
    if code == StatusCode::NOT_FOUND {
        return Err("the server could not find the requested resource".to_owned());
    }
    if code != StatusCode::OK {
        let text = String::from_utf8_lossy(&bytes);
        return Err(format!(
            "an error on the server ({:?}) has prevented the request from succeeding",
            text.trim()
        ));
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("couldn't get version/kind; json parse error: {error}"))
}

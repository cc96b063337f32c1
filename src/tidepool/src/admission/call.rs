//! One call of one webhook: dial, send, read, within its time. Also how conversion webhooks are called.

use env::Env;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use super::hook::{Address, Hook};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 8 << 20;

/// Sends a review and reads the answer; an error is the end of Kubernetes' sentence `failed calling webhook "x": …`.
pub(super) async fn call(env: &Env, hook: &Hook, review: &Value) -> Result<Value, String> {
    match env
        .clock()
        .timeout(hook.timeout, post(env, &hook.address, review))
        .await
    {
        Ok(answer) => answer.map_err(|why| format!("failed to call webhook: {why}")),
        Err(_) => Err(format!(
            "failed to call webhook: Post {:?}: context deadline exceeded",
            hook.address.url
        )),
    }
}

/// Posts JSON to an address and reads JSON back.
pub(super) async fn post(env: &Env, address: &Address, body: &Value) -> Result<Value, String> {
    let broken = |why: &dyn std::fmt::Display| format!("Post {:?}: {why}", address.url);
    let service = env.dial(&address.authority).await.map_err(|error| broken(&error))?;
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
    if code != StatusCode::OK {
        let text = String::from_utf8_lossy(&bytes);
        return Err(if code == StatusCode::NOT_FOUND {
            "the server could not find the requested resource".to_owned()
        } else {
            format!(
                "an error on the server ({:?}) has prevented the request from succeeding",
                text.trim()
            )
        });
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("couldn't get version/kind; json parse error: {error}"))
}

//! The layer in which a mutant lives: between one controller process and its API server, changing what goes out and what comes in.
//!
//! The product holds no mutant code. A mutant that writes something wrong also reads it back as if it were right, as a controller with that
//! defect would; else the controller would only see that its write was lost, and repeat it.

use std::sync::Arc;

use bytes::Bytes;
use env::{Body, BoxError, HttpService};
use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use serde_json::{Value, json};

use crate::embedded::Layer;

/// More than any body of these scenarios.
const LARGEST: usize = 4 << 20;

/// A request of the controller, as far as mutants change it.
pub(super) struct Sent {
    pub(super) method: Method,
    /// The resource in the plural.
    pub(super) resource: String,
    /// The content type.
    pub(super) form: String,
    pub(super) body: Value,
}

/// Whether the controller learns of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Seen,
    Hidden,
}

/// A defect.
pub(super) trait Mutant: Send + Sync + 'static {
    /// Changes what the controller sends.
    fn sends(&self, _: &mut Sent) {}

    /// Changes what it reads of an object of the resource.
    fn sees(&self, _resource: &str, _: &mut Value) -> Sight {
        Sight::Seen
    }
}

/// Puts `mutant` before every process from the number `first` on.
pub(super) fn from_process(first: usize, mutant: impl Mutant) -> Layer {
    let mutant = Arc::new(mutant);
    Arc::new(move |number, inner| {
        if number < first {
            return inner;
        }
        let mutant = mutant.clone();
        HttpService::new(move |request| {
            let (mutant, inner) = (mutant.clone(), inner.clone());
            async move { pass(mutant, inner, request).await }
        })
    })
}

async fn pass<M: Mutant>(
    mutant: Arc<M>,
    inner: HttpService,
    request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let bytes = env::read_all(body, LARGEST).await?;
    let resource = resource_of(parts.uri.path());
    let is_watch = parts.uri.query().is_some_and(|query| query.contains("watch="));
    let mut sent = Sent {
        method: parts.method.clone(),
        resource: resource.clone(),
        form: String::new(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    };
    let before = sent.body.clone();
    mutant.sends(&mut sent);
    let body = if sent.body == before { bytes } else { text(&sent.body) };
    if parts.method != sent.method {
        parts.method = sent.method;
        parts.headers.insert(header::CONTENT_TYPE, sent.form.parse()?);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let response = inner.send(Request::from_parts(parts, env::full(body))).await?;
    if !response.status().is_success() {
        return Ok(response);
    }
    if is_watch {
        return Ok(response.map(|body| lines(body, mutant, resource)));
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut answer: Value = serde_json::from_slice(&env::read_all(body, LARGEST).await?)?;
    let is_single_read = parts.status == StatusCode::OK && before.is_null();
    if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
        items.retain_mut(|item| mutant.sees(&resource, item) == Sight::Seen);
    } else if mutant.sees(&resource, &mut answer) == Sight::Hidden && is_single_read {
        parts.status = StatusCode::NOT_FOUND;
        answer = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"});
    }
    Ok(Response::from_parts(parts, env::full(text(&answer))))
}

/// The resource that a path of the API is about.
fn resource_of(path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let rest = if parts.first() == Some(&"api") { 2 } else { 3 };
    let resource = match parts.get(rest..).unwrap_or_default() {
        ["namespaces", _, resource, ..] | [resource, ..] => resource,
        [] => "",
    };
    resource.to_owned()
}

fn text(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// A watch, event by event. An object that is hidden from now on is one that is gone.
fn lines<M: Mutant>(body: Body, mutant: Arc<M>, resource: String) -> Body {
    let mut rest = Vec::new();
    let frames = BodyStream::new(body).map(move |frame| {
        let changed = |data: Bytes| {
            rest.extend_from_slice(&data);
            let mut out = String::new();
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let mut event: Value = serde_json::from_slice(&line).expect("an event of a watch is JSON");
                if mutant.sees(&resource, &mut event["object"]) == Sight::Hidden {
                    event["type"] = json!("DELETED");
                }
                out.push_str(&event.to_string());
                out.push('\n');
            }
            Bytes::from(out)
        };
        Ok::<_, BoxError>(frame?.map_data(changed))
    });
    StreamBody::new(frames.boxed()).boxed_unsync()
}

//! Reading a body: bounded, JSON or YAML, with Kubernetes' words when it cannot be read.

use env::Body;
use http_body_util::BodyExt;
use serde_json::Value;

use super::negotiate::SPOKEN;
use crate::server::PatchKind;
use crate::status::Status;

/// The largest body that is read, in bytes.
pub(super) const LARGEST: usize = 3 << 20;

/// Reads a whole body, but never more than [`LARGEST`] bytes.
pub(super) async fn read(mut body: Body) -> Result<Vec<u8>, Status> {
    if body_hint(&body) > LARGEST {
        return Err(Status::too_large(LARGEST));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Status::bad_request(format!("error reading the body: {error}")))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > LARGEST {
                return Err(Status::too_large(LARGEST));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn body_hint(body: &Body) -> usize {
    usize::try_from(http_body::Body::size_hint(body).lower()).unwrap_or(usize::MAX)
}

/// The value that a body holds; null when it is empty.
pub(super) fn value(bytes: &[u8], content_type: &str) -> Result<Value, Status> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    match media_type(content_type) {
        "" | "application/json" => json(bytes),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml(bytes),
        _ => Err(Status::unsupported_media_type(SPOKEN)),
    }
}

/// How a patch's body is read, and its value.
pub(super) fn patch(bytes: &[u8], content_type: &str) -> Result<(PatchKind, Value), Status> {
    let accepted = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";
    let kind = match media_type(content_type) {
        "application/json-patch+json" => PatchKind::Json,
        "application/merge-patch+json" => PatchKind::Merge,
        "application/strategic-merge-patch+json" => PatchKind::Strategic,
        "application/apply-patch+yaml" => PatchKind::Apply,
        _ => return Err(Status::unsupported_media_type(accepted)),
    };
    let value = if kind == PatchKind::Apply {
        yaml(bytes).map_err(|status| Status::bad_request(format!("error decoding YAML: {}", status.message)))?
    } else {
        serde_json::from_slice(bytes).map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?
    };
    Ok((kind, value))
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn json(bytes: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(bytes)
        .map_err(|error| Status::bad_request(format!("couldn't get version/kind; json parse error: {error}")))
}

fn yaml(bytes: &[u8]) -> Result<Value, Status> {
    let refuse = |why: String| Status::bad_request(format!("error converting YAML to JSON: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
    crate::http::yaml::read(text).map_err(refuse)
}

//! Reading a body: bounded, JSON or YAML, with Kubernetes' words when it cannot be read.

use env::Body;
use http_body_util::BodyExt;
use serde_json::Value;

use super::{json, protobuf};
use crate::server::PatchKind;
use crate::status::Status;

/// The encodings of bodies that are read, as error texts list them.
const READ: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

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

/// The value that a body holds, which should be an object of `kind`; null when it is empty.
pub(super) fn value(bytes: &[u8], content_type: &str, kind: &str) -> Result<Value, Status> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    match media_type(content_type) {
        "" | "application/json" => read_json(bytes, kind),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml(bytes),
        "application/vnd.kubernetes.protobuf" => protobuf::read(bytes).map_err(|why| unreadable(kind, bytes, &why)),
        _ => Err(Status::unsupported_media_type(READ)),
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

/// A body that should hold an object of a kind, and cannot be read.
fn unreadable(kind: &str, bytes: &[u8], why: &str) -> Status {
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
        json::summary(bytes)
    ))
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn read_json(bytes: &[u8], kind: &str) -> Result<Value, Status> {
    serde_json::from_slice(bytes).map_err(|error| {
        let why = json::words(bytes, &error);
        unreadable(
            kind,
            bytes,
            &format!("couldn't get version/kind; json parse error: {why}"),
        )
    })
}

fn yaml(bytes: &[u8]) -> Result<Value, Status> {
    let refuse = |why: String| Status::bad_request(format!("error converting YAML to JSON: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
    crate::http::yaml::read(text).map_err(refuse)
}

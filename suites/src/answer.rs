//! Which pod answered: read from whatever an echo server says.
//!
//! Pure. Knows the shapes that common echo images use (a header, a JSON field, a `Hostname:` line), so that a stranger's cluster can be judged.

use http::HeaderMap;
use serde_json::Value;

/// Fields of a JSON answer that name the pod, first match wins.
const FIELDS: [&str; 8] = [
    "/pod/name",
    "/pod",
    "/podName",
    "/pod_name",
    "/hostname",
    "/environment/POD_NAME",
    "/environment/HOSTNAME",
    "/host/hostname",
];

/// Headers that name the pod.
const HEADERS: [&str; 3] = ["x-pod-name", "x-pod", "x-hostname"];

/// The name of the pod that wrote this answer.
pub(crate) fn pod_of(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    for name in HEADERS {
        if let Some(pod) = headers.get(name).and_then(|value| value.to_str().ok()) {
            return Some(pod.to_owned());
        }
    }
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return FIELDS
            .iter()
            .filter_map(|field| value.pointer(field))
            .find_map(Value::as_str)
            .map(|pod| pod.rsplit('/').next().unwrap_or(pod).to_owned());
    }
    let text = std::str::from_utf8(body).ok()?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("Hostname:")
                .or_else(|| line.strip_prefix("hostname:"))
        })
        .map(|pod| pod.trim().to_owned())
}

#[cfg(test)]
mod tests;

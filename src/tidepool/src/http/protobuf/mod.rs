//! Bodies in Kubernetes' protobuf, which kubectl writes the objects of its typed commands in: `create`, `expose`, `drain`, `auth can-i`.
//!
//! Only read, never written: every client that sends it takes JSON too. A body is the prefix `k8s\0` and a `runtime.Unknown` that says what is
//! within. Custom types have no such form.

mod numbers;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::{Value, json};

use crate::schema::described;

/// What every body begins with.
const PREFIX: &[u8] = b"k8s\0";
/// A kind that belongs to every group.
const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

/// Reads one object.
///
/// # Errors
/// A sentence that says what cannot be read.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let envelope = bytes
        .strip_prefix(PREFIX)
        .ok_or_else(|| format!("provided data does not appear to be a protobuf message, expected prefix {PREFIX:?}"))?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for entry in wire::fields(envelope) {
        match entry? {
            (1, wire) => {
                for entry in wire::fields(wire.bytes()?) {
                    match entry? {
                        (1, wire) => api_version = wire.text()?,
                        (2, wire) => kind = wire.text()?,
                        _ => {}
                    }
                }
            }
            (2, wire) => raw = wire.bytes()?,
            _ => {}
        }
    }
    let name = if kind == "DeleteOptions" {
        DELETE_OPTIONS.to_owned()
    } else {
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        described::name_of(group, version, &kind)
            .ok_or_else(|| format!("no kind {kind:?} is registered for version {api_version:?}"))?
    };
    let mut object = numbers::read(&name, raw)?;
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".to_owned(), json!(api_version));
        fields.insert("kind".to_owned(), json!(kind));
    }
    Ok(object)
}

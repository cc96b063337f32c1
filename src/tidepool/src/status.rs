//! The `Status` that every refused request is answered with, worded as a Kubernetes client expects it.
//!
//! Values only; the HTTP layer turns one into a response, [`Cluster`](crate::Cluster) hands it to controllers as it is.

use serde_json::{Value, json};

use crate::resource::StorageName;

/// Why a request was refused: `meta/v1` Status with `status: Failure`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, as `NotFound`.
    pub reason: &'static str,
    /// Text for people.
    pub message: String,
    /// `details`: name, group, kind (here the plural), uid, causes, retryAfterSeconds.
    pub details: Value,
}

impl Status {
    /// A status whose details name one object.
    pub fn about(code: u16, reason: &'static str, message: String, resource: &StorageName, name: &str) -> Self {
        let mut details = json!({ "name": name, "kind": resource.plural });
        if !resource.group.is_empty() {
            details["group"] = json!(resource.group);
        }
        Self {
            code,
            reason,
            message,
            details,
        }
    }

    /// 404: there is no such object.
    pub fn not_found(resource: &StorageName, name: &str) -> Self {
        Self::about(
            404,
            "NotFound",
            format!("{resource} \"{name}\" not found"),
            resource,
            name,
        )
    }

    /// 409: an object of that name exists.
    pub fn already_exists(resource: &StorageName, name: &str) -> Self {
        Self::about(
            409,
            "AlreadyExists",
            format!("{resource} \"{name}\" already exists"),
            resource,
            name,
        )
    }

    /// 409: the object is not what the writer looked at; `why` ends the sentence.
    pub fn conflict(resource: &StorageName, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        Self::about(409, "Conflict", message, resource, name)
    }

    /// 409 with the text of a stale resourceVersion.
    pub fn stale(resource: &StorageName, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 400: the request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            reason: "BadRequest",
            message: message.into(),
            details: json!({}),
        }
    }

    /// The object as it goes over the wire.
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if self.details.as_object().is_some_and(|details| !details.is_empty()) {
            status["details"] = self.details.clone();
        }
        status
    }
}

//! More ways to refuse a request, worded as kube-apiserver words them.

use serde_json::{Value, json};

use super::types::TypeInfo;
use crate::resource::StorageName;
use crate::schema::FieldError;
use crate::status::Status;

/// One reason for which an object is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldValueRequired`, `FieldValueForbidden`, …
    pub reason: &'static str,
    /// The field's path.
    pub field: String,
    /// What is wrong, without the path: `Invalid value: "x": must be …`.
    pub message: String,
}

impl Cause {
    /// A value that may not be.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        let separator = if why.is_empty() { "" } else { ": " };
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message: format!("Invalid value: {}{separator}{why}", shown(value)),
        }
    }

    /// A value that is missing.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let separator = if why.is_empty() { "" } else { ": " };
        Self {
            reason: "FieldValueRequired",
            field: field.into(),
            message: format!("Required value{separator}{why}"),
        }
    }

    /// A change that may not be made.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field: field.into(),
            message: format!("Forbidden: {why}"),
        }
    }
}

impl From<FieldError> for Cause {
    fn from(error: FieldError) -> Self {
        Self {
            reason: error.reason,
            field: error.field,
            message: error.message,
        }
    }
}

/// A value as Go's field errors print it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

impl Status {
    fn plain(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: json!({}),
        }
    }

    /// 422: the object breaks rules of its kind.
    pub fn invalid(kind: &TypeInfo, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_kind(&kind.resource.group, &kind.resource.kind, name, causes)
    }

    /// 422 about a kind that is not a type of the cluster, as `ListOptions`.
    pub fn invalid_kind(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let texts: Vec<String> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let why = match &texts[..] {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut details = json!({ "name": name, "kind": kind });
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        details["causes"] = causes
            .iter()
            .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
            .collect();
        Self {
            code: 422,
            reason: "Invalid",
            message: format!("{qualified} \"{name}\" is invalid: {why}"),
            details,
        }
    }

    /// 403: the request may not be done.
    pub fn forbidden(resource: &StorageName, name: &str, why: &str) -> Self {
        let message = format!("{resource} \"{name}\" is forbidden: {why}");
        Self::about(403, "Forbidden", message, resource, name)
    }

    /// 401: nobody knows who asks.
    pub fn unauthorized() -> Self {
        Self::plain(401, "Unauthorized", "Unauthorized")
    }

    /// 404 for a path behind which there is nothing.
    pub fn no_such_path() -> Self {
        Self::plain(404, "NotFound", "the server could not find the requested resource")
    }

    /// 405: the path knows the verb not.
    pub fn method_not_allowed() -> Self {
        Self::plain(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
    }

    /// 501: something that a real cluster can do, and this one cannot.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self::plain(501, "NotImplemented", message)
    }

    /// 410: a revision is not kept any more.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::plain(410, "Expired", message)
    }

    /// 413: the body is too large.
    pub fn too_large(limit: usize) -> Self {
        Self::plain(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {limit}"),
        )
    }

    /// 406: no encoding that the client takes.
    pub fn not_acceptable(accepted: &str) -> Self {
        Self::plain(
            406,
            "NotAcceptable",
            format!("only the following media types are accepted: {accepted}"),
        )
    }

    /// 415: an encoding of the body that is not understood.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        Self::plain(
            415,
            "UnsupportedMediaType",
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}"),
        )
    }

    /// 500: something behind the API server failed.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        let mut status = Self::plain(500, "InternalError", format!("Internal error occurred: {why}"));
        status.details = json!({ "causes": [{ "message": why.to_string() }] });
        status
    }

    /// 500 without a reason, as Kubernetes answers errors that it did not foresee.
    pub fn unforeseen(message: impl Into<String>) -> Self {
        Self::plain(500, "", message)
    }

    /// 504: the revision that was asked for has not been written yet.
    pub fn too_large_revision(asked: u64, current: u64) -> Self {
        let mut status = Self::plain(
            504,
            "Timeout",
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        );
        status.details = json!({
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        });
        status
    }

    /// 422 without causes: a patch that could not be applied to the object.
    pub fn unprocessable(message: &str) -> Self {
        let mut status = Self::plain(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        );
        status.details = json!({ "causes": [{ "message": message }] });
        status
    }

    /// The same refusal with a `details.causes` entry.
    #[must_use]
    pub fn with_cause(mut self, reason: &str, message: &str, field: &str) -> Self {
        let cause = json!({ "reason": reason, "message": message, "field": field });
        match self.details.get_mut("causes").and_then(Value::as_array_mut) {
            Some(causes) => causes.push(cause),
            None => self.details["causes"] = json!([cause]),
        }
        self
    }
}

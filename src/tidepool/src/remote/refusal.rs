//! What a kube client's errors mean to a controller: the same `Status` that the embedded cluster answers with.

use serde_json::{Value, json};

use crate::status::Status;

/// The reasons that an API server gives.
const REASONS: [&str; 17] = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "RequestEntityTooLarge",
    "ServerTimeout",
    "ServiceUnavailable",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
];

/// A refusal as it was sent; anything else as 503, since no answer came.
pub(super) fn status(error: kube::Error) -> Status {
    match error {
        kube::Error::Api(refused) => Status {
            code: refused.code,
            reason: REASONS
                .iter()
                .find(|reason| **reason == refused.reason)
                .unwrap_or(&"Unknown"),
            details: serde_json::to_value(&refused.details)
                .ok()
                .filter(Value::is_object)
                .unwrap_or_else(|| json!({})),
            message: refused.message,
        },
        other => Status {
            code: 503,
            reason: "ServiceUnavailable",
            message: format!("ask the API server: {other}"),
            details: json!({}),
        },
    }
}

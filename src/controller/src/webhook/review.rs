//! AdmissionReview v1 in and out, as JSON.
//!
//! Only the envelope is known here; objects stay as they came. Used by the two admission handlers.

use serde_json::{Value, json};

use super::failure;

/// What a review lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("expected apiVersion {expected}, got {got}")]
    Version { expected: &'static str, got: String },
    #[error("it has no {field}")]
    Missing { field: &'static str },
}

/// What is being done to the object under review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    /// Anything that our webhooks are not registered for.
    Other,
}

/// The request of an admission review.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) uid: String,
    pub(crate) operation: Operation,
    pub(crate) namespace: String,
    pub(crate) sub_resource: String,
    /// Null for a delete.
    pub(crate) object: Value,
    /// Null for a create.
    pub(crate) old: Value,
}

/// The field of a review's envelope that must be there.
pub(crate) fn part(review: &mut Value, field: &'static str) -> Result<Value, Malformed> {
    match review.get_mut(field).map(Value::take) {
        Some(Value::Null) | None => Err(Malformed::Missing { field }),
        Some(part) => Ok(part),
    }
}

/// Refuses a review of another version than `expected`.
pub(crate) fn expect_version(review: &Value, expected: &'static str) -> Result<(), Malformed> {
    match review.get("apiVersion").and_then(Value::as_str) {
        Some(version) if version == expected => Ok(()),
        got => Err(Malformed::Version {
            expected,
            got: got.unwrap_or("none").to_owned(),
        }),
    }
}

impl Admission {
    /// The request in `review`, which is an `admission.k8s.io/v1` AdmissionReview.
    pub(crate) fn parse(mut review: Value) -> Result<Self, Malformed> {
        expect_version(&review, "admission.k8s.io/v1")?;
        let mut request = part(&mut review, "request")?;
        let text = |field: &str| {
            request
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let uid = text("uid");
        if uid.is_empty() {
            return Err(Malformed::Missing { field: "request.uid" });
        }
        Ok(Self {
            uid,
            operation: match text("operation").as_str() {
                "CREATE" => Operation::Create,
                "UPDATE" => Operation::Update,
                _ => Operation::Other,
            },
            namespace: text("namespace"),
            sub_resource: text("subResource"),
            object: request.get_mut("object").map(Value::take).unwrap_or_default(),
            old: request.get_mut("oldObject").map(Value::take).unwrap_or_default(),
        })
    }
}

/// What an admission handler says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The object may be stored as it is.
    Allow,
    /// The object may be stored after these JSON Patch operations.
    Change(Value),
    /// The object must not be stored; `code` is the HTTP status that the user's request gets.
    Deny {
        code: u16,
        reason: &'static str,
        message: String,
    },
}

impl Verdict {
    /// The review that answers `request`.
    pub(crate) fn answer(&self, request: &Admission) -> Value {
        use base64::Engine;
        let mut response = json!({ "uid": request.uid, "allowed": !matches!(self, Self::Deny { .. }) });
        match self {
            Self::Allow => {}
            Self::Change(patch) => {
                response["patchType"] = json!("JSONPatch");
                response["patch"] = json!(base64::engine::general_purpose::STANDARD.encode(patch.to_string()));
            }
            Self::Deny { code, reason, message } => response["status"] = failure(*code, reason, message),
        }
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response })
    }

    /// The word that it is counted under.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Allow => "allowed",
            Self::Change(_) => "changed",
            Self::Deny { .. } => "denied",
        }
    }
}

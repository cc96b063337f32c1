//! The AdmissionReview that a webhook is sent, and what its answer says. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::hook::Hook;
use super::{Attributes, Operation};
use crate::object;
use crate::server::TypeInfo;
use crate::status::Status;

/// The review of one write in the version of `kind`.
pub(super) fn request(
    hook: &Hook,
    attributes: &Attributes<'_>,
    kind: &TypeInfo,
    uid: &str,
    old: &Value,
    new: &Value,
) -> Value {
    let request = attributes.request;
    let (shown, asked) = (&kind.resource, &attributes.kind.resource);
    let options = match attributes.operation {
        Operation::Create => json!({ "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1" }),
        Operation::Update => json!({ "kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1" }),
        Operation::Delete => json!({ "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1" }),
    };
    let mut review = json!({
        "uid": uid,
        "kind": { "group": shown.group, "version": shown.version, "kind": shown.kind },
        "resource": { "group": shown.group, "version": shown.version, "resource": shown.plural },
        "requestKind": { "group": asked.group, "version": asked.version, "kind": asked.kind },
        "requestResource": { "group": asked.group, "version": asked.version, "resource": asked.plural },
        "name": attributes.name,
        "operation": attributes.operation.name(),
        "userInfo": { "username": request.user.name, "groups": request.user.groups },
        "object": new,
        "oldObject": old,
        "dryRun": request.options.dry_run,
        "options": options,
    });
    if !request.namespace.is_empty() {
        review["namespace"] = json!(request.namespace);
    }
    if !request.subresource.is_empty() {
        review["subResource"] = json!(request.subresource);
        review["requestSubResource"] = json!(request.subresource);
    }
    if !request.options.field_manager.is_empty() && attributes.operation != Operation::Delete {
        review["options"]["fieldManager"] = json!(request.options.field_manager);
    }
    json!({
        "kind": "AdmissionReview",
        "apiVersion": format!("admission.k8s.io/{}", hook.review_version),
        "request": review,
    })
}

/// What a webhook said.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) warnings: Vec<String>,
    /// The `status` of a refusal.
    pub(super) denial: Option<Value>,
    pub(super) patch: Option<json_patch::Patch>,
}

/// Reads an answer; an error is the end of the sentence `failed calling webhook "x": …`.
pub(super) fn read(answer: &Value, uid: &str) -> Result<Verdict, String> {
    let invalid = |why: String| format!("received invalid webhook response: {why}");
    let response = &answer["response"];
    if !response.is_object() {
        return Err("webhook response is missing a response".to_owned());
    }
    let given = object::text(response, &["uid"]);
    if given != uid {
        return Err(invalid(format!("expected response.uid={uid:?}, got {given:?}")));
    }
    let warnings = object::items(response, &["warnings"]);
    let warnings = warnings.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if response["allowed"] != true {
        return Ok(Verdict {
            warnings,
            denial: Some(response["status"].clone()),
            patch: None,
        });
    }
    let patch = match response["patch"].as_str() {
        None | Some("") => None,
        Some(_) if response["patchType"] != "JSONPatch" => {
            return Err(invalid("expected response.patchType=\"JSONPatch\"".to_owned()));
        }
        Some(text) => {
            let bytes = BASE64.decode(text).map_err(|error| invalid(error.to_string()))?;
            Some(serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?)
        }
    };
    Ok(Verdict {
        warnings,
        denial: None,
        patch,
    })
}

/// The reasons that a webhook's refusal may carry.
const REASONS: [&str; 14] = [
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "Invalid",
    "Timeout",
    "TooManyRequests",
    "BadRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "ServiceUnavailable",
    "InternalError",
];

/// The status of a refusal, as Kubernetes words it.
pub(super) fn denied(webhook: &str, status: &Value) -> Status {
    let given = object::text(status, &["reason"]);
    let reason = REASONS.into_iter().find(|reason| *reason == given).unwrap_or_default();
    let by = format!("admission webhook {webhook:?} denied the request");
    let message = match (object::text(status, &["message"]), given) {
        ("", "") => format!("{by} without explanation"),
        ("", reason) => format!("{by}: {reason}"),
        (message, _) => format!("{by}: {message}"),
    };
    let code = object::number(status, &["code"]).and_then(|code| u16::try_from(code).ok());
    Status {
        code: code.filter(|code| *code >= 400).unwrap_or(400),
        reason,
        message,
        details: match &status["details"] {
            Value::Null => json!({}),
            details => details.clone(),
        },
    }
}

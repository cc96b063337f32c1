//! Patch: the ways to describe a change, applied to the stored object in the request's version. Strategic merge and server-side apply are refused.

use serde_json::Value;

use super::request::{Answered, PatchKind, Request};
use super::{Server, Target, meta};
use crate::status::Status;

/// How many operations a JSON patch may have.
const MOST_OPERATIONS: usize = 10_000;

/// The patches that custom resources take.
const CUSTOM_PATCHES: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

impl Server {
    pub(super) async fn patch(&self, request: &Request, target: &Target, how: PatchKind) -> Result<Answered, Status> {
        if request.name.is_empty() {
            return Err(Status::method_not_allowed());
        }
        let kind = &target.kind;
        if how == PatchKind::Strategic && kind.custom {
            return Err(Status::unsupported_media_type(CUSTOM_PATCHES));
        }
        let operations = match how {
            PatchKind::Json => Some(operations(&request.body)?),
            PatchKind::Merge => None,
            // Both need list keys from the type's schema; answering with a plain merge would lose what a client meant to keep.
            PatchKind::Strategic | PatchKind::Apply => {
                return Err(Status {
                    code: 415,
                    reason: "UnsupportedMediaType",
                    message: "this server merges by JSON Patch and JSON Merge Patch only; send one of those".to_owned(),
                    details: serde_json::json!({}),
                });
            }
        };
        let change = |old: &Value, warnings: &mut Vec<String>| {
            let mut new = old.clone();
            match &operations {
                Some(operations) => {
                    json_patch::patch(&mut new, operations)
                        .map_err(|error| Status::unprocessable(&error.to_string()))?;
                }
                None => json_patch::merge(&mut new, &request.body),
            }
            meta::accept(request, kind, &mut new)?;
            self.shape(request, kind, &mut new, warnings)?;
            Ok(new)
        };
        self.replace(request, target, true, &change).await
    }
}

fn operations(body: &Value) -> Result<json_patch::Patch, Status> {
    let length = body.as_array().map_or(0, Vec::len);
    if length > MOST_OPERATIONS {
        let mut status = Status::too_large(MOST_OPERATIONS);
        status.message = format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {length}"
        );
        return Err(status);
    }
    serde_json::from_value(body.clone()).map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))
}

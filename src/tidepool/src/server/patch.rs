//! Patch: the ways to describe a change, applied to the stored object in the request's version.

use serde_json::Value;

use super::request::{Answered, PatchKind, Request};
use super::{Server, Target, meta};
use crate::apply::record;
use crate::patch::PatchError;
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
        if how == PatchKind::Apply {
            return self.apply(request, target).await;
        }
        let operations = match how {
            PatchKind::Json => Some(operations(&request.body)?),
            _ => None,
        };
        if how != PatchKind::Json && !request.body.is_object() {
            return Err(Status::bad_request("Invalid JSON Patch"));
        }
        let names_owners = operations.is_some() && request.body.to_string().contains(record::FIELD);
        let change = |old: &Value, warnings: &mut Vec<String>| {
            let mut new = old.clone();
            match &operations {
                Some(operations) => {
                    if names_owners {
                        record::unpack(&mut new);
                    }
                    json_patch::patch(&mut new, operations)
                        .map_err(|error| Status::unprocessable(&error.to_string()))?;
                }
                None if how == PatchKind::Strategic => kind
                    .schema
                    .strategic_merge(&mut new, &request.body)
                    .map_err(|error| refused(&error))?,
                None => json_patch::merge(&mut new, &request.body),
            }
            meta::accept(request, kind, &mut new)?;
            self.shape_patched(request, kind, &mut new, warnings)?;
            Ok(new)
        };
        self.replace(request, target, true, &change).await
    }
}

fn refused(error: &PatchError) -> Status {
    if error.is_malformed() {
        Status::bad_request(error.to_string())
    } else {
        Status::unforeseen(error.to_string())
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

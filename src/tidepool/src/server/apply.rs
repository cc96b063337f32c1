//! Server-side apply and the record of who owns which field, wired to the verbs: whose name a write goes under, what it can reach, and what a
//! configuration makes of an object that is there or is not.

use serde_json::{Value, json};

use super::request::{Answered, PatchKind, Request, Verb};
use super::types::TypeInfo;
use super::{Server, Target, meta};
use crate::apply::{self, ApplyError, Writer, record};
use crate::object;
use crate::status::Status;

/// How often an object that comes and goes meanwhile is tried again.
const ATTEMPTS: usize = 5;
/// Who wrote when a client does not even send the name of its program.
const NAMELESS: &str = "unknown";
/// Subresources whose writes are not recorded: what they write belongs to nobody.
const UNRECORDED: [&str; 1] = ["binding"];

impl Server {
    /// Applies a configuration: to the object that is there, or by creating it.
    pub(super) async fn apply(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let (kind, place) = (&target.kind, &target.place);
        check(kind, &request.body)?;
        let made = |live: Option<&Value>, warnings: &mut Vec<String>| {
            let mut new = self.applied(request, kind, live)?;
            check_name(&new, &request.name)?;
            meta::accept(request, kind, &mut new)?;
            self.shape(request, kind, &mut new, warnings)?;
            Ok(new)
        };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let answer = if self.store().get(place).is_some() {
                let change = |old: &Value, warnings: &mut Vec<String>| made(Some(old), warnings);
                self.replace(request, target, true, &change).await
            } else if request.subresource.is_empty() {
                let mut warnings = Vec::new();
                let body = made(None, &mut warnings)?;
                self.create_shaped(request, target, body, warnings).await
            } else {
                Err(Status::not_found(&place.storage, &place.name))
            };
            match answer {
                // Somebody else made or removed it in between.
                Err(status) if attempt < ATTEMPTS && is_race(&status, request) => {}
                answer => return answer,
            }
        }
    }

    fn applied(&self, request: &Request, kind: &TypeInfo, live: Option<&Value>) -> Result<Value, Status> {
        let now = object::seconds(self.env().now());
        let (name, version) = (request.options.field_manager.as_str(), kind.resource.api_version());
        let writer = Writer {
            name,
            api_version: &version,
            subresource: &request.subresource,
            now: &now,
            beyond: self.beyond(request, kind),
        };
        apply::apply(&kind.schema, &writer, live, &request.body, request.options.force).map_err(refusal)
    }

    /// Records who owns which field of the new value. What is applied has its record already.
    pub(super) fn own(&self, request: &Request, kind: &TypeInfo, old: Option<&Value>, new: &mut Value) {
        let is_applied = request.verb == Verb::Patch(PatchKind::Apply) && request.subresource != "scale";
        if is_applied || UNRECORDED.contains(&request.subresource.as_str()) {
            return;
        }
        let now = object::seconds(self.env().now());
        let (given, version) = (request.options.field_manager.as_str(), kind.resource.api_version());
        let writer = Writer {
            name: if given.is_empty() { NAMELESS } else { given },
            api_version: &version,
            subresource: &request.subresource,
            now: &now,
            beyond: self.beyond(request, kind),
        };
        apply::update(&kind.schema, &writer, old, new);
    }

    /// What cannot be written through the request's path.
    fn beyond(&self, request: &Request, kind: &TypeInfo) -> &'static [&'static [&'static str]] {
        match request.subresource.as_str() {
            "" if kind.status => &[&["status"]],
            "status" if self.strategy(kind).status_metadata => &[&["spec"]],
            "status" => &[&["metadata"], &["spec"]],
            _ => &[],
        }
    }
}

/// Refuses an object of another name than the path's.
fn check_name(object: &Value, wanted: &str) -> Result<(), Status> {
    let given = object::name(object);
    if given.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        )));
    }
    if given != wanted {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({wanted})"
        )));
    }
    Ok(())
}

fn is_race(status: &Status, request: &Request) -> bool {
    status.reason == "AlreadyExists" || (status.reason == "NotFound" && request.subresource.is_empty())
}

fn check(kind: &TypeInfo, config: &Value) -> Result<(), Status> {
    if !config.is_object() {
        return Err(Status::bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {}",
        ));
    }
    let (api_version, given) = (object::text(config, &["apiVersion"]), object::text(config, &["kind"]));
    if api_version != kind.resource.api_version() || given != kind.resource.kind {
        let version = if api_version.contains('/') {
            api_version.to_owned()
        } else {
            format!("/{api_version}")
        };
        return Err(Status::bad_request(format!(
            "invalid object type: {version}, Kind={given}"
        )));
    }
    if !record::of(config).is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

fn refusal(error: ApplyError) -> Status {
    let message = error.to_string();
    match error {
        ApplyError::Conflict(conflicts) => {
            let causes: Vec<Value> = conflicts
                .iter()
                .map(|conflict| {
                    json!({
                        "reason": "FieldManagerConflict", "message": format!("conflict with {}", conflict.owner),
                        "field": conflict.field,
                    })
                })
                .collect();
            Status {
                code: 409,
                reason: "Conflict",
                message,
                details: json!({ "causes": causes }),
            }
        }
        ApplyError::Type(_) | ApplyError::Owners(_) => Status::unforeseen(message),
    }
}

/// Whether nothing differs but the times at which owners wrote.
pub(super) fn only_times_differ(old: &Value, new: &Value) -> bool {
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        return false;
    };
    // What was written differs somewhere else, nearly always.
    let same_outside = before.len() == after.len()
        && before
            .iter()
            .all(|(field, value)| field == "metadata" || after.get(field) == Some(value));
    if !same_outside || record::of(old) == record::of(new) {
        return false;
    }
    let mut same = new.clone();
    record::put(record::of(old).clone(), &mut same);
    same == *old && timeless(old) == timeless(new)
}

fn timeless(value: &Value) -> Vec<Value> {
    let mut owners = record::list(record::of(value)).as_array().cloned().unwrap_or_default();
    for owner in owners.iter_mut().filter_map(Value::as_object_mut) {
        owner.remove("time");
    }
    owners
}

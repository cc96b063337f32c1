//! Bringing a body into its kind's shape: what Go's decoder would take of it, defaults filled in, unknown fields dropped, reported or refused.

use serde_json::Value;

use super::Server;
use super::refusal::Cause;
use super::request::{FieldValidation, Request};
use super::types::TypeInfo;
use crate::status::Status;

impl Server {
    /// Shapes a body, or the object that a patch made.
    pub(super) fn shape(
        &self,
        request: &Request,
        kind: &TypeInfo,
        body: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let schema = &kind.schema;
        if !kind.custom {
            without_nulls(body);
        }
        if let Some(error) = schema.decode_error(body) {
            let resource = &kind.resource;
            return Err(Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {error}",
                resource.kind, resource.version, resource.kind
            )));
        }
        if request.options.field_validation != FieldValidation::Ignore {
            let unknown = schema.unknown_fields(body);
            let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
            if request.options.field_validation == FieldValidation::Warn {
                warnings.extend(texts);
            } else if !texts.is_empty() {
                let resource = &kind.resource;
                return Err(Status::bad_request(format!(
                    "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                    resource.kind,
                    resource.version,
                    resource.kind,
                    texts.join(", ")
                )));
            }
        }
        self.complete(kind, body);
        Ok(())
    }

    /// Drops unknown fields and fills in defaults.
    pub(super) fn complete(&self, kind: &TypeInfo, body: &mut Value) {
        kind.schema.prune(body);
        kind.schema.complete(body);
    }

    /// What breaks the schema.
    pub(super) fn misfits(&self, kind: &TypeInfo, value: &Value) -> Vec<Cause> {
        kind.schema.validate(value).into_iter().map(Cause::from).collect()
    }
}

/// Built-in types have no nulls: Go reads one as a field that is not there.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

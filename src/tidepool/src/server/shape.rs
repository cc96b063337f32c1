//! Bringing a body into its kind's shape: what Go's decoder would take of it, defaults filled in, unknown fields dropped, reported or refused.

use serde_json::Value;

use super::Server;
use super::refusal::Cause;
use super::request::{FieldValidation, PatchKind, Request, Verb};
use super::types::TypeInfo;
use crate::apply::record;
use crate::patch::go;
use crate::status::Status;

/// The Go types that a map's values are read into without JSON text between, which says less when it fails.
const SCALARS: [&str; 5] = ["int32", "int64", "string", "bool", "float64"];

/// Why a body cannot be taken, before it is said in the words of the request.
enum Misfit {
    /// A value of another type than its field has.
    Type(String),
    /// Fields that nobody knows.
    Unknown(Vec<String>),
}

impl Misfit {
    fn words(&self) -> String {
        match self {
            Self::Type(error) => error.clone(),
            Self::Unknown(fields) => format!("strict decoding error: {}", fields.join(", ")),
        }
    }
}

impl Server {
    /// Shapes a body.
    pub(super) fn shape(
        &self,
        request: &Request,
        kind: &TypeInfo,
        body: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        self.fit(request, kind, body, warnings).map_err(|misfit| {
            let resource = &kind.resource;
            Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {}",
                resource.kind,
                resource.version,
                resource.kind,
                misfit.words()
            ))
        })
    }

    /// Shapes what a patch made of an object; a refusal quotes the patch.
    pub(super) fn shape_patched(
        &self,
        request: &Request,
        kind: &TypeInfo,
        body: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let quoted = |body: &Value| match (&request.verb, &request.body) {
            // One is read from text, the other from a map.
            (Verb::Patch(PatchKind::Strategic), patch) => go::print(patch),
            _ => body.to_string(),
        };
        self.fit(request, kind, body, warnings).map_err(|misfit| {
            let mut words = misfit.words();
            if request.verb == Verb::Patch(PatchKind::Strategic)
                && let Misfit::Type(error) = &misfit
                && let Some((_, scalar)) = error.rsplit_once(" of type ")
                && SCALARS.contains(&scalar)
            {
                words = format!("unrecognized type: {scalar}");
            }
            let cause = Cause::invalid("patch", &quoted(body).into(), &words);
            Status::invalid_kind("", "", "", &[cause])
        })
    }

    fn fit(
        &self,
        request: &Request,
        kind: &TypeInfo,
        body: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Misfit> {
        let schema = &kind.schema;
        // The record of owners has its own checks, where it is read.
        let owners = record::take(body);
        if !kind.custom {
            without_nulls(body);
        }
        if let Some(error) = schema.decode_error(body) {
            return Err(Misfit::Type(error));
        }
        if request.options.field_validation != FieldValidation::Ignore {
            let unknown = schema.unknown_fields(body);
            let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
            if request.options.field_validation == FieldValidation::Warn {
                warnings.extend(texts);
            } else if !texts.is_empty() {
                return Err(Misfit::Unknown(texts));
            }
        }
        self.complete(kind, body);
        record::put(owners, body);
        Ok(())
    }

    /// Drops unknown fields and fills in defaults.
    pub(super) fn complete(&self, kind: &TypeInfo, body: &mut Value) {
        kind.schema.prune(body);
        kind.schema.complete(body);
    }

    /// What breaks the schema.
    pub(super) fn misfits(&self, kind: &TypeInfo, value: &Value) -> Vec<Cause> {
        let errors = kind.schema.validate(value).into_iter();
        // The record of owners is packed here, and the server's own.
        let owners = format!("metadata.{}", record::FIELD);
        errors.filter(|error| error.field != owners).map(Cause::from).collect()
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

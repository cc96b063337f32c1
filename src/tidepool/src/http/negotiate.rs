//! Which encoding and which form of an object a client takes. Pure.

use std::collections::BTreeMap;

use serde_json::json;

use crate::server::refusal::Cause;
use crate::status::Status;
use crate::table::Include;

/// The encodings that are spoken, as error texts list them.
pub(super) const SPOKEN: &str = "application/json, application/yaml";

/// The text of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Json,
    Yaml,
}

impl Text {
    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        }
    }
}

/// The form of the objects in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Whole,
    /// `meta.k8s.io/v1` Table, whose rows carry so much of their objects.
    Table(Include),
    /// `meta.k8s.io/v1` PartialObjectMetadata, or a list of them.
    Partial,
    /// `apidiscovery.k8s.io/v2` APIGroupDiscoveryList.
    Discovery,
}

/// The first entry of an `Accept` header that can be served. The order is the client's; quality values are taken as ordered already, as all
/// Kubernetes clients send them.
pub(super) fn accept(header: &str) -> Result<(Text, Form), Status> {
    if header.trim().is_empty() {
        return Ok((Text::Json, Form::Whole));
    }
    for entry in header.split(',') {
        let mut parts = entry.split(';').map(str::trim);
        let text = match parts.next().unwrap_or_default() {
            "application/json" | "*/*" | "application/*" => Text::Json,
            "application/yaml" => Text::Yaml,
            _ => continue,
        };
        let (mut kind, mut group, mut version) = ("", "", "");
        for parameter in parts {
            match parameter.split_once('=') {
                Some(("as", value)) => kind = value,
                Some(("g", value)) => group = value,
                Some(("v", value)) => version = value,
                _ => {}
            }
        }
        let form = match (group, kind) {
            (_, "") => Form::Whole,
            ("meta.k8s.io", "Table") if version == "v1" => Form::Table(Include::default()),
            ("meta.k8s.io", "PartialObjectMetadata" | "PartialObjectMetadataList") => Form::Partial,
            ("apidiscovery.k8s.io", "APIGroupDiscoveryList") if version == "v2" => Form::Discovery,
            _ => continue,
        };
        return Ok((text, form));
    }
    Err(Status::not_acceptable(SPOKEN))
}

impl Form {
    /// The form with what the query says of it: `includeObject` of a table.
    pub(super) fn asked(self, query: &BTreeMap<String, String>) -> Result<Self, Status> {
        if !matches!(self, Self::Table(_)) {
            return Ok(self);
        }
        let include = match query.get("includeObject").map(String::as_str) {
            None | Some("" | "Metadata") => Include::Metadata,
            Some("None") => Include::None,
            Some("Object") => Include::Object,
            Some(other) => {
                let why = "must be 'Metadata', 'Object', 'None', or empty";
                let cause = Cause::invalid("includeObject", &json!(other), why);
                return Err(Status::invalid_kind("meta.k8s.io", "TableOptions", "", &[cause]));
            }
        };
        Ok(Self::Table(include))
    }
}

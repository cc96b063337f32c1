//! The grammar of paths and queries. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::server::log::LogOptions;
use crate::server::request::{FieldValidation, Options};
use crate::status::Status;

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// A collection, an object or a subresource.
    Resource(ResourcePath),
    /// Anything else, as its segments.
    Other(Vec<String>),
}

/// A path below `/api/v1` or `/apis/group/version`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) plural: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    /// The old form `/api/v1/watch/…`.
    pub(crate) watch: bool,
}

pub(super) fn parse(path: &str) -> Path {
    let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (group, version, rest) = match &parts[..] {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Path::Other(segments),
    };
    let (watch, rest) = match rest {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (false, rest),
    };
    let (namespace, rest) = match rest {
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, "", ""),
        [plural, name] => (*plural, *name, ""),
        [plural, name, subresource] => (*plural, *name, *subresource),
        _ => return Path::Other(segments),
    };
    Path::Resource(ResourcePath {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        plural: plural.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
        watch,
    })
}

/// The pairs of a query; a later value of one key takes the place of an earlier one.
pub(super) fn query(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Percent-decoding; what is no escape stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let escape = (bytes[place] == b'%')
            .then(|| text.get(place + 1..place + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape {
            Some(byte) => {
                out.push(byte);
                place += 3;
            }
            None => {
                out.push(bytes[place]);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a flag of a query is set.
pub(super) fn is_set(query: &BTreeMap<String, String>, key: &str) -> bool {
    query
        .get(key)
        .is_some_and(|value| !["false", "0"].contains(&value.as_str()))
}

/// The options that a query gives.
pub(super) fn options(query: &BTreeMap<String, String>) -> Result<Options, Status> {
    let text = |key: &str| query.get(key).cloned().unwrap_or_default();
    let number = |key: &str| -> Result<Option<u64>, Status> {
        match query.get(key).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(value) => value
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("strconv.ParseUint: parsing {value:?}: invalid syntax"))),
        }
    };
    let mut options = Options {
        resource_version: text("resourceVersion"),
        resource_version_match: text("resourceVersionMatch"),
        limit: number("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(0),
        continue_from: text("continue"),
        label_selector: text("labelSelector"),
        field_selector: text("fieldSelector"),
        timeout: number("timeoutSeconds")?
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        bookmarks: is_set(query, "allowWatchBookmarks"),
        send_initial_events: query
            .contains_key("sendInitialEvents")
            .then(|| is_set(query, "sendInitialEvents")),
        dry_run: dry_run(query.get("dryRun").map(String::as_str))?,
        field_manager: text("fieldManager"),
        field_validation: match text("fieldValidation").as_str() {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                return Err(Status::bad_request(format!(
                    "fieldValidation: Unsupported value: {other:?}: supported values: \"Ignore\", \"Strict\", \"Warn\""
                )));
            }
        },
        force: is_set(query, "force"),
        ..Options::default()
    };
    options.log = LogOptions {
        container: text("container"),
        tail: number("tailLines")?.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX)),
        since: number("sinceSeconds")?.map(Duration::from_secs),
        bytes: number("limitBytes")?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        timestamps: is_set(query, "timestamps"),
        previous: is_set(query, "previous"),
        follow: is_set(query, "follow"),
    };
    options.delete.propagation = query.get("propagationPolicy").cloned();
    options.delete.grace = query.get("gracePeriodSeconds").and_then(|seconds| seconds.parse().ok());
    Ok(options)
}

fn dry_run(value: Option<&str>) -> Result<bool, Status> {
    match value {
        None | Some("") => Ok(false),
        Some("All") => Ok(true),
        Some(other) => Err(Status::bad_request(format!(
            "dryRun: Unsupported value: {other:?}: supported values: \"All\""
        ))),
    }
}

/// Adds what the `DeleteOptions` in a body say.
pub(super) fn delete_options(body: &Value, options: &mut Options) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let delete = &mut options.delete;
    if let Some(propagation) = text(&body["propagationPolicy"]) {
        delete.propagation = Some(propagation);
    }
    if body["orphanDependents"] == true {
        delete.propagation = Some("Orphan".to_owned());
    }
    if let Some(grace) = body["gracePeriodSeconds"].as_i64() {
        delete.grace = Some(grace);
    }
    delete.uid = text(&body["preconditions"]["uid"]);
    delete.resource_version = text(&body["preconditions"]["resourceVersion"]);
    options.dry_run |= body["dryRun"][0] == "All";
}

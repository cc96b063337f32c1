//! Arguments: the values that a Rollout gives ([`given`]), together with those that templates declare ([`merge`]), and what becomes of
//! `{{args.name}}` in a metric ([`fill`]). Values from Secrets are only named; they come in when something is measured.

use std::collections::BTreeMap;

use api::v1alpha1::{Argument, ArgumentSource, Metric, PodTemplateHashValue};
use serde_json::Value;

use crate::references::{Part, parts};

/// Why an argument or a reference has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Nobody gives it a value.
    #[error("args.{name} was not resolved; give it a value where the template is used")]
    Unresolved {
        /// The argument.
        name: String,
    },
    /// Its value has references itself.
    #[error(
        "args.{name} was not resolved: its value refers to {{{{args.{inner}}}}}, and values are not filled in; write the value out"
    )]
    Nested {
        /// The argument.
        name: String,
        /// What it refers to.
        inner: String,
    },
    /// A reference to an argument that there is not.
    #[error("failed to resolve {written}; add the argument to the template's spec.args")]
    Unknown {
        /// The reference as it is written.
        written: String,
    },
    /// A field that the Rollout does not have, or that is no simple value.
    #[error("args.{name}: the Rollout's field {path} {problem}; correct valueFrom.fieldRef.fieldPath")]
    Field {
        /// The argument.
        name: String,
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The two versions' revisions are not known yet.
    #[error("args.{name}: the {version} revision is not known; it is once the workload has one")]
    NoRevision {
        /// The argument.
        name: String,
        /// Which.
        version: PodTemplateHashValue,
    },
    /// The metric is none any more.
    #[error("metric '{metric}' cannot be read once its arguments are filled in: {why}; correct the argument's value")]
    Unreadable {
        /// The metric.
        metric: String,
        /// Why.
        why: String,
    },
}

/// What a Rollout's arguments may ask it for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The whole Rollout, as the API server shows it.
    pub rollout: &'a Value,
    /// Revision label of the stable version's pods.
    pub stable: Option<&'a str>,
    /// Revision label of the new version's pods.
    pub latest: Option<&'a str>,
}

/// The arguments that a Rollout gives: values, and Secrets by name.
///
/// # Errors
/// The first argument that cannot be given.
pub fn given(args: &[Argument], asked: Asked<'_>) -> Result<Vec<Argument>, ArgumentError> {
    let mut given = Vec::with_capacity(args.len());
    for argument in args {
        let name = argument.name.clone();
        let source = argument.value_from.as_ref();
        let value = match source {
            Some(ArgumentSource {
                field_ref: Some(field), ..
            }) => Some(
                field_of(asked.rollout, &field.field_path).map_err(|problem| ArgumentError::Field {
                    name: name.clone(),
                    path: field.field_path.clone(),
                    problem,
                })?,
            ),
            Some(ArgumentSource {
                pod_template_hash_value: Some(version),
                ..
            }) => {
                let revision = match version {
                    PodTemplateHashValue::Stable => asked.stable,
                    PodTemplateHashValue::Latest => asked.latest,
                };
                let revision = revision.filter(|revision| !revision.is_empty());
                Some(revision.map(str::to_owned).ok_or_else(|| ArgumentError::NoRevision {
                    name: name.clone(),
                    version: *version,
                })?)
            }
            _ => argument.value.clone(),
        };
        let secret = source.and_then(|source| source.secret_key_ref.clone());
        given.push(Argument {
            name,
            value_from: value
                .is_none()
                .then_some(secret)
                .flatten()
                .map(|secret| ArgumentSource {
                    secret_key_ref: Some(secret),
                    ..ArgumentSource::default()
                }),
            value,
            ..Argument::default()
        });
    }
    Ok(given)
}

/// The declared arguments with the values that were given. What was given and not declared is left out, as in Argo Rollouts.
///
/// # Errors
/// The first declared argument without any value.
pub fn merge(declared: &[Argument], given: &[Argument]) -> Result<Vec<Argument>, ArgumentError> {
    declared
        .iter()
        .map(|argument| {
            let of_caller = given
                .iter()
                .find(|given| given.name == argument.name && has_value(given));
            let chosen = of_caller.unwrap_or(argument);
            has_value(chosen)
                .then(|| chosen.clone())
                .ok_or_else(|| ArgumentError::Unresolved {
                    name: argument.name.clone(),
                })
        })
        .collect()
}

fn has_value(argument: &Argument) -> bool {
    let secret = argument
        .value_from
        .as_ref()
        .and_then(|source| source.secret_key_ref.as_ref());
    argument.value.is_some() || secret.is_some()
}

/// The metric with values in the place of its references. Names in `open` are left as they are written.
///
/// # Errors
/// A reference without a value, or a metric that is none with these values.
pub fn fill(metric: &Metric, values: &BTreeMap<String, String>, open: &[&str]) -> Result<Metric, ArgumentError> {
    let unreadable = |error: &serde_json::Error| ArgumentError::Unreadable {
        metric: metric.name.clone(),
        why: error.to_string(),
    };
    let mut written = serde_json::to_value(metric).map_err(|error| unreadable(&error))?;
    fill_part(&mut written, values, open)?;
    serde_json::from_value(written).map_err(|error| unreadable(&error))
}

fn fill_part(part: &mut Value, values: &BTreeMap<String, String>, open: &[&str]) -> Result<(), ArgumentError> {
    match part {
        Value::String(text) => *text = fill_text(text, values, open)?,
        Value::Array(items) => {
            for item in items {
                fill_part(item, values, open)?;
            }
        }
        Value::Object(fields) => {
            let mut filled = serde_json::Map::new();
            for (name, mut field) in std::mem::take(fields) {
                fill_part(&mut field, values, open)?;
                filled.insert(fill_text(&name, values, open)?, field);
            }
            *fields = filled;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn fill_text(text: &str, values: &BTreeMap<String, String>, open: &[&str]) -> Result<String, ArgumentError> {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) | Part::Unclosed(text) => filled.push_str(text),
            Part::Reference { name, written } => match values.get(name) {
                Some(value) => filled.push_str(value),
                None if open.contains(&name) => filled.push_str(written),
                None => {
                    return Err(ArgumentError::Unknown {
                        written: written.to_owned(),
                    });
                }
            },
        }
    }
    Ok(filled)
}

/// The first reference to an argument in a text, if there is one.
pub(super) fn first_reference(text: &str) -> Option<&str> {
    parts(text).into_iter().find_map(|part| match part {
        Part::Reference { name, .. } => Some(name),
        Part::Text(_) | Part::Unclosed(_) => None,
    })
}

/// A simple value by its path: `metadata.labels['app.kubernetes.io/name']`, `spec.workloadRef.name`, `status.conditions[0].type`.
fn field_of(object: &Value, path: &str) -> Result<String, &'static str> {
    let mut found = object;
    let mut rest = path.trim_start_matches("$.").trim_start_matches('.');
    if rest.is_empty() {
        return Err("is empty");
    }
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = inside.split_once(']').ok_or("has a bracket that is never closed")?;
            let quoted = key
                .strip_prefix(['\'', '"'])
                .and_then(|key| key.strip_suffix(['\'', '"']));
            found = match (quoted, key.parse::<usize>()) {
                (Some(name), _) => found.get(name),
                (None, Ok(index)) => found.get(index),
                (None, Err(_)) => return Err("has a bracket around what is neither a number nor a name in quotes"),
            }
            .ok_or("is not there")?;
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            found = found.get(name).ok_or("is not there")?;
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    match found {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(answer) => Ok(answer.to_string()),
        Value::Null => Err("is not there"),
        Value::Array(_) | Value::Object(_) => Err("is no simple value"),
    }
}

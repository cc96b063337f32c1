//! Between v1alpha1 and v1beta1, for Rollout and BatchRelease, on whole objects as JSON: what the conversion webhook does. Metadata passes
//! verbatim, except for labels' sisters: annotations that carry what the other version cannot hold. v1alpha1 → v1beta1 → v1alpha1 gives back what
//! was written, and so does the other way round, as long as nobody edits the part in question; an edit wins over what was kept.

mod batch_release;
mod lens;
mod places;
mod rollout;
mod status;
mod steps;
mod style;

use serde_json::Value;

pub(crate) use steps::routing_to_beta as routing;

use crate::names::{GROUP, V1ALPHA1, V1BETA1};
use crate::{v1alpha1, v1beta1};

/// Why an object could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// Not one of ours.
    #[error(
        "cannot convert {kind} of {from} to {to}: only Rollout and BatchRelease of {GROUP}/{V1ALPHA1} and {GROUP}/{V1BETA1} have two versions"
    )]
    Unknown {
        /// The object's kind.
        kind: String,
        /// The object's apiVersion.
        from: String,
        /// The wanted apiVersion.
        to: String,
    },
    /// A field holds what the schema does not allow.
    #[error("cannot convert {kind} \"{name}\" to {to}: {reason}; correct the field in the stored object")]
    Unreadable {
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// The wanted apiVersion.
        to: String,
        /// What could not be read.
        reason: String,
    },
}

/// Converts one object to `to` (`rollouts.kruise.io/v1beta1`). An object that has that version already is returned as it is.
///
/// # Errors
/// When the kind or the version is not ours, or a field holds what the schema does not allow.
pub fn convert(object: &Value, to: &str) -> Result<Value, ConvertError> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, from) = (text("kind"), text("apiVersion"));
    if from == to && !kind.is_empty() {
        return Ok(object.clone());
    }
    let converted = match (kind.as_str(), from.as_str(), to) {
        ("Rollout", v1alpha1::Rollout::API_VERSION, v1beta1::Rollout::API_VERSION) => {
            read(object).map(|rollout| write(object, &rollout::to_beta(&rollout)))
        }
        ("Rollout", v1beta1::Rollout::API_VERSION, v1alpha1::Rollout::API_VERSION) => {
            read(object).map(|rollout| write(object, &rollout::to_alpha(&rollout)))
        }
        ("BatchRelease", v1alpha1::BatchRelease::API_VERSION, v1beta1::BatchRelease::API_VERSION) => {
            read(object).map(|release| write(object, &batch_release::to_beta(&release)))
        }
        ("BatchRelease", v1beta1::BatchRelease::API_VERSION, v1alpha1::BatchRelease::API_VERSION) => {
            read(object).map(|release| write(object, &batch_release::to_alpha(&release)))
        }
        _ => {
            return Err(ConvertError::Unknown {
                kind,
                from,
                to: to.to_owned(),
            });
        }
    };
    converted.map_err(|error| ConvertError::Unreadable {
        kind,
        name: object
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        to: to.to_owned(),
        reason: error.to_string(),
    })
}

/// A v1alpha1 Rollout as v1beta1.
pub fn rollout_to_beta(rollout: &v1alpha1::Rollout) -> v1beta1::Rollout {
    rollout::to_beta(rollout)
}

/// A v1beta1 Rollout as v1alpha1.
pub fn rollout_to_alpha(rollout: &v1beta1::Rollout) -> v1alpha1::Rollout {
    rollout::to_alpha(rollout)
}

/// A v1alpha1 BatchRelease as v1beta1.
pub fn batch_release_to_beta(release: &v1alpha1::BatchRelease) -> v1beta1::BatchRelease {
    batch_release::to_beta(release)
}

/// A v1beta1 BatchRelease as v1alpha1.
pub fn batch_release_to_alpha(release: &v1beta1::BatchRelease) -> v1alpha1::BatchRelease {
    batch_release::to_alpha(release)
}

fn read<T: serde::de::DeserializeOwned>(object: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(object)
}

/// The converted object with the original's metadata, byte for byte, but for its annotations. An original without spec stays without.
fn write(original: &Value, converted: &impl serde::Serialize) -> Value {
    let mut object = serde_json::to_value(converted).unwrap_or(Value::Null);
    let annotations = object
        .pointer("/metadata/annotations")
        .filter(|all| **all != serde_json::json!({}))
        .cloned();
    if let Some(fields) = object.as_object_mut() {
        if original.get("spec").is_none() {
            fields.remove("spec");
        }
        match original.get("metadata") {
            Some(metadata) => fields.insert("metadata".to_owned(), metadata.clone()),
            None => fields.remove("metadata"),
        };
        if let Some(annotations) = annotations {
            let metadata = fields.entry("metadata").or_insert_with(|| serde_json::json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("annotations".to_owned(), annotations);
            }
        } else if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut)
            && metadata
                .get("annotations")
                .is_some_and(|all| *all != serde_json::json!({}))
        {
            metadata.remove("annotations");
        }
    }
    object
}

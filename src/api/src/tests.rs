//! Tests of the words: schemas as reviewed, manifests of the article, conversions there and back, validation rule by rule.

mod analysis;
mod article;
mod conversion;
mod crds;
mod go_duration;
mod plan;
mod validation;

use serde_json::Value;

use crate::v1beta1;

/// The walkthrough's Rollout as v1beta1.
fn demo() -> v1beta1::Rollout {
    let yaml: Value = serde_yaml::from_str(include_str!("../../../fixtures/article/rollout.yaml")).unwrap();
    let converted = crate::convert::convert(&yaml, v1beta1::Rollout::API_VERSION).unwrap();
    serde_json::from_value(converted).unwrap()
}

//! Opaque fingerprints: of a plan (has the person edited the steps?), of a release plan, and of a pod template (which revision is this?). All are
//! taken from canonical JSON, keys sorted, so that two processes and two encodings of one object agree.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::names::{SAFE_ALPHABET, label};
use crate::v1beta1::{ReleasePlan, RolloutStrategy};

/// Letters in a revision. 27^10 is about 2^47: enough that two templates of one workload never meet.
const REVISION_LETTERS: usize = 10;

/// The value of the annotation `rollouts.kruise.io/hash`: changes with everything in the strategy except pauses, analyses, the failure
/// threshold and `paused`. Nothing when there is no strategy.
pub fn plan_hash(strategy: &RolloutStrategy) -> Option<String> {
    let mut plan = match (&strategy.canary, &strategy.blue_green) {
        (Some(canary), _) => value_of(canary),
        (None, Some(blue_green)) => value_of(blue_green),
        (None, None) => return None,
    };
    if let Some(fields) = plan.as_object_mut() {
        for field in [
            "failureThreshold",
            "analysis",
            "prePromotionAnalysis",
            "postPromotionAnalysis",
        ] {
            fields.remove(field);
        }
    }
    if let Some(steps) = plan.get_mut("steps").and_then(Value::as_array_mut) {
        for step in steps.iter_mut().filter_map(Value::as_object_mut) {
            step.remove("pause");
            step.remove("analysis");
        }
    }
    Some(letters(hex(&plan).as_bytes()))
}

/// The value of a BatchRelease's `status.observedReleasePlanHash`: changes with everything in the plan.
pub fn release_plan_hash(plan: &ReleasePlan) -> String {
    letters(hex(&value_of(plan)).as_bytes())
}

/// The revision of a pod template, from its JSON: the label that a workload controller adds, null fields and an empty `metadata` do not count.
pub fn template_revision(template: &Value) -> String {
    let digest = Sha256::digest(canonical_template(template).to_string());
    letters(&digest[..REVISION_LETTERS])
}

/// Whether two pod templates are the same revision. Exact, where [`template_revision`] is merely very likely right.
pub fn same_template(left: &Value, right: &Value) -> bool {
    canonical_template(left) == canonical_template(right)
}

/// The template without what a revision does not depend on.
fn canonical_template(template: &Value) -> Value {
    let mut template = template.clone();
    drop_nulls(&mut template);
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("creationTimestamp");
        if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
            labels.remove(label::POD_TEMPLATE_HASH);
        }
        metadata.retain(|_, field| *field != json!({}));
        if metadata.is_empty()
            && let Some(fields) = template.as_object_mut()
        {
            fields.remove("metadata");
        }
    }
    template
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The JSON of a type of ours, which always has one.
fn value_of(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

fn hex(value: &Value) -> String {
    Sha256::digest(value.to_string())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn letters(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| char::from(SAFE_ALPHABET[usize::from(*byte) % SAFE_ALPHABET.len()]))
        .collect()
}

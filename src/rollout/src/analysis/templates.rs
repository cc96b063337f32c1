//! The templates that a Rollout names, and those that these take in: what *observe* has to bring. Reads raw objects, and names nothing where
//! something is malformed.

use std::collections::BTreeSet;

use kube::core::DynamicObject;
use serde_json::Value;

use crate::{Kind, Object};

/// As many templates are followed, whatever they take in.
const MOST: usize = 200;

/// The places of a strategy that may name templates.
const BLOCKS: [&str; 3] = ["analysis", "prePromotionAnalysis", "postPromotionAnalysis"];

/// Every block of a Rollout (stored form, `v1beta1`) that names templates.
fn blocks(rollout: &DynamicObject) -> Vec<&Value> {
    let strategies = ["/spec/strategy/canary", "/spec/strategy/blueGreen"];
    let mut found = Vec::new();
    for strategy in strategies.iter().filter_map(|pointer| rollout.data.pointer(pointer)) {
        found.extend(BLOCKS.iter().filter_map(|block| strategy.get(block)));
        let steps = strategy.get("steps").and_then(Value::as_array);
        found.extend(steps.into_iter().flatten().filter_map(|step| step.get("analysis")));
    }
    found
}

/// Whether a Rollout measures anything.
pub fn has_analysis(rollout: &DynamicObject) -> bool {
    !blocks(rollout).is_empty()
}

fn named(block: &Value) -> Vec<(Kind, String)> {
    let templates = block.get("templates").and_then(Value::as_array);
    let name = |reference: &Value| {
        let kind = match reference.get("clusterScope").and_then(Value::as_bool) {
            Some(true) => Kind::ClusterAnalysisTemplate,
            _ => Kind::AnalysisTemplate,
        };
        Some((kind, reference.get("templateName")?.as_str()?.to_owned()))
    };
    templates.into_iter().flatten().filter_map(name).collect()
}

/// The templates that concern these Rollouts, as far as `get` finds them; each once.
pub fn templates(rollouts: &[Object], get: impl Fn(Kind, &str) -> Option<Object>) -> Vec<(Kind, Object)> {
    let mut left: Vec<(Kind, String)> = rollouts
        .iter()
        .flat_map(|rollout| blocks(rollout).into_iter().flat_map(named))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some((kind, name)) = left.pop() {
        if seen.len() >= MOST || !seen.insert((kind, name.clone())) {
            continue;
        }
        if let Some(template) = get(kind, &name) {
            left.extend(template.data.get("spec").map(named).unwrap_or_default());
            found.push((kind, template));
        }
    }
    found
}

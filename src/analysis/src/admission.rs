//! What is wrong with a template, asked before it is stored: the rules of [`api::validate`], and those that need this crate — references to arguments,
//! rules that pick metrics, conditions. Used by the validating webhook and by the command line.

pub mod blocks;
#[cfg(test)]
mod tests;

use api::field_error::FieldError;
use api::v1alpha1::{AnalysisTemplateSpec, Metric};
use api::validate;
use serde_json::Value;

use crate::references::{BadReference, check_references};
use crate::rules::{self, BadRule};

/// Everything that is wrong with a template. `condition` says whether a condition can be read; one with references in it is only asked about once
/// they are filled in, when a run is made.
pub fn template(spec: &AnalysisTemplateSpec, condition: impl Fn(&str) -> Result<(), String>) -> Vec<FieldError> {
    let mut errors = validate::analysis_template(spec);
    let nested = spec.templates.as_ref().is_some_and(|templates| !templates.is_empty());
    let declared: Vec<&str> = spec
        .args
        .iter()
        .flatten()
        .map(|argument| argument.name.as_str())
        .collect();
    for (index, metric) in spec.metrics.iter().flatten().enumerate() {
        let path = format!("spec.metrics[{index}]");
        let written = serde_json::to_value(metric).unwrap_or_default();
        references(&path, &written, &declared, nested, &mut errors);
        conditions(&path, metric, &condition, &mut errors);
    }
    picking(spec, nested, &mut errors);
    errors
}

/// Looks through every text of a metric. Arguments of templates that are taken in are not known here, so that only braces are looked at then.
fn references(path: &str, part: &Value, declared: &[&str], nested: bool, errors: &mut Vec<FieldError>) {
    let mut look = |path: &str, text: &str| {
        let bad = check_references(text, declared)
            .into_iter()
            .filter(|bad| !nested || matches!(bad, BadReference::Unclosed { .. }));
        errors.extend(bad.map(|bad| FieldError::invalid(path, text, bad.to_string())));
    };
    match part {
        Value::String(text) => look(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                references(&format!("{path}[{index}]"), item, declared, nested, errors);
            }
        }
        Value::Object(fields) => {
            for name in fields.keys() {
                look(path, name);
            }
            for (name, field) in fields {
                references(&format!("{path}.{name}"), field, declared, nested, errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn conditions(
    path: &str,
    metric: &Metric,
    condition: &impl Fn(&str) -> Result<(), String>,
    errors: &mut Vec<FieldError>,
) {
    for (field, text) in [
        ("successCondition", metric.success_condition.as_deref()),
        ("failureCondition", metric.failure_condition.as_deref()),
    ] {
        if let Some(text) = text.filter(|text| !text.is_empty() && !text.contains("{{"))
            && let Err(why) = condition(text)
        {
            errors.push(FieldError::invalid(format!("{path}.{field}"), text, why));
        }
    }
}

/// Rules that pick metrics. Where templates are taken in, a rule may be about one of theirs.
fn picking(spec: &AnalysisTemplateSpec, nested: bool, errors: &mut Vec<FieldError>) {
    let metrics: Vec<&str> = spec
        .metrics
        .iter()
        .flatten()
        .map(|metric| metric.name.as_str())
        .collect();
    let dry_run = spec.dry_run.as_deref().unwrap_or_default();
    let retention = spec.measurement_retention.as_deref().unwrap_or_default();
    let mut note = |field: &str, judged: Result<(), BadRule>| {
        if let Err(bad) = judged {
            errors.push(FieldError::invalid(format!("spec.{field}"), field, bad.to_string()));
        }
    };
    if nested {
        for rule in dry_run {
            note("dryRun", rules::readable("dryRun", &rule.metric_name));
        }
        for rule in retention {
            note(
                "measurementRetention",
                rules::readable("measurementRetention", &rule.metric_name),
            );
        }
    } else {
        note("dryRun", rules::dry_run(&metrics, dry_run).map(|_| ()));
        note(
            "measurementRetention",
            rules::retention(&metrics, retention).map(|_| ()),
        );
    }
}

//! What is wrong with how a Rollout uses templates, as far as the templates are there to be looked at. One that is missing is not a mistake yet: a
//! Rollout may be applied before its templates, and says so when it needs them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::attachment::RolloutAnalysis;
use api::field_error::FieldError;
use api::parts::IntOrString;
use api::v1alpha1::{AnalysisTemplateSpec, Argument, TemplateRef, number};
use api::v1beta1::RolloutStrategy;

use crate::rules;
use crate::run::{Flat, FlattenError, arguments, flatten};

/// The templates that are there, by their references.
pub type Templates = BTreeMap<TemplateRef, AnalysisTemplateSpec>;

/// One block of a strategy, and whether the release waits for its end.
struct Block<'a> {
    path: String,
    block: &'a RolloutAnalysis,
    awaited: bool,
}

/// A reference as [`Templates`] has it: with its scope said.
pub fn scoped(reference: &TemplateRef) -> TemplateRef {
    TemplateRef {
        template_name: reference.template_name.clone(),
        cluster_scope: Some(reference.cluster_scope == Some(true)),
    }
}

/// Every reference of a strategy, in order.
pub fn references(strategy: &RolloutStrategy) -> Vec<TemplateRef> {
    let blocks = blocks(strategy);
    let refs = blocks.iter().flat_map(|block| block.block.templates.iter().flatten());
    refs.map(scoped).collect()
}

/// Everything that is wrong with the blocks of a strategy and these templates together.
pub fn strategy(strategy: &RolloutStrategy, templates: &Templates) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for Block { path, block, awaited } in blocks(strategy) {
        let refs = block.templates.as_deref().unwrap_or_default();
        let flat = match flatten(refs, |reference| templates.get(&scoped(reference))) {
            Ok(flat) => flat,
            Err(FlattenError::Missing { .. }) => continue,
            Err(error) => {
                let names: Vec<&str> = refs.iter().map(|reference| reference.template_name.as_str()).collect();
                errors.push(FieldError::invalid(
                    format!("{path}.templates"),
                    names.join(", "),
                    error.to_string(),
                ));
                continue;
            }
        };
        one_block(&path, block, &flat, awaited, &mut errors);
    }
    errors
}

fn blocks(strategy: &RolloutStrategy) -> Vec<Block<'_>> {
    let (name, background, before, after, steps) = match (&strategy.canary, &strategy.blue_green) {
        (Some(canary), _) => (
            "canary",
            &canary.analysis,
            &canary.pre_promotion_analysis,
            &canary.post_promotion_analysis,
            &canary.steps,
        ),
        (None, Some(blue_green)) => (
            "blueGreen",
            &blue_green.analysis,
            &blue_green.pre_promotion_analysis,
            &blue_green.post_promotion_analysis,
            &blue_green.steps,
        ),
        (None, None) => return Vec::new(),
    };
    let mut blocks = Vec::new();
    let timed = after.as_ref().is_some_and(|after| after.duration.is_some());
    for (field, block, awaited) in [
        ("analysis", background, false),
        ("prePromotionAnalysis", before, true),
        ("postPromotionAnalysis", after, !timed),
    ] {
        blocks.extend(block.as_ref().map(|block| Block {
            path: format!("spec.strategy.{name}.{field}"),
            block,
            awaited,
        }));
    }
    for (index, step) in steps.iter().flatten().enumerate() {
        blocks.extend(step.analysis.as_ref().map(|block| Block {
            path: format!("spec.strategy.{name}.steps[{index}].analysis"),
            block,
            awaited: true,
        }));
    }
    blocks
}

fn one_block(path: &str, block: &RolloutAnalysis, flat: &Flat, awaited: bool, errors: &mut Vec<FieldError>) {
    let given: Vec<Argument> = block.args.iter().flatten().map(with_value).collect();
    if let Err(error) = arguments::merge(&flat.args, &given) {
        errors.push(FieldError::invalid(
            format!("{path}.args"),
            names_of(&given),
            error.to_string(),
        ));
    }
    let names: Vec<&str> = flat.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let dry_run = [flat.dry_run.as_slice(), block.dry_run.as_deref().unwrap_or_default()].concat();
    if let Err(error) = rules::dry_run(&names, &dry_run) {
        errors.push(FieldError::invalid(
            format!("{path}.dryRun"),
            "dryRun",
            error.to_string(),
        ));
    }
    let retention = block.measurement_retention.as_deref().unwrap_or_default();
    let retention = [flat.measurement_retention.as_slice(), retention].concat();
    if let Err(error) = rules::retention(&names, &retention) {
        errors.push(FieldError::invalid(
            format!("{path}.measurementRetention"),
            "measurementRetention",
            error.to_string(),
        ));
    }
    if !awaited {
        return;
    }
    for metric in &flat.metrics {
        // A text is a number that only an argument gives; 0 is not given.
        let given = |limit: &Option<IntOrString>| limit.as_ref().is_some_and(|limit| number(limit) != Some(0));
        let ends = given(&metric.count) || given(&metric.consecutive_success_limit);
        if metric.interval.is_some() && !ends {
            errors.push(FieldError::invalid(
                format!("{path}.templates"),
                metric.name.as_str(),
                format!(
                    "metric {} has an interval and no count, so it is measured without end, and the release waits for its end; give it a count or a consecutiveSuccessLimit, or measure it all along in strategy.analysis",
                    metric.name
                ),
            ));
        }
    }
}

fn names_of(args: &[Argument]) -> String {
    let names: Vec<&str> = args.iter().map(|argument| argument.name.as_str()).collect();
    names.join(", ")
}

/// A value that is only known once there is a release counts as one.
fn with_value(argument: &Argument) -> Argument {
    let mut argument = argument.clone();
    if argument.value_from.is_some() {
        argument.value.get_or_insert_default();
    }
    argument
}

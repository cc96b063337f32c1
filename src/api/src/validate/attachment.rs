//! The rules for what a Rollout measures, in both versions: which fields belong at which place, arguments that can be filled in, gates that a pause
//! may wait for. Whether the templates exist and a gate can end is the webhook's to ask, since templates are objects of their own.

use std::collections::BTreeSet;

use super::parts::json_of;
use crate::attachment::RolloutAnalysis;
use crate::field_error::FieldError;
use crate::parts::Pause;
use crate::v1alpha1::{Argument, ArgumentSource, SecretKeyRef, TtlStrategy};

/// Where in a strategy a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Background { steps: usize },
    Gate,
    PrePromotion,
    PostPromotion,
}

/// The blocks of one strategy; steps by what ends them.
pub(super) struct Blocks<'a> {
    pub(super) path: &'a str,
    pub(super) background: Option<&'a RolloutAnalysis>,
    pub(super) pre_promotion: Option<&'a RolloutAnalysis>,
    pub(super) post_promotion: Option<&'a RolloutAnalysis>,
    pub(super) steps: Vec<(Option<&'a Pause>, Option<&'a RolloutAnalysis>)>,
}

/// Everything that is wrong with the blocks of a strategy.
pub(super) fn blocks(blocks: &Blocks<'_>, errors: &mut Vec<FieldError>) {
    let path = blocks.path;
    let steps = blocks.steps.len();
    for (field, block, place) in [
        ("analysis", blocks.background, Place::Background { steps }),
        ("prePromotionAnalysis", blocks.pre_promotion, Place::PrePromotion),
        ("postPromotionAnalysis", blocks.post_promotion, Place::PostPromotion),
    ] {
        if let Some(block) = block {
            one_block(&format!("{path}.{field}"), block, place, errors);
        }
    }
    for (index, (pause, gate)) in blocks.steps.iter().enumerate() {
        let path = format!("{path}.steps[{index}]");
        if let Some(gate) = gate {
            one_block(&format!("{path}.analysis"), gate, Place::Gate, errors);
        }
        if let Some(pause) = pause.filter(|pause| pause.until_analysis == Some(true)) {
            until_analysis(&path, pause, *gate, errors);
        }
    }
}

fn until_analysis(path: &str, pause: &Pause, gate: Option<&RolloutAnalysis>, errors: &mut Vec<FieldError>) {
    let path = format!("{path}.pause.untilAnalysis");
    if gate.is_none() {
        errors.push(FieldError::invalid(
            &path,
            true,
            "the step has no analysis to wait for; give the step an analysis, or leave untilAnalysis out",
        ));
    }
    if pause.duration.is_some() {
        errors.push(FieldError::invalid(
            &path,
            true,
            "a pause ends after a time or with the analysis, not both; leave duration or untilAnalysis out",
        ));
    }
}

fn one_block(path: &str, block: &RolloutAnalysis, place: Place, errors: &mut Vec<FieldError>) {
    let templates = block.templates.as_deref().unwrap_or_default();
    if templates.is_empty() {
        errors.push(FieldError::required(
            format!("{path}.templates"),
            "name at least one template to measure by",
        ));
    }
    for (index, template) in templates.iter().enumerate() {
        if template.template_name.is_empty() {
            errors.push(FieldError::required(
                format!("{path}.templates[{index}].templateName"),
                "name an AnalysisTemplate, or a ClusterAnalysisTemplate with clusterScope: true",
            ));
        }
    }
    match (place, block.starting_step) {
        (_, None) => {}
        (Place::Background { steps }, Some(step)) => {
            if !usize::try_from(step).is_ok_and(|step| (1..=steps).contains(&step)) {
                errors.push(FieldError::invalid(
                    format!("{path}.startingStep"),
                    step,
                    format!("there is no such step; write 1 to {steps}"),
                ));
            }
        }
        (_, Some(_)) => errors.push(FieldError::forbidden(
            format!("{path}.startingStep"),
            "only the strategy's analysis, which measures all along, has a starting step; leave it out",
        )),
    }
    match (place, block.duration) {
        (_, None) => {}
        (Place::PostPromotion, Some(seconds)) => not_negative(&format!("{path}.duration"), Some(seconds), errors),
        (_, Some(_)) => errors.push(FieldError::forbidden(
            format!("{path}.duration"),
            "only postPromotionAnalysis has a duration; leave it out",
        )),
    }
    arguments(
        &format!("{path}.args"),
        block.args.as_deref().unwrap_or_default(),
        errors,
    );
    for (field, limit) in [
        ("successfulRunHistoryLimit", block.successful_run_history_limit),
        ("unsuccessfulRunHistoryLimit", block.unsuccessful_run_history_limit),
    ] {
        not_negative(&format!("{path}.{field}"), limit, errors);
    }
    if let Some(ttl) = &block.ttl_strategy {
        times_to_live(&format!("{path}.ttlStrategy"), ttl, errors);
    }
}

fn arguments(path: &str, args: &[Argument], errors: &mut Vec<FieldError>) {
    let mut names = BTreeSet::new();
    for (index, argument) in args.iter().enumerate() {
        let path = format!("{path}[{index}]");
        argument_name(&path, argument, &mut names, errors);
        match (&argument.value, &argument.value_from) {
            (Some(_), None) => {}
            (None, Some(source)) => one_source(&format!("{path}.valueFrom"), source, errors),
            (None, None) => errors.push(FieldError::required(
                format!("{path}.value"),
                format!("argument {} has no value; give value or valueFrom", argument.name),
            )),
            (Some(_), Some(_)) => errors.push(FieldError::forbidden(
                format!("{path}.valueFrom"),
                format!("argument {} has a value already; keep one", argument.name),
            )),
        }
    }
}

fn one_source(path: &str, source: &ArgumentSource, errors: &mut Vec<FieldError>) {
    let given = [
        source.secret_key_ref.is_some(),
        source.field_ref.is_some(),
        source.pod_template_hash_value.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        errors.push(FieldError::invalid(
            path,
            json_of(source),
            "give exactly one of secretKeyRef, fieldRef and podTemplateHashValue",
        ));
    }
    if let Some(secret) = &source.secret_key_ref {
        secret_key(&format!("{path}.secretKeyRef"), secret, errors);
    }
    if source
        .field_ref
        .as_ref()
        .is_some_and(|field| field.field_path.is_empty())
    {
        errors.push(FieldError::required(
            format!("{path}.fieldRef.fieldPath"),
            "name a field of the Rollout, such as metadata.labels['team']",
        ));
    }
}

/// An argument is named, once.
pub(super) fn argument_name<'a>(
    path: &str,
    argument: &'a Argument,
    names: &mut BTreeSet<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    if argument.name.is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), "name the argument"));
    } else if !names.insert(&argument.name) {
        errors.push(FieldError::invalid(
            format!("{path}.name"),
            argument.name.as_str(),
            "another argument has this name; rename one",
        ));
    }
}

/// A Secret and a key of it are named.
pub(super) fn secret_key(path: &str, secret: &SecretKeyRef, errors: &mut Vec<FieldError>) {
    for (field, value) in [("name", &secret.name), ("key", &secret.key)] {
        if value.is_empty() {
            errors.push(FieldError::required(
                format!("{path}.{field}"),
                "name a Secret of the namespace and one of its keys",
            ));
        }
    }
}

/// No time of a TTL is negative.
pub(super) fn times_to_live(path: &str, ttl: &TtlStrategy, errors: &mut Vec<FieldError>) {
    for (field, seconds) in [
        ("secondsAfterCompletion", ttl.seconds_after_completion),
        ("secondsAfterFailure", ttl.seconds_after_failure),
        ("secondsAfterSuccess", ttl.seconds_after_success),
    ] {
        not_negative(&format!("{path}.{field}"), seconds, errors);
    }
}

fn not_negative(path: &str, number: Option<i32>, errors: &mut Vec<FieldError>) {
    if let Some(number) = number.filter(|number| *number < 0) {
        errors.push(FieldError::invalid(path, number, "cannot be negative; write 0 or more"));
    }
}

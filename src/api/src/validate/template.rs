//! The rules for what is measured, as far as they need no condition to be parsed and no reference to be followed: names, limits that can be reached,
//! providers. Those of Argo Rollouts, which it applies when a run is made, and under strict semantics those that keep a metric from never failing.
//! Crate `analysis` adds the rules about conditions, references and names of metrics, and asks these again for a run's resolved metrics.

use std::collections::BTreeSet;

use super::attachment::{argument_name, secret_key};
use super::provider::provider;
use crate::field_error::FieldError;
use crate::go_duration;
use crate::parts::IntOrString;
use crate::v1alpha1::{AnalysisTemplateSpec, Argument, Comparison, Metric, Semantics, number};

/// Odds ratios are below this.
const MOST_RATIO: f64 = 1000.0;

/// Everything that is wrong with a template's spec.
pub fn analysis_template(spec: &AnalysisTemplateSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let found = spec.metrics.as_deref().unwrap_or_default();
    let templates = spec.templates.as_deref().unwrap_or_default();
    if found.is_empty() && templates.is_empty() {
        errors.push(FieldError::required(
            "spec.metrics",
            "a template measures something; give metrics, or templates to take them from",
        ));
    }
    for (index, template) in templates.iter().enumerate() {
        if template.template_name.is_empty() {
            errors.push(FieldError::required(
                format!("spec.templates[{index}].templateName"),
                "name an AnalysisTemplate, or a ClusterAnalysisTemplate with clusterScope: true",
            ));
        }
    }
    let mut names = BTreeSet::new();
    for (index, argument) in spec.args.iter().flatten().enumerate() {
        let path = format!("spec.args[{index}]");
        argument_name(&path, argument, &mut names, &mut errors);
        argument_source(&path, argument, &mut errors);
    }
    errors.extend(metrics(found, spec.semantics.unwrap_or_default()));
    errors
}

/// Everything that is wrong with metrics, of a template or of a run. A count or limit that only an argument makes a number is taken on trust.
pub fn metrics(metrics: &[Metric], semantics: Semantics) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        let path = format!("spec.metrics[{index}]");
        if metric.name.is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), "name the metric"));
        } else if !names.insert(metric.name.as_str()) {
            errors.push(FieldError::invalid(
                format!("{path}.name"),
                metric.name.as_str(),
                "another metric has this name; rename one",
            ));
        }
        times(&path, metric, &mut errors);
        limits(&path, metric, semantics, &mut errors);
        judged(&path, metric, semantics, &mut errors);
        provider(&path, metric, &mut errors);
    }
    errors
}

/// Templates take values from Secrets only: they know no Rollout.
fn argument_source(path: &str, argument: &Argument, errors: &mut Vec<FieldError>) {
    let Some(source) = &argument.value_from else { return };
    let path = format!("{path}.valueFrom");
    if argument.value.is_some() {
        errors.push(FieldError::forbidden(
            &path,
            format!("argument {} has a value already; keep one", argument.name),
        ));
    }
    match &source.secret_key_ref {
        Some(secret) if source.field_ref.is_none() && source.pod_template_hash_value.is_none() => {
            secret_key(&format!("{path}.secretKeyRef"), secret, errors);
        }
        _ => errors.push(FieldError::invalid(
            &path,
            super::parts::json_of(source),
            "a template takes values from secretKeyRef only; give fieldRef and podTemplateHashValue where the Rollout names the template",
        )),
    }
}

fn times(path: &str, metric: &Metric, errors: &mut Vec<FieldError>) {
    for (field, text) in [("interval", &metric.interval), ("initialDelay", &metric.initial_delay)] {
        let Some(text) = text.as_deref().filter(|text| !text.contains("{{")) else {
            continue;
        };
        if let Err(error) = go_duration::parse(text) {
            errors.push(FieldError::invalid(format!("{path}.{field}"), text, error.to_string()));
        }
    }
}

/// A limit, when it is given and a number.
fn limit(
    path: &str,
    field: &str,
    given: Option<&IntOrString>,
    least: i64,
    errors: &mut Vec<FieldError>,
) -> Option<i64> {
    let given = given?;
    if let IntOrString::String(text) = given
        && text.contains("{{")
    {
        return None;
    }
    let found = number(given).filter(|number| *number >= least && i32::try_from(*number).is_ok());
    if found.is_none() {
        errors.push(FieldError::invalid(
            format!("{path}.{field}"),
            super::parts::json_of(given),
            format!("write a whole number, {least} or more"),
        ));
    }
    found
}

fn limits(path: &str, metric: &Metric, semantics: Semantics, errors: &mut Vec<FieldError>) {
    let before = errors.len();
    let unknown = |given: &Option<IntOrString>| matches!(given, Some(IntOrString::String(text)) if text.contains("{{"));
    let count = limit(path, "count", metric.count.as_ref(), 0, errors);
    let failure = limit(path, "failureLimit", metric.failure_limit.as_ref(), -1, errors);
    let inconclusive = limit(path, "inconclusiveLimit", metric.inconclusive_limit.as_ref(), 0, errors);
    let success = limit(
        path,
        "consecutiveSuccessLimit",
        metric.consecutive_success_limit.as_ref(),
        0,
        errors,
    );
    limit(
        path,
        "consecutiveErrorLimit",
        metric.consecutive_error_limit.as_ref(),
        0,
        errors,
    );
    let open = [
        &metric.count,
        &metric.failure_limit,
        &metric.inconclusive_limit,
        &metric.consecutive_success_limit,
    ];
    if errors.len() > before || open.into_iter().any(unknown) {
        return;
    }
    let (failure, inconclusive, success) = (failure.unwrap_or(0), inconclusive.unwrap_or(0), success.unwrap_or(0));
    if failure == -1 && success == 0 {
        errors.push(FieldError::invalid(
            format!("{path}.failureLimit"),
            failure,
            "without a failureLimit nothing decides; give a consecutiveSuccessLimit, or a failureLimit of 0 or more",
        ));
        return;
    }
    let given = count.unwrap_or(0);
    if given > 1 && metric.interval.is_none() {
        errors.push(FieldError::required(
            format!("{path}.interval"),
            format!("{given} measurements need a time between them; give an interval, as in 30s"),
        ));
    }
    let measured = match (given, &metric.interval) {
        (0, Some(_)) => return,
        (0, None) => 1,
        (count, _) => count,
    };
    // Argo Rollouts looks at a count that is given only.
    let needed = failure.max(0) + success;
    if given > 0 && measured < needed {
        errors.push(FieldError::invalid(
            format!("{path}.count"),
            given,
            format!("count must be at least failureLimit and consecutiveSuccessLimit together; write {needed} or more"),
        ));
    } else if given > 0 && measured < inconclusive {
        errors.push(FieldError::invalid(
            format!("{path}.count"),
            given,
            format!("count must be at least inconclusiveLimit; write {inconclusive} or more"),
        ));
    } else if semantics == Semantics::Strict {
        reachable(path, measured, failure, inconclusive, errors);
        if success > measured {
            errors.push(FieldError::invalid(
                format!("{path}.consecutiveSuccessLimit"),
                success,
                format!("of {measured} measurements never {success} in a row can be good; write less, or raise count"),
            ));
        }
    }
}

/// Each limit can be passed by as many measurements as there are, or it would decide nothing.
fn reachable(path: &str, measured: i64, failure: i64, inconclusive: i64, errors: &mut Vec<FieldError>) {
    for (field, limit) in [("failureLimit", failure), ("inconclusiveLimit", inconclusive)] {
        if limit >= measured {
            errors.push(FieldError::invalid(
                format!("{path}.{field}"),
                limit,
                format!("of {measured} measurements never more than {limit} can be so: this limit can never be passed; write less, or raise count"),
            ));
        }
    }
}

/// Something says which values are good.
fn judged(path: &str, metric: &Metric, semantics: Semantics, errors: &mut Vec<FieldError>) {
    let conditions = [
        (
            "successCondition",
            metric.success_condition.as_deref().unwrap_or_default(),
        ),
        (
            "failureCondition",
            metric.failure_condition.as_deref().unwrap_or_default(),
        ),
    ];
    let conditioned = conditions.iter().any(|(_, text)| !text.is_empty());
    if let Some(comparison) = &metric.comparison {
        for (field, _) in conditions.iter().filter(|(_, text)| !text.is_empty()) {
            errors.push(FieldError::forbidden(
                format!("{path}.{field}"),
                "a comparison judges by itself; leave the condition or the comparison out",
            ));
        }
        if metric.min_samples.is_some() {
            errors.push(FieldError::forbidden(
                format!("{path}.minSamples"),
                "a comparison counts by itself; give comparison.minSamples",
            ));
        }
        compared(&format!("{path}.comparison"), metric, comparison, errors);
    } else if semantics == Semantics::Strict && !conditioned && metric.provider.job.is_none() {
        errors.push(FieldError::required(
            format!("{path}.successCondition"),
            "nothing says which values are good; give a successCondition, a failureCondition or a comparison",
        ));
    }
}

fn compared(path: &str, metric: &Metric, comparison: &Comparison, errors: &mut Vec<FieldError>) {
    if metric.interval.is_none() {
        errors.push(FieldError::required(
            path.replace(".comparison", ".interval"),
            "a comparison looks at what the counters grew by from time to time; give an interval, as in 15s",
        ));
    }
    for (arm, counters) in [("stable", &comparison.stable), ("canary", &comparison.canary)] {
        for (field, query) in [("errors", &counters.errors), ("total", &counters.total)] {
            if query.trim().is_empty() {
                errors.push(FieldError::required(
                    format!("{path}.{arm}.{field}"),
                    "give a query for a counter",
                ));
            }
        }
    }
    let mut within = |field: &str, value: Option<f64>, least: f64, most: f64| {
        if let Some(value) = value.filter(|value| !(*value > least && *value < most)) {
            errors.push(FieldError::invalid(
                format!("{path}.{field}"),
                value,
                format!("write a number above {least} and below {most}"),
            ));
        }
    };
    within("alpha", comparison.alpha, 0.0, 1.0);
    within("beta", comparison.beta, 0.0, 1.0);
    within("absoluteBound", comparison.absolute_bound, 0.0, 1.0);
    within("nullRatio", comparison.null_ratio, 0.001, MOST_RATIO);
    let null = comparison.null_ratio.unwrap_or(1.0);
    within("harmRatio", comparison.harm_ratio, null, MOST_RATIO);
    if comparison.harm_ratio.is_none() && null >= 2.0 {
        errors.push(FieldError::required(
            format!("{path}.harmRatio"),
            format!("without it 2 must not pass, and nullRatio {null} is as good; give a number above nullRatio"),
        ));
    }
    for (field, samples, least) in [
        ("minSamples", comparison.min_samples, 0),
        (
            "maxSamples",
            comparison.max_samples,
            comparison.min_samples.unwrap_or(100),
        ),
    ] {
        if let Some(samples) = samples.filter(|samples| *samples < least) {
            errors.push(FieldError::invalid(
                format!("{path}.{field}"),
                samples,
                format!("write {least} or more"),
            ));
        }
    }
}

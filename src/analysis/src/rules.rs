//! Rules that pick metrics by name: `dryRun` and `measurementRetention`. A name is a regular expression that need not match from end to end, as in
//! Argo Rollouts. Used for a run's metrics and, where all of them are known, at admission.

use std::collections::BTreeMap;

use api::v1alpha1::{DryRun, MeasurementRetention};
use regex::{Regex, RegexBuilder};

/// The most that a compiled rule may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// A lone star, which people write for everything.
    #[error("{rule} has an invalid metric name '*'; write .* for all metrics")]
    Star {
        /// Which list it is in.
        rule: &'static str,
    },
    /// No regular expression.
    #[error("{rule} has the metric name '{name}', which is no regular expression: {why}; write the metric's name")]
    Expression {
        /// Which list it is in.
        rule: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// It picks nothing.
    #[error("{rule} '{name}' didn't match any metric name(s); write the name of a metric, or leave the rule out")]
    Unmatched {
        /// Which list it is in.
        rule: &'static str,
        /// The name.
        name: String,
    },
    /// Two rules pick one metric.
    #[error("multiple {rule} rules matched metric name '{metric}'; leave one")]
    Twice {
        /// Which list they are in.
        rule: &'static str,
        /// The metric.
        metric: String,
    },
}

/// Which metrics change nothing.
///
/// # Errors
/// The first rule that is wrong.
pub fn dry_run(metrics: &[&str], rules: &[DryRun]) -> Result<Vec<String>, BadRule> {
    let named: Vec<(&str, ())> = rules.iter().map(|rule| (rule.metric_name.as_str(), ())).collect();
    Ok(picked("dryRun", metrics, &named)?.into_keys().collect())
}

/// How many measurements are kept, for the metrics that a rule picks.
///
/// # Errors
/// The first rule that is wrong.
pub fn retention(metrics: &[&str], rules: &[MeasurementRetention]) -> Result<BTreeMap<String, i32>, BadRule> {
    let named: Vec<(&str, i32)> = rules
        .iter()
        .map(|rule| (rule.metric_name.as_str(), rule.limit))
        .collect();
    picked("measurementRetention", metrics, &named)
}

/// Whether a rule's name can be read, before its metrics are known.
///
/// # Errors
/// What is wrong with it.
pub fn readable(rule: &'static str, name: &str) -> Result<(), BadRule> {
    expression(rule, name).map(|_| ())
}

fn expression(rule: &'static str, name: &str) -> Result<Regex, BadRule> {
    if name == "*" {
        return Err(BadRule::Star { rule });
    }
    RegexBuilder::new(name)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| BadRule::Expression {
            rule,
            name: name.to_owned(),
            // The library draws where the mistake is; its last line says what it is.
            why: error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        })
}

fn picked<T: Copy>(rule: &'static str, metrics: &[&str], rules: &[(&str, T)]) -> Result<BTreeMap<String, T>, BadRule> {
    let mut picked = BTreeMap::new();
    for (name, value) in rules {
        let expression = expression(rule, name)?;
        let mut matched = metrics.iter().filter(|metric| expression.is_match(metric)).peekable();
        if matched.peek().is_none() {
            return Err(BadRule::Unmatched {
                rule,
                name: (*name).to_owned(),
            });
        }
        for metric in matched {
            if picked.insert((*metric).to_owned(), *value).is_some() {
                return Err(BadRule::Twice {
                    rule,
                    metric: (*metric).to_owned(),
                });
            }
        }
    }
    Ok(picked)
}

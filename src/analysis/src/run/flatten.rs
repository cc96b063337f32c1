//! Several templates, and those that they take in, as one: what a run is made from. A template comes before those that it takes in, each once, as in
//! Argo Rollouts. A template that takes itself in, however far around, is refused; Argo Rollouts follows it without end.

use api::v1alpha1::{AnalysisTemplateSpec, Argument, DryRun, MeasurementRetention, Metric, Semantics, TemplateRef};

/// The most templates that one run may be made from.
const MOST: usize = 100;

/// Templates as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flat {
    /// The arguments that they declare.
    pub args: Vec<Argument>,
    /// All metrics.
    pub metrics: Vec<Metric>,
    /// All rules about metrics that change nothing.
    pub dry_run: Vec<DryRun>,
    /// All rules about how many measurements are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Argo's rules if all templates say so.
    pub semantics: Semantics,
}

/// Why templates do not make a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlattenError {
    /// One is not there.
    #[error("{kind} '{name}' not found; create it, or correct the name")]
    Missing {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// One takes itself in.
    #[error("template '{name}' takes itself in: {way}; take one of these out of spec.templates")]
    Cycle {
        /// Its name.
        name: String,
        /// Over which others.
        way: String,
    },
    /// There are too many.
    #[error("more than {MOST} templates are taken in; use fewer")]
    TooMany,
    /// Two metrics have one name.
    #[error("two metrics have the same name '{name}'; rename the one of template '{template}'")]
    SameMetric {
        /// The name.
        name: String,
        /// Where the second one is.
        template: String,
    },
    /// Two rules have one name.
    #[error("two {rule} rules have the same metric name '{name}'; leave one")]
    SameRule {
        /// Which list.
        rule: &'static str,
        /// The name.
        name: String,
    },
    /// Two templates give an argument different values.
    #[error(
        "Argument `{name}` specified multiple times with different values: '{first}', '{second}'; give the value where the templates are used"
    )]
    SameArgument {
        /// The argument.
        name: String,
        /// One value.
        first: String,
        /// The other.
        second: String,
    },
}

/// Makes one of the templates that `refs` name; `lookup` knows the templates.
///
/// # Errors
/// When one is missing or takes itself in, or when two say different things about one name.
pub fn flatten<'a>(
    refs: &[TemplateRef],
    lookup: impl Fn(&TemplateRef) -> Option<&'a AnalysisTemplateSpec>,
) -> Result<Flat, FlattenError> {
    let mut walk = Walk {
        lookup: &lookup,
        way: Vec::new(),
        found: Vec::new(),
    };
    for reference in refs {
        walk.take_in(reference)?;
    }
    let says_argo = |(_, spec): &(TemplateRef, &AnalysisTemplateSpec)| spec.semantics == Some(Semantics::Argo);
    let argo = !walk.found.is_empty() && walk.found.iter().all(says_argo);
    let mut flat = Flat {
        semantics: if argo { Semantics::Argo } else { Semantics::Strict },
        ..Flat::default()
    };
    for (reference, spec) in &walk.found {
        flat.add(&reference.template_name, spec)?;
    }
    Ok(flat)
}

struct Walk<'a, 'l, L> {
    lookup: &'l L,
    way: Vec<TemplateRef>,
    found: Vec<(TemplateRef, &'a AnalysisTemplateSpec)>,
}

impl<'a, L: Fn(&TemplateRef) -> Option<&'a AnalysisTemplateSpec>> Walk<'a, '_, L> {
    fn take_in(&mut self, reference: &TemplateRef) -> Result<(), FlattenError> {
        let reference = TemplateRef {
            cluster_scope: Some(reference.cluster_scope == Some(true)),
            ..reference.clone()
        };
        if let Some(begin) = self.way.iter().position(|on_the_way| *on_the_way == reference) {
            let mut names: Vec<&str> = self.way[begin..]
                .iter()
                .map(|on_the_way| on_the_way.template_name.as_str())
                .collect();
            names.push(&reference.template_name);
            return Err(FlattenError::Cycle {
                way: names.join(" -> "),
                name: reference.template_name,
            });
        }
        if self.found.iter().any(|(found, _)| *found == reference) {
            return Ok(());
        }
        if self.found.len() == MOST {
            return Err(FlattenError::TooMany);
        }
        let spec = (self.lookup)(&reference).ok_or_else(|| FlattenError::Missing {
            kind: if reference.cluster_scope == Some(true) {
                "ClusterAnalysisTemplate"
            } else {
                "AnalysisTemplate"
            },
            name: reference.template_name.clone(),
        })?;
        self.found.push((reference.clone(), spec));
        self.way.push(reference);
        for inner in spec.templates.iter().flatten() {
            self.take_in(inner)?;
        }
        self.way.pop();
        Ok(())
    }
}

impl Flat {
    fn add(&mut self, template: &str, spec: &AnalysisTemplateSpec) -> Result<(), FlattenError> {
        for metric in spec.metrics.iter().flatten() {
            if self.metrics.iter().any(|other| other.name == metric.name) {
                return Err(FlattenError::SameMetric {
                    name: metric.name.clone(),
                    template: template.to_owned(),
                });
            }
            self.metrics.push(metric.clone());
        }
        for argument in spec.args.iter().flatten() {
            self.add_argument(argument)?;
        }
        for rule in spec.dry_run.iter().flatten() {
            if self.dry_run.iter().any(|other| other.metric_name == rule.metric_name) {
                return Err(same_rule("dryRun", &rule.metric_name));
            }
            self.dry_run.push(rule.clone());
        }
        for rule in spec.measurement_retention.iter().flatten() {
            let mut others = self.measurement_retention.iter();
            if others.any(|other| other.metric_name == rule.metric_name) {
                return Err(same_rule("measurementRetention", &rule.metric_name));
            }
            self.measurement_retention.push(rule.clone());
        }
        Ok(())
    }

    fn add_argument(&mut self, argument: &Argument) -> Result<(), FlattenError> {
        let Some(known) = self.args.iter_mut().find(|known| known.name == argument.name) else {
            self.args.push(argument.clone());
            return Ok(());
        };
        let said = |argument: &Argument| {
            let secret = argument
                .value_from
                .as_ref()
                .and_then(|source| source.secret_key_ref.as_ref());
            let secret = secret.map(|secret| format!("key {} of Secret {}", secret.key, secret.name));
            argument.value.clone().or(secret)
        };
        match (said(known), said(argument)) {
            (Some(first), Some(second)) if first != second => Err(FlattenError::SameArgument {
                name: argument.name.clone(),
                first,
                second,
            }),
            (None, Some(_)) => {
                *known = argument.clone();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn same_rule(rule: &'static str, name: &str) -> FlattenError {
    FlattenError::SameRule {
        rule,
        name: name.to_owned(),
    }
}

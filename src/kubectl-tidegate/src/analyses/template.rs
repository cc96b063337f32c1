//! What is measured by hand: the templates of a file with the arguments of a command line, as the spec of a run. Pure, but for templates that the
//! file names and does not hold, which the caller brings.

use std::collections::BTreeMap;

use analysis::run::arguments::merge;
use analysis::run::{FlattenError, flatten};
use api::v1alpha1::{
    AnalysisRunSpec, AnalysisTemplate, AnalysisTemplateSpec, Argument, ClusterAnalysisTemplate, TemplateRef,
};
use serde::Deserialize;
use serde_yaml::Value;

use crate::Failure;

/// Templates by whether they are of the cluster, and their names.
pub(super) type Known = BTreeMap<(bool, String), AnalysisTemplateSpec>;

/// The templates of a file, and which of them the file is about: all, in order.
pub(super) fn read(text: &str) -> Result<(Vec<TemplateRef>, Known), Failure> {
    let (mut asked, mut known) = (Vec::new(), Known::new());
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document)
            .map_err(|error| Failure(format!("the file cannot be read as YAML: {error}")))?;
        if value.is_null() {
            continue;
        }
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let wrong = |error: serde_yaml::Error| Failure(format!("the file's {kind} cannot be read: {error}"));
        // Argo Rollouts' templates are of the same form.
        let (of_cluster, name, spec) = match kind.as_str() {
            "AnalysisTemplate" => {
                let template: AnalysisTemplate = serde_yaml::from_value(value).map_err(wrong)?;
                (false, template.metadata.name, template.spec)
            }
            "ClusterAnalysisTemplate" => {
                let template: ClusterAnalysisTemplate = serde_yaml::from_value(value).map_err(wrong)?;
                (true, template.metadata.name, template.spec)
            }
            other => {
                return Err(Failure(format!(
                    "the file holds a \"{other}\"; give it AnalysisTemplates or ClusterAnalysisTemplates only"
                )));
            }
        };
        let name = name.unwrap_or_default();
        asked.push(TemplateRef {
            template_name: name.clone(),
            cluster_scope: Some(of_cluster),
        });
        if known.insert((of_cluster, name.clone()), spec).is_some() {
            return Err(Failure(format!("the file holds {kind} {name} twice; keep one")));
        }
    }
    if asked.is_empty() {
        return Err(Failure("the file holds no AnalysisTemplate".to_owned()));
    }
    Ok((asked, known))
}

/// A template that is named and not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) of_cluster: bool,
    pub(super) name: String,
}

/// The run that measures these templates, or the first template that it needs beside them.
pub(super) fn run_of(
    asked: &[TemplateRef],
    known: &Known,
    arguments: &[(String, String)],
) -> Result<Result<AnalysisRunSpec, Missing>, Failure> {
    let lookup =
        |reference: &TemplateRef| known.get(&(reference.cluster_scope == Some(true), reference.template_name.clone()));
    let flat = match flatten(asked, lookup) {
        Ok(flat) => flat,
        Err(FlattenError::Missing { kind, name }) => {
            return Ok(Err(Missing {
                of_cluster: kind == ClusterAnalysisTemplate::KIND,
                name,
            }));
        }
        Err(error) => return Err(Failure(error.to_string())),
    };
    let names: Vec<&str> = flat.args.iter().map(|argument| argument.name.as_str()).collect();
    if let Some((unknown, _)) = arguments.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        let there_are = match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        return Err(Failure(format!(
            "the template has no argument {unknown}; its arguments are: {there_are}"
        )));
    }
    let given: Vec<Argument> = arguments
        .iter()
        .map(|(name, value)| Argument {
            name: name.clone(),
            value: Some(value.clone()),
            ..Argument::default()
        })
        .collect();
    let args = merge(&flat.args, &given)
        .map_err(|error| Failure(format!("{error}; on the command line with --arg NAME=VALUE")))?;
    Ok(Ok(AnalysisRunSpec {
        args: (!args.is_empty()).then_some(args),
        metrics: Some(flat.metrics),
        dry_run: (!flat.dry_run.is_empty()).then_some(flat.dry_run),
        semantics: Some(flat.semantics),
        ..AnalysisRunSpec::default()
    }))
}

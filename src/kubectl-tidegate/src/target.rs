//! Which objects a command line means: `rollout/demo`, `rollout demo other`, `rollouts.rollouts.kruise.io/demo`, `rollout -l app=shop`; and, for
//! `analysis`, `demo-5d9-1` or `analysisrun/demo-5d9-1`.

use std::fmt;

use crate::Failure;
use crate::args::Verb;

/// What kind of object is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rollout,
    AnalysisRun,
}

impl Kind {
    /// Its name in lower case with its group, as kubectl prints it.
    fn typed(self) -> &'static str {
        match self {
            Self::Rollout => "rollout.rollouts.kruise.io",
            Self::AnalysisRun => "analysisrun.rollouts.kruise.io",
        }
    }
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// Its namespace; `None` is the one that the whole command line is about.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace} ")?;
        }
        f.write_str(&self.typed())
    }
}

impl Target {
    /// `TYPE/NAME`, which says nothing of the namespace, as kubectl prints it for `-o name`.
    pub(crate) fn typed(&self) -> String {
        format!("{}/{}", self.kind.typed(), self.name)
    }
}

/// What is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// These.
    Named(Vec<Target>),
    /// Whatever has such labels; all when there are none.
    Matching {
        /// A label selector, as kubectl's users write it.
        labels: String,
        /// Whether other namespaces are looked at, too.
        everywhere: bool,
    },
}

/// What the verb is about.
pub(crate) fn select(verb: &Verb) -> Result<Selection, Failure> {
    let chosen = verb.chosen();
    let everywhere = verb.reads_in_all_namespaces();
    let targets = parse(&chosen.targets)?;
    let refused = |text: &str| Err(Failure(text.to_owned()));
    match (&chosen.selector, everywhere) {
        (Some(_), _) if !targets.is_empty() => refused("name cannot be provided when a selector is specified"),
        (_, Some(true)) if !targets.is_empty() => refused(
            "a resource cannot be retrieved by name across all namespaces; leave --all-namespaces out, or the name",
        ),
        (None, None) if targets.is_empty() => {
            refused("required resource not specified; write rollout/NAME, or --selector")
        }
        (selector, _) if targets.is_empty() => Ok(Selection::Matching {
            labels: selector.clone().unwrap_or_default(),
            everywhere: everywhere.unwrap_or_default(),
        }),
        _ => Ok(Selection::Named(targets)),
    }
}

/// Reads the words after the verb; a type alone names nothing.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Target>, Failure> {
    match words {
        [first, ..] if first.contains('/') => words
            .iter()
            .map(|word| match word.split_once('/') {
                Some((kind, name)) if !name.contains('/') => ours(kind, name),
                _ => Err(Failure(format!(
                    "\"{word}\" is not TYPE/NAME; write rollout/NAME, or rollout NAME"
                ))),
            })
            .collect(),
        [kind] => ours(kind, "NAME").map(|_| Vec::new()),
        [kind, names @ ..] => names.iter().map(|name| ours(kind, name)).collect(),
        [] => Ok(Vec::new()),
    }
}

fn ours(kind: &str, name: &str) -> Result<Target, Failure> {
    let known = [
        "rollout",
        "rollouts",
        "rollout.rollouts.kruise.io",
        "rollouts.rollouts.kruise.io",
        "rollouts.v1beta1.rollouts.kruise.io",
        "rollouts.v1alpha1.rollouts.kruise.io",
    ];
    if !known.contains(&kind.to_lowercase().as_str()) {
        return Err(Failure(format!(
            "\"{kind}\" is not a Rollout of rollouts.kruise.io; write rollout/{name}"
        )));
    }
    if name.is_empty() || name.contains('/') {
        return Err(Failure(format!("\"{name}\" is not a name; write rollout/NAME")));
    }
    Ok(Target {
        kind: Kind::Rollout,
        namespace: None,
        name: name.to_owned(),
    })
}

/// Reads the names of AnalysisRuns, with their type before a slash or without.
pub(crate) fn runs(words: &[String]) -> Result<Vec<Target>, Failure> {
    let known = [
        "ar",
        "analysisrun",
        "analysisruns",
        "analysisrun.rollouts.kruise.io",
        "analysisruns.rollouts.kruise.io",
    ];
    words
        .iter()
        .map(|word| {
            let name = match word.split_once('/') {
                None => word,
                Some((kind, name)) if known.contains(&kind.to_lowercase().as_str()) => name,
                Some((kind, name)) => {
                    return Err(Failure(format!(
                        "\"{kind}\" is not an AnalysisRun of rollouts.kruise.io; write analysisrun/{name}"
                    )));
                }
            };
            if name.is_empty() || name.contains('/') {
                return Err(Failure(format!("\"{name}\" is not a name; write analysisrun/NAME")));
            }
            Ok(Target {
                kind: Kind::AnalysisRun,
                namespace: None,
                name: name.to_owned(),
            })
        })
        .collect()
}

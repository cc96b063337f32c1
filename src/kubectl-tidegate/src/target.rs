//! Which objects a command line means: `rollout/demo`, `rollout demo other`, `rollouts.rollouts.kruise.io/demo`.

use std::fmt;

use crate::Failure;

/// One Rollout by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rollout.rollouts.kruise.io/{}", self.name)
    }
}

/// Reads the words after the verb.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Target>, Failure> {
    let targets: Vec<_> = match words {
        [first, ..] if first.contains('/') => words
            .iter()
            .map(|word| match word.split_once('/') {
                Some((kind, name)) if !name.contains('/') => ours(kind, name),
                _ => Err(Failure(format!(
                    "\"{word}\" is not TYPE/NAME; write rollout/NAME, or rollout NAME"
                ))),
            })
            .collect::<Result<_, _>>()?,
        [kind, names @ ..] => names.iter().map(|name| ours(kind, name)).collect::<Result<_, _>>()?,
        [] => Vec::new(),
    };
    if targets.is_empty() {
        return Err(Failure(
            "required resource not specified; write rollout/NAME".to_owned(),
        ));
    }
    Ok(targets)
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
    Ok(Target { name: name.to_owned() })
}

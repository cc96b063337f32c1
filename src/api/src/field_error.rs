//! What is wrong with a field of an object, in the form and the words in which Kubernetes says it. Used by [`crate::validate`] and
//! [`crate::plan`]; the webhook sends [`aggregate`] to the person.

use std::fmt;

use serde_json::Value;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// Where: `spec.strategy.canary.steps[0].replicas`.
    pub path: String,
    /// What kind of wrong.
    pub problem: Problem,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// The kinds of wrong that Kubernetes tells apart.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// Nothing is there.
    Required,
    /// This value cannot be.
    Invalid(Value),
    /// It may not be so now.
    Forbidden,
}

impl FieldError {
    /// A field that must be given.
    pub fn required(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: Problem::Required,
            message: message.into(),
        }
    }

    /// A field that holds what it cannot hold.
    pub fn invalid(path: impl Into<String>, value: impl Into<Value>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: Problem::Invalid(value.into()),
            message: message.into(),
        }
    }

    /// A field that may not be changed now.
    pub fn forbidden(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: Problem::Forbidden,
            message: message.into(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, message, .. } = self;
        match &self.problem {
            Problem::Required => write!(f, "{path}: Required value: {message}"),
            Problem::Invalid(value) => write!(f, "{path}: Invalid value: {value}: {message}"),
            Problem::Forbidden => write!(f, "{path}: Forbidden: {message}"),
        }
    }
}

/// All errors as one line, as Kubernetes joins them; each text once.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for error in errors {
        let line = error.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [one] => one.clone(),
        _ => format!("[{}]", lines.join(", ")),
    }
}

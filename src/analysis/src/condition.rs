//! The condition language of metric analysis: the part of expr-lang 1.17 that Argo's templates use, parsed and checked when a template is accepted
//! and answered for each measurement. Users' grammar: `docs/CONDITIONS.md`. Bounded in length, depth, steps and memory, and it fails closed: what
//! cannot be answered is an error, never a yes. Verdicts use it, and validation of templates.

mod ast;
mod builtin;
mod check;
mod closure;
mod datum;
mod error;
mod evaluate;
mod function;
mod kind;
mod member;
mod meter;
mod operation;
mod parser;
mod position;
mod token;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

pub use error::{EvalError, Fault, Mismatch, ParseError, Problem};
pub use position::Position;

use crate::semantics::Semantics;
use crate::value::Value;

/// Bytes that a condition may have.
pub const MOST_BYTES: usize = 4096;
/// Parentheses, brackets, closures, signs and conditionals inside each other.
const MOST_NESTING: usize = 64;
/// Levels of the tree, which long rows of operators add to as well.
const MOST_LEVELS: usize = 256;
/// Steps of one evaluation: one for each part of the expression, each element and each 16 bytes of text that it meets.
const MOST_STEPS: u32 = 100_000;
/// Bytes that a compiled pattern may take.
const MOST_PATTERN: usize = 1 << 18;

/// A condition that has been read and checked: it can be true or false, and everything that it names exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    root: ast::Node,
}

/// What a condition may know besides the measured value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The time that `now()` returns.
    pub now: jiff::Timestamp,
    /// Whose meaning `isNil` and `default` have.
    pub semantics: Semantics,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// When it is too long or too deep, is not in the language, names what does not exist, calls a function with the wrong number of arguments, or
    /// can never be true or false. The error says where, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let refuse = |(at, problem)| ParseError {
            position: Position::of(text, at),
            problem,
        };
        if text.len() > MOST_BYTES {
            let (length, limit) = (text.len(), MOST_BYTES);
            return Err(refuse((0, Problem::TooLong { length, limit })));
        }
        let root = parser::parse(text).map_err(refuse)?;
        check::check(&root).map_err(refuse)?;
        let text = text.to_owned();
        Ok(Self { text, root })
    }

    /// Whether the condition holds for a measured value.
    ///
    /// # Errors
    /// When the value does not have what the condition asks for, types do not go together, the answer is not a bool, or the work is too much. Such a
    /// measurement is an Error.
    pub fn holds(&self, result: &Value, scope: Scope) -> Result<bool, EvalError> {
        evaluate::evaluate(&self.root, result, scope).map_err(|(at, fault)| EvalError {
            position: Position::of(&self.text, at),
            fault,
        })
    }

    /// The text that was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Compiles a pattern of `matches`, or says in one line why it cannot be used. Matching takes time linear in the text.
fn pattern(source: &str) -> Result<regex::Regex, String> {
    let built = regex::RegexBuilder::new(source)
        .size_limit(MOST_PATTERN)
        .dfa_size_limit(MOST_PATTERN)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => other
            .to_string()
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned(),
    })
}

//! What the language answers, row by row, and what holds for every text: see the modules.

mod answers;
mod limits;
mod oracle;
mod print;
mod refusals;

use crate::condition::{Condition, Scope};
use crate::semantics::Semantics;
use crate::value::Value;

/// A time that is nothing special: 2026-03-01 12:00:00 UTC.
pub(crate) fn scope(semantics: Semantics) -> Scope {
    let now = jiff::Timestamp::from_second(1_772_366_400).unwrap();
    Scope { now, semantics }
}

/// A value from JSON, where the strings "NaN" and "+Inf" stand for the numbers that JSON does not have.
pub(crate) fn value(json: &str) -> Value {
    fn words(value: Value) -> Value {
        match value {
            Value::String(word) if word == "NaN" => Value::Float(f64::NAN),
            Value::String(word) if word == "+Inf" => Value::Float(f64::INFINITY),
            Value::List(items) => Value::List(items.into_iter().map(words).collect()),
            other => other,
        }
    }
    words(Value::from_json(&serde_json::from_str(json).unwrap()))
}

/// `true`, `false`, or the error's text; a refused condition begins with `refused`.
fn answer_under(semantics: Semantics, text: &str, measured: &Value) -> String {
    match Condition::parse(text) {
        Err(error) => format!("refused {error}"),
        Ok(condition) => match condition.holds(measured, scope(semantics)) {
            Ok(holds) => holds.to_string(),
            Err(error) => error.to_string(),
        },
    }
}

fn answer(text: &str, json: &str) -> String {
    answer_under(Semantics::Strict, text, &value(json))
}

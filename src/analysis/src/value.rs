//! What a metric provider answered, in the shapes that Go's conditions know. Providers make values, conditions and verdicts read them, and status
//! shows them as Argo would write them. Uses nothing of ours.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

/// A measured value. A Prometheus scalar is a float, a vector is a list of floats, a web answer is whatever its JSON holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No answer, or JSON's null.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number. JSON has none: see [`Value::from_json`].
    Int(i64),
    /// Any other number, NaN and the infinities included.
    Float(f64),
    /// Text.
    String(String),
    /// An ordered list.
    List(Vec<Value>),
    /// Fields by name.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Takes over JSON as Go's `encoding/json` reads it into an interface: every number is a float.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(bool) => Self::Bool(*bool),
            serde_json::Value::Number(number) => number.as_f64().map_or(Self::Nil, Self::Float),
            serde_json::Value::String(text) => Self::String(text.clone()),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(fields) => Self::Map(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// The type as Go names it in messages: `float64`, `[]float64`, `map[string]interface {}`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::List(items) if !items.is_empty() && items.iter().all(|item| matches!(item, Self::Float(_))) => {
                "[]float64"
            }
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// Whether the provider had nothing to say: nil or an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// Whether the value is NaN or holds one anywhere.
    #[must_use]
    pub fn holds_nan(&self) -> bool {
        match self {
            Self::Float(number) => number.is_nan(),
            Self::List(items) => items.iter().any(Self::holds_nan),
            Self::Map(fields) => fields.values().any(Self::holds_nan),
            _ => false,
        }
    }
}

/// As Argo writes a measurement's value: `0.95`, `[10,11]`, `NaN`, `+Inf`; text alone is bare, inside a list or map it is quoted.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            other => other.write_inside(f),
        }
    }
}

impl Value {
    fn write_inside(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("null"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write_float(f, *number),
            Self::String(text) => write_quoted(f, text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    item.write_inside(f)?;
                }
                f.write_str("]")
            }
            Self::Map(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write_quoted(f, name)?;
                    f.write_str(":")?;
                    value.write_inside(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "{}", serde_json::Value::from(text))
}

/// Go's shortest 'f' form: no exponent, `NaN`, `+Inf`, `-Inf`.
pub(crate) fn write_float(f: &mut impl fmt::Write, number: f64) -> fmt::Result {
    if number.is_infinite() {
        f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        write!(f, "{number}")
    }
}

/// Reads a float as Go's `ParseFloat` does for the words and decimal forms that metrics use: `NaN`, `+Inf`, `1e-3`. A number too large for
/// a float is none.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let spelled_out = text.contains(|c: char| c.is_ascii_digit());
    (number.is_finite() || !spelled_out).then_some(number)
}

//! Functions that make one kind of value of another: `int`, `float`, `string`, `type`, JSON, and Argo's `asInt` and `asFloat`.

use super::super::datum::Datum;
use super::super::error::Fault;
use super::super::function::Function;
use super::super::kind::Kind;
use super::super::meter::Meter;
use super::{Call, Computed};
use crate::value::{Value, parse_float, write_float};

impl Call<'_> {
    pub(super) fn convert(&self, function: Function, meter: &mut Meter) -> Computed {
        let [value] = self.arguments else { return None };
        Some(match (function, value) {
            (Function::Int | Function::AsInt, Datum::Float(number)) => self.truncated(*number),
            (Function::Int | Function::AsInt, Datum::Text(text)) => {
                let number = text.parse().map(Datum::Int);
                number.map_err(|_| self.unreadable(text, "write a whole number, or use float()"))
            }
            (Function::Int | Function::AsInt, _) => Ok(value.clone()),
            (Function::Float | Function::AsFloat, Datum::Text(text)) => {
                let number = parse_float(text).map(Datum::Float);
                number.ok_or_else(|| self.unreadable(text, "write a number"))
            }
            (Function::Float | Function::AsFloat, _) => Ok(Datum::Float(value.number()?)),
            (Function::Type, _) => Ok(Datum::text(type_word(value))),
            (Function::String, Datum::Text(_)) => Ok(value.clone()),
            (Function::String, _) => {
                let mut text = String::new();
                write(value, &mut text, meter).map(|()| Datum::text(text))
            }
            (Function::ToJson, _) => self.to_json(value, meter),
            (Function::FromJson, Datum::Text(text)) => self.read_json(text, meter),
            _ => return None,
        })
    }

    /// Go cuts the fraction off; what is beyond an int is a fault here, where Go's answer depends on the machine.
    fn truncated(&self, number: f64) -> Result<Datum, Fault> {
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        let whole = number.trunc();
        if !(-BEYOND..BEYOND).contains(&whole) {
            return Err(self.unusable("the number is NaN or beyond a 64-bit integer; guard it with isNaN()"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        Ok(Datum::Int(whole as i64))
    }

    fn to_json(&self, value: &Datum, meter: &mut Meter) -> Result<Datum, Fault> {
        let json = self.json(value, meter)?;
        let text = serde_json::to_string_pretty(&json);
        text.map(Datum::text)
            .map_err(|_| self.unusable("the value cannot be written as JSON"))
    }

    fn json(&self, value: &Datum, meter: &mut Meter) -> Result<serde_json::Value, Fault> {
        use serde_json::Value as Json;
        meter.spend(1)?;
        Ok(match value {
            Datum::Nil => Json::Null,
            Datum::Bool(bool) => Json::from(*bool),
            Datum::Int(number) => Json::from(*number),
            // Go writes a whole float without its fraction.
            Datum::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
                Json::from(*number as i64)
            }
            Datum::Float(number) => serde_json::Number::from_f64(*number)
                .map(Json::Number)
                .ok_or_else(|| self.unusable("JSON has no NaN and no infinity"))?,
            Datum::Text(text) => {
                meter.spend_text(text.len())?;
                Json::from(text.as_ref())
            }
            Datum::List(list) => {
                let items: Result<_, _> = list.items.iter().map(|item| self.json(item, meter)).collect();
                Json::Array(items?)
            }
            Datum::Map(map) => {
                let mut fields = serde_json::Map::new();
                for (name, value) in &map.fields {
                    meter.spend_text(name.len())?;
                    fields.insert(name.as_ref().to_owned(), self.json(value, meter)?);
                }
                Json::Object(fields)
            }
            Datum::Time(time) => Json::from(time.to_string()),
            Datum::Duration(span) => i64::try_from(span.as_nanos())
                .map(Json::from)
                .map_err(|_| self.unusable("the duration is beyond 292 years"))?,
        })
    }

    fn read_json(&self, text: &str, meter: &mut Meter) -> Result<Datum, Fault> {
        // The least that an element takes is two bytes, so this bounds what is built as well.
        meter.spend(text.len() / 2)?;
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|_| self.unreadable(text, "write valid JSON"))?;
        Datum::measured(&Value::from_json(&json))
    }
}

/// The type as the language's `type()` names it.
fn type_word(value: &Datum) -> &'static str {
    match value.kind() {
        Kind::Nil => "nil",
        Kind::Float => "float",
        Kind::List => "array",
        Kind::Map => "map",
        other => other.name(),
    }
}

/// Writes a value as a measurement's value is shown.
fn write(value: &Datum, text: &mut String, meter: &mut Meter) -> Result<(), Fault> {
    meter.spend(1)?;
    match value {
        Datum::Nil => text.push_str("<nil>"),
        Datum::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
        Datum::Int(number) => text.push_str(&number.to_string()),
        // Writing to a String cannot fail.
        Datum::Float(number) => drop(write_float(text, *number)),
        Datum::Text(inner) => {
            meter.spend_text(inner.len())?;
            text.push_str(inner);
        }
        Datum::List(list) => {
            text.push('[');
            for (index, item) in list.items.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                write(item, text, meter)?;
            }
            text.push(']');
        }
        Datum::Map(map) => {
            text.push('{');
            for (index, (name, value)) in map.fields.iter().enumerate() {
                meter.spend_text(name.len())?;
                text.push_str(if index > 0 { "," } else { "" });
                text.push_str(name);
                text.push(':');
                write(value, text, meter)?;
            }
            text.push('}');
        }
        Datum::Time(time) => text.push_str(&time.to_string()),
        Datum::Duration(span) => text.push_str(&format!("{span:#}")),
    }
    Ok(())
}

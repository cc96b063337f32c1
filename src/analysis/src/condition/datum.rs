//! Values while a condition is computed: shared, so that copying one costs nothing, bounded in depth, so that dropping one cannot run out of
//! stack, and with the times and durations that a measured value never is. The evaluator and the functions use it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::Fault;
use super::kind::Kind;
use crate::value::Value;

/// Lists in lists that a condition may hold or build.
const MOST_DEPTH: usize = 256;

#[derive(Clone, Debug)]
pub(super) enum Datum {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<List>),
    Map(Rc<Map>),
    Time(jiff::Timestamp),
    Duration(jiff::SignedDuration),
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Vec<Datum>,
    depth: usize,
}

#[derive(Debug)]
pub(super) struct Map {
    pub(super) fields: BTreeMap<Rc<str>, Datum>,
    depth: usize,
}

impl Datum {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Result<Self, Fault> {
        let depth = depth_over(items.iter())?;
        Ok(Self::List(Rc::new(List { items, depth })))
    }

    pub(super) fn map(fields: BTreeMap<Rc<str>, Self>) -> Result<Self, Fault> {
        let depth = depth_over(fields.values())?;
        Ok(Self::Map(Rc::new(Map { fields, depth })))
    }

    /// Takes over a measured value.
    pub(super) fn measured(value: &Value) -> Result<Self, Fault> {
        Self::measured_at(value, 0)
    }

    fn measured_at(value: &Value, level: usize) -> Result<Self, Fault> {
        if level > MOST_DEPTH {
            return Err(Fault::TooDeep { limit: MOST_DEPTH });
        }
        Ok(match value {
            Value::Nil => Self::Nil,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::String(text) => Self::text(text.as_str()),
            Value::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| Self::measured_at(item, level + 1)).collect();
                Self::list(items?)?
            }
            Value::Map(fields) => {
                let fields: Result<_, Fault> = fields
                    .iter()
                    .map(|(name, value)| Ok((Rc::from(name.as_str()), Self::measured_at(value, level + 1)?)))
                    .collect();
                Self::map(fields?)?
            }
        })
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Nil,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Time(_) => Kind::Time,
            Self::Duration(_) => Kind::Duration,
        }
    }

    /// As Go names the type; a list of floats is `[]float64`, as Argo's Prometheus provider makes it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::List(list)
                if !list.items.is_empty() && list.items.iter().all(|item| matches!(item, Self::Float(_))) =>
            {
                "[]float64"
            }
            other => other.kind().name(),
        }
    }

    /// The number as a float, as Go converts it.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "Go's float64(int) rounds the same way")]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }
}

fn depth_over<'a>(inside: impl Iterator<Item = &'a Datum>) -> Result<usize, Fault> {
    let depth = 1 + inside.map(Datum::depth).max().unwrap_or(0);
    if depth > MOST_DEPTH {
        return Err(Fault::TooDeep { limit: MOST_DEPTH });
    }
    Ok(depth)
}

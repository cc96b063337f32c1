//! What operators do with the values at their sides: arithmetic, order, equality, membership and text. Kinds are judged by [`Kind::of_operation`];
//! here are the results. The evaluator uses it, and functions that compare.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::Operator;
use super::datum::Datum;
use super::error::{Fault, Mismatch};
use super::kind::Kind;
use super::meter::Meter;
use super::pattern;

/// Computes `left operator right`; `and`, `or` and `??` are computed here too, though the evaluator skips their right side when it can.
pub(super) fn operate(operator: Operator, left: &Datum, right: &Datum, meter: &mut Meter) -> Result<Datum, Fault> {
    if operator == Operator::Coalesce {
        return Ok(if left.kind() == Kind::Nil { right } else { left }.clone());
    }
    let mismatch = || mismatched(operator, left, right);
    Kind::of_operation(operator, left.kind(), right.kind()).ok_or_else(mismatch)?;
    let bool = |answer| Ok(Datum::Bool(answer));
    match (operator, left, right) {
        (Operator::And, Datum::Bool(left), Datum::Bool(right)) => bool(*left && *right),
        (Operator::Or, Datum::Bool(left), Datum::Bool(right)) => bool(*left || *right),
        (Operator::Equal, ..) => bool(equal(left, right, meter)?),
        (Operator::Unequal, ..) => bool(!equal(left, right, meter)?),
        (Operator::Less, ..) => bool(order(left, right, meter)? == Some(Ordering::Less)),
        (Operator::Greater, ..) => bool(order(left, right, meter)? == Some(Ordering::Greater)),
        (Operator::LessOrEqual, ..) => bool(order(left, right, meter)?.is_some_and(Ordering::is_le)),
        (Operator::GreaterOrEqual, ..) => bool(order(left, right, meter)?.is_some_and(Ordering::is_ge)),
        (Operator::In, ..) => bool(is_in(left, right, meter)?),
        (Operator::Range, Datum::Int(from), Datum::Int(to)) => range(*from, *to, meter),
        (_, Datum::Text(left), Datum::Text(right)) => texts(operator, left, right, meter)?.ok_or_else(mismatch),
        (_, Datum::Time(_) | Datum::Duration(_), _) | (_, _, Datum::Time(_) | Datum::Duration(_)) => {
            times(operator, left, right).ok_or(Fault::Overflow {
                operation: operator.symbol(),
            })
        }
        (_, Datum::Int(left), Datum::Int(right)) => ints(operator, *left, *right),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => floats(operator, left, right).ok_or_else(mismatch),
            _ => Err(mismatch()),
        },
    }
}

fn mismatched(operator: Operator, left: &Datum, right: &Datum) -> Fault {
    Mismatch::Operands {
        operator: operator.symbol(),
        left: left.type_name().to_owned(),
        right: right.type_name().to_owned(),
    }
    .into()
}

/// Whether two values are the same. Unlike kinds are not; ints and floats compare as numbers; NaN is not itself.
pub(super) fn equal(left: &Datum, right: &Datum, meter: &mut Meter) -> Result<bool, Fault> {
    meter.spend(1)?;
    Ok(match (left, right) {
        (Datum::Nil, Datum::Nil) => true,
        (Datum::Bool(left), Datum::Bool(right)) => left == right,
        (Datum::Int(left), Datum::Int(right)) => left == right,
        (Datum::Text(left), Datum::Text(right)) => {
            meter.spend_text(left.len().min(right.len()))?;
            left == right
        }
        (Datum::Time(left), Datum::Time(right)) => left == right,
        (Datum::Duration(left), Datum::Duration(right)) => left == right,
        (Datum::List(left), Datum::List(right)) => {
            let mut same = left.items.len() == right.items.len();
            for (left, right) in left.items.iter().zip(&right.items) {
                same = same && equal(left, right, meter)?;
            }
            same
        }
        (Datum::Map(left), Datum::Map(right)) => {
            let mut same = left.fields.len() == right.fields.len();
            for ((left_name, left), (right_name, right)) in left.fields.iter().zip(&right.fields) {
                same = same && left_name == right_name && equal(left, right, meter)?;
            }
            same
        }
        #[expect(clippy::float_cmp, reason = "== in a condition is IEEE equality, as in Go")]
        _ => matches!((left.number(), right.number()), (Some(left), Some(right)) if left == right),
    })
}

/// The order of two values that have one; none for NaN and for kinds without order.
pub(super) fn order(left: &Datum, right: &Datum, meter: &mut Meter) -> Result<Option<Ordering>, Fault> {
    Ok(match (left, right) {
        (Datum::Int(left), Datum::Int(right)) => Some(left.cmp(right)),
        (Datum::Text(left), Datum::Text(right)) => {
            meter.spend_text(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        (Datum::Time(left), Datum::Time(right)) => Some(left.cmp(right)),
        (Datum::Duration(left), Datum::Duration(right)) => Some(left.cmp(right)),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => None,
        },
    })
}

/// Whether a list holds the value, or a map the name. A list in which nothing is of the value's kind is a mistake.
fn is_in(needle: &Datum, hay: &Datum, meter: &mut Meter) -> Result<bool, Fault> {
    match (needle, hay) {
        (Datum::Text(name), Datum::Map(map)) => Ok(map.fields.contains_key(name)),
        (_, Datum::List(list)) => {
            let mut comparable = list.items.is_empty();
            for item in &list.items {
                if equal(needle, item, meter)? {
                    return Ok(true);
                }
                comparable |= Kind::of_operation(Operator::Equal, needle.kind(), item.kind()).is_some();
            }
            comparable
                .then_some(false)
                .ok_or_else(|| mismatched(Operator::In, needle, hay))
        }
        _ => Ok(false),
    }
}

/// Every int from one to another, both included; empty when they stand the wrong way round.
fn range(from: i64, to: i64, meter: &mut Meter) -> Result<Datum, Fault> {
    let length = i128::from(to) - i128::from(from) + 1;
    meter.spend(usize::try_from(length.max(0)).unwrap_or(usize::MAX))?;
    Datum::list((from..=to).map(Datum::Int).collect())
}

fn texts(operator: Operator, left: &str, right: &str, meter: &mut Meter) -> Result<Option<Datum>, Fault> {
    meter.spend_text(left.len() + right.len())?;
    let bool = |answer| Ok(Some(Datum::Bool(answer)));
    match operator {
        Operator::Add => Ok(Some(Datum::Text(Rc::from([left, right].concat())))),
        Operator::Contains => bool(left.contains(right)),
        Operator::StartsWith => bool(left.starts_with(right)),
        Operator::EndsWith => bool(left.ends_with(right)),
        Operator::Matches => bool(matching(left, right, meter)?),
        _ => Ok(None),
    }
}

/// Compiling a pattern made at run time costs more than most steps.
fn matching(text: &str, source: &str, meter: &mut Meter) -> Result<bool, Fault> {
    const COMPILING: usize = 2000;
    meter.spend(COMPILING + source.len())?;
    let compiled = pattern(source).map_err(|reason| Fault::Pattern { reason })?;
    Ok(compiled.is_match(text))
}

fn ints(operator: Operator, left: i64, right: i64) -> Result<Datum, Fault> {
    let number = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Remainder if right == 0 => return Err(Fault::RemainderByZero),
        // The smallest int by -1 overflows on the way to its remainder, 0.
        Operator::Remainder => Some(left.wrapping_rem(right)),
        _ => {
            let (left, right) = (Datum::Int(left), Datum::Int(right));
            let numbers = (left.number().unwrap_or(f64::NAN), right.number().unwrap_or(f64::NAN));
            return floats(operator, numbers.0, numbers.1).ok_or_else(|| mismatched(operator, &left, &right));
        }
    };
    let operation = operator.symbol();
    number.map(Datum::Int).ok_or(Fault::Overflow { operation })
}

fn floats(operator: Operator, left: f64, right: f64) -> Option<Datum> {
    Some(Datum::Float(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Power => left.powf(right),
        _ => return None,
    }))
}

/// None when the result is beyond what a time or duration holds.
fn times(operator: Operator, left: &Datum, right: &Datum) -> Option<Datum> {
    match (operator, left, right) {
        (Operator::Add, Datum::Time(time), Datum::Duration(span))
        | (Operator::Add, Datum::Duration(span), Datum::Time(time)) => time.checked_add(*span).ok().map(Datum::Time),
        (Operator::Subtract, Datum::Time(time), Datum::Duration(span)) => time.checked_sub(*span).ok().map(Datum::Time),
        (Operator::Subtract, Datum::Time(left), Datum::Time(right)) => {
            Some(Datum::Duration(left.duration_since(*right)))
        }
        (Operator::Add, Datum::Duration(left), Datum::Duration(right)) => left.checked_add(*right).map(Datum::Duration),
        (Operator::Subtract, Datum::Duration(left), Datum::Duration(right)) => {
            left.checked_sub(*right).map(Datum::Duration)
        }
        _ => None,
    }
}

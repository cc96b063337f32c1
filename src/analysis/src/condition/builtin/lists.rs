//! Functions of lists and maps, and the sorting and adding that functions with closures share.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::ast::Operator;
use super::super::datum::Datum;
use super::super::error::{Fault, Mismatch};
use super::super::function::Function;
use super::super::kind::{Kind, Kinds};
use super::super::member::element;
use super::super::meter::Meter;
use super::super::operation::equal;
use super::{Call, Computed};

impl Call<'_> {
    pub(super) fn list(&self, function: Function, meter: &mut Meter) -> Computed {
        match (self.arguments.first()?, function) {
            (_, Function::Concat) => Some(self.concat(meter)),
            (Datum::List(list), _) => self.of_list(&list.items, function, meter),
            (Datum::Map(map), Function::Len) => Some(Ok(length(map.fields.len()))),
            (Datum::Map(map), Function::Keys) => {
                let keys = map.fields.keys().cloned().map(Datum::Text).collect();
                Some(meter.spend(map.fields.len()).and_then(|()| Datum::list(keys)))
            }
            (Datum::Map(map), Function::Values) => {
                let values = map.fields.values().cloned().collect();
                Some(meter.spend(map.fields.len()).and_then(|()| Datum::list(values)))
            }
            (Datum::Nil, Function::First | Function::Last) => Some(Ok(Datum::Nil)),
            _ => None,
        }
    }

    fn of_list(&self, items: &[Datum], function: Function, meter: &mut Meter) -> Computed {
        Some(match function {
            Function::Len => Ok(length(items.len())),
            Function::First => Ok(element(items, 0).unwrap_or(Datum::Nil)),
            Function::Last => Ok(element(items, -1).unwrap_or(Datum::Nil)),
            Function::Take => self.take(items, meter),
            Function::Reverse => meter
                .spend(items.len())
                .and_then(|()| Datum::list(items.iter().rev().cloned().collect())),
            Function::Sort => {
                let keyed = items.iter().map(|item| (item.clone(), item.clone())).collect();
                sorted(self.name, keyed, self.arguments.get(1), meter)
            }
            Function::Join => self.join(items, meter),
            Function::Flatten => {
                let mut flat = Vec::new();
                flatten(items, &mut flat, meter).and_then(|()| Datum::list(flat))
            }
            Function::Uniq => uniq(items, meter),
            _ => return None,
        })
    }

    fn take(&self, items: &[Datum], meter: &mut Meter) -> Result<Datum, Fault> {
        let wanted = match self.arguments.get(1) {
            Some(Datum::Int(wanted)) => usize::try_from(*wanted).ok(),
            _ => None,
        };
        let wanted = wanted.ok_or_else(|| self.unusable("cannot take less than nothing"))?;
        let taken = items.get(..wanted).unwrap_or(items);
        meter.spend(taken.len())?;
        Datum::list(taken.to_vec())
    }

    fn concat(&self, meter: &mut Meter) -> Result<Datum, Fault> {
        let mut all = Vec::new();
        for list in self.arguments {
            if let Datum::List(list) = list {
                meter.spend(list.items.len())?;
                all.extend(list.items.iter().cloned());
            }
        }
        Datum::list(all)
    }

    fn join(&self, items: &[Datum], meter: &mut Meter) -> Result<Datum, Fault> {
        let between = match self.arguments.get(1) {
            Some(Datum::Text(between)) => between.as_ref(),
            _ => "",
        };
        let mut joined = String::new();
        for (index, item) in items.iter().enumerate() {
            let Datum::Text(text) = item else {
                return Err(self.mismatch(Kinds::TEXT, item));
            };
            meter.spend(1)?;
            meter.spend_text(between.len() + text.len())?;
            joined.push_str(if index > 0 { between } else { "" });
            joined.push_str(text);
        }
        Ok(Datum::Text(Rc::from(joined)))
    }
}

fn length(length: usize) -> Datum {
    Datum::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn flatten(items: &[Datum], flat: &mut Vec<Datum>, meter: &mut Meter) -> Result<(), Fault> {
    meter.spend(items.len())?;
    for item in items {
        match item {
            Datum::List(list) => flatten(&list.items, flat, meter)?,
            other => flat.push(other.clone()),
        }
    }
    Ok(())
}

/// The first of each group of equal elements.
fn uniq(items: &[Datum], meter: &mut Meter) -> Result<Datum, Fault> {
    let mut kept: Vec<Datum> = Vec::new();
    for item in items {
        let mut seen = false;
        for other in &kept {
            seen = seen || equal(item, other, meter)?;
        }
        if !seen {
            kept.push(item.clone());
        }
    }
    Datum::list(kept)
}

/// The items in the order of their keys, which must be all numbers, all texts, all times or all durations. Equal ones keep their order; NaN comes
/// last.
pub(in super::super) fn sorted(
    function: &'static str,
    mut keyed: Vec<(Datum, Datum)>,
    direction: Option<&Datum>,
    meter: &mut Meter,
) -> Result<Datum, Fault> {
    let descending = match direction {
        None => false,
        Some(Datum::Text(word)) if word.as_ref() == "asc" => false,
        Some(Datum::Text(word)) if word.as_ref() == "desc" => true,
        Some(_) => {
            let problem = "the order is \"asc\" or \"desc\"";
            return Err(Fault::Unusable { function, problem });
        }
    };
    let texts = || {
        keyed.iter().map(|(key, _)| match key {
            Datum::Text(text) => text.len(),
            _ => 0,
        })
    };
    let halvings = (usize::BITS - keyed.len().leading_zeros()) as usize;
    meter.spend(keyed.len().saturating_mul(halvings) / 4)?;
    meter.spend_text(texts().sum::<usize>().saturating_mul(halvings))?;
    let order = ordering(keyed.iter().map(|(key, _)| key))?;
    keyed.sort_by(|(left, _), (right, _)| {
        let nan = |key: &Datum| key.number().is_some_and(f64::is_nan);
        let forward = order(left, right);
        let forward = if descending { forward.reverse() } else { forward };
        nan(left).cmp(&nan(right)).then(forward)
    });
    Datum::list(keyed.into_iter().map(|(_, item)| item).collect())
}

/// An order of all the keys, which is total, as sorting requires; NaN is the caller's.
fn ordering<'a>(keys: impl Iterator<Item = &'a Datum>) -> Result<fn(&Datum, &Datum) -> Ordering, Fault> {
    let mut keys = keys.peekable();
    let Some(first) = keys.peek().copied() else {
        return Ok(|_, _| Ordering::Equal);
    };
    let mut exact = true;
    for key in keys {
        exact = exact && matches!(key, Datum::Int(_));
        let comparable = Kind::of_operation(Operator::Less, first.kind(), key.kind());
        if comparable.is_none() {
            return Err(Mismatch::Operands {
                operator: Operator::Less.symbol(),
                left: first.type_name().to_owned(),
                right: key.type_name().to_owned(),
            }
            .into());
        }
    }
    Ok(match first {
        Datum::Int(_) | Datum::Float(_) if !exact => |left, right| {
            let pair = left.number().zip(right.number());
            pair.and_then(|(left, right)| left.partial_cmp(&right))
                .unwrap_or(Ordering::Equal)
        },
        _ => |left, right| match (left, right) {
            (Datum::Int(left), Datum::Int(right)) => left.cmp(right),
            (Datum::Text(left), Datum::Text(right)) => left.cmp(right),
            (Datum::Time(left), Datum::Time(right)) => left.cmp(right),
            (Datum::Duration(left), Datum::Duration(right)) => left.cmp(right),
            _ => Ordering::Equal,
        },
    })
}

/// The sum of numbers; an int while all of them are.
pub(in super::super) fn total(function: &'static str, items: &[Datum], meter: &mut Meter) -> Result<Datum, Fault> {
    meter.spend(items.len())?;
    let mut sum = Datum::Int(0);
    for item in items {
        sum = match (&sum, item) {
            (Datum::Int(sum), Datum::Int(number)) => {
                let added = sum.checked_add(*number).map(Datum::Int);
                added.ok_or(Fault::Overflow { operation: "sum()" })?
            }
            (sum, number) => match (sum.number(), number.number()) {
                (Some(sum), Some(number)) => Datum::Float(sum + number),
                _ => {
                    return Err(Mismatch::Argument {
                        function,
                        takes: "a list of numbers".to_owned(),
                        got: format!("one that holds {}", number.type_name()),
                    }
                    .into());
                }
            },
        };
    }
    Ok(sum)
}

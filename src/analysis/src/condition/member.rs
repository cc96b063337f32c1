//! Taking things out of lists, maps and texts: elements, fields and slices. An element that is not there is a fault, a field that is not there is
//! nil, as in Go. The evaluator and `get`, `first` and `last` use it.

use super::datum::Datum;
use super::error::{Fault, Mismatch};
use super::meter::Meter;

/// `base[key]` or `base.key`.
pub(super) fn of(base: &Datum, key: &Datum) -> Result<Datum, Fault> {
    let whole = whole(key);
    match (base, key, whole) {
        (Datum::List(list), _, Some(index)) => element(&list.items, index),
        (Datum::Map(map), Datum::Text(name), _) => Ok(map.fields.get(name).cloned().unwrap_or(Datum::Nil)),
        _ => Err(Mismatch::Member {
            key: key.type_name().to_owned(),
            from: base.type_name().to_owned(),
        }
        .into()),
    }
}

/// An element of a list, counted from its end when negative.
pub(super) fn element(items: &[Datum], index: i64) -> Result<Datum, Fault> {
    let length = items.len();
    let out = Fault::OutOfRange { index, length };
    let place = from_start(index, length).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| items.get(place)).cloned().ok_or(out)
}

/// `base[from:to]`, where bounds beyond the ends count as the ends.
pub(super) fn slice(base: &Datum, from: Option<&Datum>, to: Option<&Datum>, meter: &mut Meter) -> Result<Datum, Fault> {
    let bound = |bound: Option<&Datum>, otherwise: i64| match bound {
        None => Ok(otherwise),
        Some(bound) => whole(bound).ok_or_else(|| unsliceable(base, bound)),
    };
    let (from, to) = (bound(from, 0)?, bound(to, i64::MAX)?);
    match base {
        Datum::List(list) => {
            let (start, end) = ends(from, to, list.items.len());
            meter.spend(end - start)?;
            Datum::list(list.items.get(start..end).unwrap_or_default().to_vec())
        }
        Datum::Text(text) => {
            meter.spend_text(text.len())?;
            let (start, end) = ends(from, to, text.chars().count());
            let kept: String = text.chars().skip(start).take(end - start).collect();
            Ok(Datum::text(kept))
        }
        other => Err(unsliceable(other, &Datum::Int(0))),
    }
}

fn unsliceable(base: &Datum, bound: &Datum) -> Fault {
    Mismatch::Slice {
        from: base.type_name().to_owned(),
        bound: bound.type_name().to_owned(),
    }
    .into()
}

/// The int that an index is; a float, as JSON's numbers are, when it is whole.
fn whole(index: &Datum) -> Option<i64> {
    match index {
        Datum::Int(index) => Some(*index),
        Datum::Float(index) if index.fract() == 0.0 && index.abs() < 1e15 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
            Some(*index as i64)
        }
        _ => None,
    }
}

fn from_start(index: i64, length: usize) -> Option<i64> {
    if index >= 0 {
        return Some(index);
    }
    i64::try_from(length).ok()?.checked_add(index)
}

/// Start and end of a slice, in order and within the length.
fn ends(from: i64, to: i64, length: usize) -> (usize, usize) {
    let clamp = |bound| {
        let bound = from_start(bound, length).unwrap_or(0).max(0);
        usize::try_from(bound).unwrap_or(length).min(length)
    };
    let end = clamp(to);
    (clamp(from).min(end), end)
}

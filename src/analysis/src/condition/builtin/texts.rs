//! Functions of text. Positions and lengths count characters.

use std::rc::Rc;

use super::super::datum::Datum;
use super::super::error::Fault;
use super::super::function::Function;
use super::super::meter::Meter;
use super::{Call, Computed};

impl Call<'_> {
    pub(super) fn text(&self, function: Function, meter: &mut Meter) -> Computed {
        let texts: Vec<&str> = self
            .arguments
            .iter()
            .map_while(|argument| match argument {
                Datum::Text(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let bytes = texts.iter().map(|text| text.len()).sum();
        if let Err(fault) = meter.spend_text(bytes) {
            return Some(Err(fault));
        }
        let text = |text: &str| Some(Ok(Datum::text(text)));
        match (function, texts.as_slice()) {
            (Function::Upper, [of]) => text(&of.to_uppercase()),
            (Function::Lower, [of]) => text(&of.to_lowercase()),
            (Function::Trim, [of]) => text(of.trim()),
            (Function::Trim, [of, away]) => text(of.trim_matches(|c| away.contains(c))),
            (Function::TrimPrefix, [of, away]) => text(of.strip_prefix(away).unwrap_or(of)),
            (Function::TrimSuffix, [of, away]) => text(of.strip_suffix(away).unwrap_or(of)),
            (Function::HasPrefix, [of, start]) => Some(Ok(Datum::Bool(of.starts_with(start)))),
            (Function::HasSuffix, [of, end]) => Some(Ok(Datum::Bool(of.ends_with(end)))),
            (Function::IndexOf, [of, part]) => Some(Ok(place(of, of.find(part)))),
            (Function::LastIndexOf, [of, part]) => Some(Ok(place(of, of.rfind(part)))),
            (Function::Replace, [of, old, new]) => Some(replaced(of, old, new, meter)),
            (Function::Split, [of, at]) => Some(self.split(of, at, meter)),
            (Function::Len, [of]) => Some(Ok(count(of.chars().count()))),
            _ => None,
        }
    }

    fn split(&self, of: &str, at: &str, meter: &mut Meter) -> Result<Datum, Fault> {
        let most = match self.arguments.get(2) {
            Some(Datum::Int(most)) => usize::try_from(*most).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let parts: Vec<&str> = if at.is_empty() {
            characters(of, most)
        } else {
            of.splitn(most, at).collect()
        };
        meter.spend(parts.len())?;
        Datum::list(parts.into_iter().map(Datum::text).collect())
    }
}

/// Single characters, the last part holding what is beyond the limit.
fn characters(of: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = of;
    while let Some(first) = rest.chars().next() {
        let length = if parts.len() + 1 >= most {
            rest.len()
        } else {
            first.len_utf8()
        };
        if most == 0 {
            break;
        }
        let (part, after) = rest.split_at(length);
        parts.push(part);
        rest = after;
    }
    parts
}

fn count(length: usize) -> Datum {
    Datum::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

/// A place in characters, -1 when there is none.
fn place(of: &str, byte: Option<usize>) -> Datum {
    match byte.and_then(|byte| of.get(..byte)) {
        Some(before) => count(before.chars().count()),
        None => Datum::Int(-1),
    }
}

fn replaced(of: &str, old: &str, new: &str, meter: &mut Meter) -> Result<Datum, Fault> {
    let places = of.matches(old).count();
    meter.spend_text(places.saturating_mul(new.len()))?;
    Ok(Datum::Text(Rc::from(of.replace(old, new))))
}

//! The functions that take values only: which file computes which. The check has judged how many arguments there are; their types are judged here,
//! by the same table of signatures.

mod convert;
mod lists;
mod numbers;
mod texts;
mod times;

use super::datum::Datum;
use super::error::{Fault, Mismatch};
use super::evaluate::Evaluation;
use super::function::{Function, Signature};
use super::kind::Kinds;
use super::member;
use super::meter::Meter;
use crate::semantics::Semantics;

pub(super) use lists::{sorted, total};

/// Calls a function without a closure.
pub(super) fn call(evaluation: &mut Evaluation, signature: &Signature, arguments: &[Datum]) -> Result<Datum, Fault> {
    for (place, argument) in arguments.iter().enumerate() {
        accept(signature, place, argument)?;
    }
    let call = Call {
        name: signature.name,
        arguments,
    };
    let whole = &evaluation.result;
    let semantics = evaluation.scope.semantics;
    match (signature.function, arguments) {
        // Argo's functions hold on to the measured value and do not look at what they are given.
        (Function::IsNil, _) if semantics == Semantics::Argo => Ok(Datum::Bool(matches!(whole, Datum::Nil))),
        (Function::Default, [_, other]) if semantics == Semantics::Argo => Ok(or_else(whole, other)),
        (Function::IsNil, [value]) => Ok(Datum::Bool(matches!(value, Datum::Nil))),
        (Function::Default, [value, other]) => Ok(or_else(value, other)),
        (Function::Now, _) => Ok(Datum::Time(evaluation.scope.now)),
        (Function::Get, [base, key]) => Ok(member::of(base, key).unwrap_or(Datum::Nil)),
        (function, _) => call.compute(function, &mut evaluation.meter),
    }
}

fn or_else(value: &Datum, other: &Datum) -> Datum {
    if matches!(value, Datum::Nil) { other } else { value }.clone()
}

/// Refuses an argument of a kind that the function does not take there.
pub(super) fn accept(signature: &Signature, place: usize, argument: &Datum) -> Result<(), Fault> {
    let takes = signature.takes(place);
    if !takes.and(Kinds::one(argument.kind())).is_none() {
        return Ok(());
    }
    Err(Mismatch::Argument {
        function: signature.name,
        takes: takes.names(),
        got: argument.type_name().to_owned(),
    }
    .into())
}

/// A call whose arguments are of the right kinds.
struct Call<'a> {
    name: &'static str,
    arguments: &'a [Datum],
}

impl Call<'_> {
    fn compute(&self, function: Function, meter: &mut Meter) -> Result<Datum, Fault> {
        self.number(function, meter)
            .or_else(|| self.convert(function, meter))
            .or_else(|| self.text(function, meter))
            .or_else(|| self.list(function, meter))
            .or_else(|| self.time(function))
            .unwrap_or_else(|| Err(self.unusable("cannot be called like this")))
    }

    fn unusable(&self, problem: &'static str) -> Fault {
        Fault::Unusable {
            function: self.name,
            problem,
        }
    }

    fn unreadable(&self, text: &str, advice: &'static str) -> Fault {
        let mut shown: String = text.chars().take(40).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Fault::Unreadable {
            function: self.name,
            text: shown,
            advice,
        }
    }

    fn mismatch(&self, takes: Kinds, got: &Datum) -> Fault {
        Mismatch::Argument {
            function: self.name,
            takes: takes.names(),
            got: got.type_name().to_owned(),
        }
        .into()
    }
}

/// What a function found, or nothing when it is none of that file's.
type Computed = Option<Result<Datum, Fault>>;

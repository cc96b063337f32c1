//! Functions of numbers, and of lists of numbers, lists inside them included: rounding, extremes, averages, NaN and infinity. Extremes keep Go's
//! way with NaN, which never compares: what they give for a list that holds one depends on its order.

use super::super::datum::Datum;
use super::super::error::Fault;
use super::super::function::Function;
use super::super::kind::Kinds;
use super::super::meter::Meter;
use super::{Call, Computed};

impl Call<'_> {
    pub(super) fn number(&self, function: Function, meter: &mut Meter) -> Computed {
        let first = || self.arguments.first().and_then(Datum::number);
        let float = |of: fn(f64) -> f64| first().map(|number| Ok(Datum::Float(of(number))));
        let answer = |of: fn(f64) -> bool| first().map(|number| Ok(Datum::Bool(of(number))));
        match function {
            Function::Abs => match self.arguments.first() {
                Some(Datum::Int(number)) => {
                    let positive = number.checked_abs().map(Datum::Int);
                    Some(positive.ok_or(Fault::Overflow { operation: "abs()" }))
                }
                _ => float(f64::abs),
            },
            Function::Ceil => float(f64::ceil),
            Function::Floor => float(f64::floor),
            Function::Round => float(f64::round),
            Function::IsNan => answer(f64::is_nan),
            Function::IsInf => answer(f64::is_infinite),
            Function::Max => Some(self.extreme(|kept, next| kept < next, meter)),
            Function::Min => Some(self.extreme(|kept, next| kept > next, meter)),
            Function::Mean => Some(self.mean(meter)),
            Function::Median => Some(self.median(meter)),
            _ => None,
        }
    }

    fn extreme(&self, gives_way: fn(f64, f64) -> bool, meter: &mut Meter) -> Result<Datum, Fault> {
        let mut kept: Option<Datum> = None;
        self.each_number(self.arguments, meter, &mut |datum, number| {
            let replaced = kept
                .as_ref()
                .and_then(Datum::number)
                .is_none_or(|kept| gives_way(kept, number));
            if replaced {
                kept = Some(datum.clone());
            }
        })?;
        Ok(kept.unwrap_or(Datum::Nil))
    }

    fn mean(&self, meter: &mut Meter) -> Result<Datum, Fault> {
        let (mut sum, mut count) = (0.0, 0.0);
        self.each_number(self.arguments, meter, &mut |_, number| {
            sum += number;
            count += 1.0;
        })?;
        Ok(Datum::Float(if count == 0.0 { 0.0 } else { sum / count }))
    }

    fn median(&self, meter: &mut Meter) -> Result<Datum, Fault> {
        let mut numbers = Vec::new();
        self.each_number(self.arguments, meter, &mut |_, number| numbers.push(number))?;
        // Go sorts NaN before everything else.
        numbers.sort_by(|left, right| right.is_nan().cmp(&left.is_nan()).then(left.total_cmp(right)));
        let middle = numbers.len() / 2;
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0.0);
        Ok(Datum::Float(match numbers.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => at(middle),
            _ => f64::midpoint(at(middle - 1), at(middle)),
        }))
    }

    fn each_number(&self, of: &[Datum], meter: &mut Meter, visit: &mut dyn FnMut(&Datum, f64)) -> Result<(), Fault> {
        meter.spend(of.len())?;
        for datum in of {
            match (datum, datum.number()) {
                (_, Some(number)) => visit(datum, number),
                (Datum::List(list), _) => self.each_number(&list.items, meter, visit)?,
                _ => return Err(self.mismatch(Kinds::NUMBER, datum)),
            }
        }
        Ok(())
    }
}

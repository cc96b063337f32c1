//! The functions that ask a closure about each element of a list: `all`, `filter`, `map`, `reduce` and their kin. They run on the evaluator, since a
//! closure is an expression.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::Node;
use super::builtin;
use super::datum::Datum;
use super::error::{Fault, Mismatch};
use super::evaluate::{Element, Evaluated, Evaluation, Stop};
use super::function::{Function, Signature};

/// Calls a function whose second argument, if it is there, is a closure.
pub(super) fn call(
    evaluation: &mut Evaluation,
    at: usize,
    signature: &'static Signature,
    list: &Node,
    rest: &[Node],
) -> Evaluated {
    let list = evaluation.value(list)?;
    let fault = |fault| Stop::Fault(at, fault);
    builtin::accept(signature, 0, &list).map_err(fault)?;
    let Datum::List(list) = list else {
        return Ok(Datum::Nil);
    };
    let (body, more) = match rest {
        [] => (None, None),
        [body, more @ ..] => (Some(body), more.first()),
    };
    let more = more.map(|more| evaluation.value(more)).transpose()?;
    let mut asking = Asking {
        evaluation,
        at,
        signature,
        body,
    };
    asking.answer(&list.items, more)
}

struct Asking<'a> {
    evaluation: &'a mut Evaluation,
    at: usize,
    signature: &'static Signature,
    /// Without a closure, `count` and `sum` take the elements themselves.
    body: Option<&'a Node>,
}

impl Asking<'_> {
    fn answer(&mut self, items: &[Datum], more: Option<Datum>) -> Evaluated {
        let bool = |answer| Ok(Datum::Bool(answer));
        match self.signature.function {
            Function::All => bool(self.first(items.iter().enumerate(), false)?.is_none()),
            Function::Any => bool(self.first(items.iter().enumerate(), true)?.is_some()),
            Function::None => bool(self.first(items.iter().enumerate(), true)?.is_none()),
            Function::One => bool(self.count(items)? == 1),
            Function::Count => Ok(int(self.count(items)?)),
            Function::Find => Ok(item(items, self.first(items.iter().enumerate(), true)?)),
            Function::FindLast => Ok(item(items, self.first(items.iter().enumerate().rev(), true)?)),
            Function::FindIndex => Ok(place(self.first(items.iter().enumerate(), true)?)),
            Function::FindLastIndex => Ok(place(self.first(items.iter().enumerate().rev(), true)?)),
            Function::Filter => {
                let mut kept = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    if self.holds(index, item)? {
                        kept.push(item.clone());
                    }
                }
                self.list(kept)
            }
            Function::Map => {
                let mapped = self.projected(items)?;
                self.list(mapped)
            }
            Function::Sum => {
                let numbers = self.projected(items)?;
                let sum = builtin::total(self.signature.name, &numbers, &mut self.evaluation.meter);
                sum.map_err(|fault| Stop::Fault(self.at, fault))
            }
            Function::SortBy => {
                let keys = self.projected(items)?;
                let keyed = keys.into_iter().zip(items.iter().cloned()).collect();
                let meter = &mut self.evaluation.meter;
                let sorted = builtin::sorted(self.signature.name, keyed, more.as_ref(), meter);
                sorted.map_err(|fault| Stop::Fault(self.at, fault))
            }
            Function::GroupBy => self.grouped(items),
            Function::Reduce => self.reduced(items, more),
            _ => Ok(Datum::Nil),
        }
    }

    fn value(&mut self, index: usize, item: &Datum, accumulator: Datum) -> Evaluated {
        let Some(body) = self.body else {
            self.evaluation.meter.spend(1).map_err(|fault| self.stop(fault))?;
            return Ok(item.clone());
        };
        let element = Element {
            item: item.clone(),
            index,
            accumulator,
        };
        self.evaluation.with(element, body)
    }

    fn holds(&mut self, index: usize, item: &Datum) -> Result<bool, Stop> {
        match self.value(index, item, Datum::Nil)? {
            Datum::Bool(answer) => Ok(answer),
            other => {
                let function = self.signature.name;
                let got = other.type_name().to_owned();
                Err(self.stop(Mismatch::Closure { function, got }.into()))
            }
        }
    }

    /// The place of the first element of which the closure says this.
    fn first<'d>(
        &mut self,
        items: impl Iterator<Item = (usize, &'d Datum)>,
        wanted: bool,
    ) -> Result<Option<usize>, Stop> {
        for (index, item) in items {
            if self.holds(index, item)? == wanted {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn count(&mut self, items: &[Datum]) -> Result<usize, Stop> {
        let mut count = 0;
        for (index, item) in items.iter().enumerate() {
            count += usize::from(self.holds(index, item)?);
        }
        Ok(count)
    }

    fn projected(&mut self, items: &[Datum]) -> Result<Vec<Datum>, Stop> {
        let items = items.iter().enumerate();
        items.map(|(index, item)| self.value(index, item, Datum::Nil)).collect()
    }

    fn grouped(&mut self, items: &[Datum]) -> Evaluated {
        let mut groups: BTreeMap<Rc<str>, Vec<Datum>> = BTreeMap::new();
        for (key, item) in self.projected(items)?.into_iter().zip(items) {
            let Datum::Text(key) = key else {
                let got = key.type_name().to_owned();
                return Err(self.stop(Mismatch::Key { got }.into()));
            };
            groups.entry(key).or_default().push(item.clone());
        }
        let mut fields = BTreeMap::new();
        for (key, items) in groups {
            fields.insert(key, self.list(items)?);
        }
        Datum::map(fields).map_err(|fault| self.stop(fault))
    }

    /// Starts from what is given, or from the first element.
    fn reduced(&mut self, items: &[Datum], start: Option<Datum>) -> Evaluated {
        let mut left = items.iter().enumerate();
        let mut accumulator = match start {
            Some(start) => start,
            None => match left.next() {
                Some((_, first)) => first.clone(),
                None => {
                    let function = self.signature.name;
                    let problem = "an empty list needs a value to start from";
                    return Err(self.stop(Fault::Unusable { function, problem }));
                }
            },
        };
        for (index, item) in left {
            accumulator = self.value(index, item, accumulator)?;
        }
        Ok(accumulator)
    }

    fn list(&self, items: Vec<Datum>) -> Evaluated {
        Datum::list(items).map_err(|fault| self.stop(fault))
    }

    fn stop(&self, fault: Fault) -> Stop {
        Stop::Fault(self.at, fault)
    }
}

fn int(count: usize) -> Datum {
    Datum::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn place(found: Option<usize>) -> Datum {
    found.map_or(Datum::Int(-1), int)
}

fn item(items: &[Datum], found: Option<usize>) -> Datum {
    found.and_then(|index| items.get(index)).cloned().unwrap_or(Datum::Nil)
}

//! Answers a condition for one measured value: walks the tree, skips what `and`, `or`, `?:` and `??` do not need, counts every step, and says where
//! it stops. Functions are under `builtin`; those with closures come back here for each element.

use super::Scope;
use super::ast::{Form, Link, Literal, Node, Operator, Pointer, Sign};
use super::datum::Datum;
use super::error::{Fault, Mismatch};
use super::function::Signature;
use super::meter::Meter;
use super::operation::operate;
use super::{MOST_STEPS, builtin, closure, member};
use crate::value::Value;

/// Why an expression has no value.
#[derive(Debug)]
pub(super) enum Stop {
    /// A `?.` found nothing: the chain around it is nil.
    Absent,
    /// A fault, and the byte offset of the expression.
    Fault(usize, Fault),
}

pub(super) type Evaluated = Result<Datum, Stop>;

/// Whether the condition holds, or where and why that cannot be said.
pub(super) fn evaluate(node: &Node, result: &Value, scope: Scope) -> Result<bool, (usize, Fault)> {
    let mut evaluation = Evaluation {
        result: Datum::measured(result).map_err(|fault| (node.at, fault))?,
        scope,
        meter: Meter::new(MOST_STEPS),
        locals: Vec::new(),
        elements: Vec::new(),
    };
    match evaluation.value(node) {
        Ok(Datum::Bool(answer)) => Ok(answer),
        Ok(other) => Err((node.at, not_bool(&other))),
        Err(Stop::Absent) => Err((node.at, not_bool(&Datum::Nil))),
        Err(Stop::Fault(at, fault)) => Err((at, fault)),
    }
}

fn not_bool(value: &Datum) -> Fault {
    let got = value.type_name();
    Fault::NotBool { got }
}

/// What a closure is asked about.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) item: Datum,
    pub(super) index: usize,
    pub(super) accumulator: Datum,
}

pub(super) struct Evaluation {
    pub(super) result: Datum,
    pub(super) scope: Scope,
    pub(super) meter: Meter,
    /// Values of `let` names in scope, outermost first.
    locals: Vec<Datum>,
    /// Elements of the closures that are open, outermost first.
    elements: Vec<Element>,
}

impl Evaluation {
    pub(super) fn value(&mut self, node: &Node) -> Evaluated {
        let fault = |fault| Stop::Fault(node.at, fault);
        self.meter.spend(1).map_err(fault)?;
        match &node.form {
            Form::Literal(literal) => self.literal(literal).map_err(fault),
            Form::Result => Ok(self.result.clone()),
            Form::Local(place) => Ok(self.locals.get(*place).cloned().unwrap_or(Datum::Nil)),
            Form::Pointer(pointer) => Ok(self.pointer(*pointer)),
            Form::Let { value, body } => {
                let value = self.value(value)?;
                self.locals.push(value);
                let body = self.value(body);
                self.locals.pop();
                body
            }
            Form::Unary(sign, operand) => {
                let operand = self.value(operand)?;
                signed(*sign, &operand).map_err(fault)
            }
            Form::Binary(operator, left, right) => self.binary(node, *operator, left, right),
            Form::Ordered(first, rest) => self.ordered(node, first, rest),
            Form::Matches(text, pattern) => match self.value(text)? {
                Datum::Text(text) => {
                    self.meter.spend_text(text.len()).map_err(fault)?;
                    Ok(Datum::Bool(pattern.0.is_match(&text)))
                }
                other => operate(Operator::Matches, &other, &Datum::text(""), &mut self.meter).map_err(fault),
            },
            Form::Conditional(condition, then, otherwise) => match self.value(condition)? {
                Datum::Bool(true) => self.value(then),
                Datum::Bool(false) => self.value(otherwise),
                other => {
                    let got = other.type_name().to_owned();
                    Err(Stop::Fault(condition.at, Mismatch::Question { got }.into()))
                }
            },
            Form::Member(base, key, link) => {
                let base = self.value(base)?;
                if *link == Link::Optional && matches!(base, Datum::Nil) {
                    return Err(Stop::Absent);
                }
                let key = self.value(key)?;
                member::of(&base, &key).map_err(fault)
            }
            Form::Chain(inside) => match self.value(inside) {
                Err(Stop::Absent) => Ok(Datum::Nil),
                other => other,
            },
            Form::Slice(base, from, to) => {
                let base = self.value(base)?;
                let from = from.as_ref().map(|from| self.value(from)).transpose()?;
                let to = to.as_ref().map(|to| self.value(to)).transpose()?;
                member::slice(&base, from.as_ref(), to.as_ref(), &mut self.meter).map_err(fault)
            }
            Form::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.value(item)).collect();
                Datum::list(items?).map_err(fault)
            }
            Form::Map(fields) => self.map(node, fields),
            Form::Call(function, arguments) => {
                let Some(signature) = Signature::of(*function) else {
                    return Ok(Datum::Nil);
                };
                match (signature.body, arguments.as_slice()) {
                    (Some(_), [list, rest @ ..]) => closure::call(self, node.at, signature, list, rest),
                    _ => {
                        let values: Result<Vec<_>, _> = arguments.iter().map(|argument| self.value(argument)).collect();
                        builtin::call(self, signature, &values?).map_err(fault)
                    }
                }
            }
        }
    }

    /// The value of a closure for one element.
    pub(super) fn with(&mut self, element: Element, body: &Node) -> Evaluated {
        self.elements.push(element);
        let value = self.value(body);
        self.elements.pop();
        value
    }

    fn literal(&mut self, literal: &Literal) -> Result<Datum, Fault> {
        Ok(match literal {
            Literal::Nil => Datum::Nil,
            Literal::Bool(bool) => Datum::Bool(*bool),
            Literal::Int(number) => Datum::Int(*number),
            Literal::Float(number) => Datum::Float(*number),
            Literal::Text(text) => {
                self.meter.spend_text(text.len())?;
                Datum::text(text.as_str())
            }
        })
    }

    fn pointer(&self, pointer: Pointer) -> Datum {
        let Some(element) = self.elements.last() else {
            return Datum::Nil;
        };
        match pointer {
            Pointer::Item => element.item.clone(),
            Pointer::Accumulator => element.accumulator.clone(),
            Pointer::Index => Datum::Int(i64::try_from(element.index).unwrap_or(i64::MAX)),
        }
    }

    fn binary(&mut self, node: &Node, operator: Operator, left: &Node, right: &Node) -> Evaluated {
        let left = self.value(left)?;
        let decided = match (operator, &left) {
            (Operator::And, Datum::Bool(answer)) => !answer,
            (Operator::Or, Datum::Bool(answer)) => *answer,
            (Operator::Coalesce, value) => !matches!(value, Datum::Nil),
            _ => false,
        };
        if decided {
            return Ok(left);
        }
        let right = self.value(right)?;
        operate(operator, &left, &right, &mut self.meter).map_err(|fault| Stop::Fault(node.at, fault))
    }

    fn ordered(&mut self, node: &Node, first: &Node, rest: &[(Operator, Node)]) -> Evaluated {
        let mut left = self.value(first)?;
        for (operator, right) in rest {
            let right = self.value(right)?;
            let holds =
                operate(*operator, &left, &right, &mut self.meter).map_err(|fault| Stop::Fault(node.at, fault))?;
            if matches!(holds, Datum::Bool(false)) {
                return Ok(holds);
            }
            left = right;
        }
        Ok(Datum::Bool(true))
    }

    fn map(&mut self, node: &Node, fields: &[(Node, Node)]) -> Evaluated {
        let mut map = std::collections::BTreeMap::new();
        for (name_node, value) in fields {
            let name = match self.value(name_node)? {
                Datum::Text(name) => name,
                other => {
                    let got = other.type_name().to_owned();
                    return Err(Stop::Fault(name_node.at, Mismatch::Key { got }.into()));
                }
            };
            map.insert(name, self.value(value)?);
        }
        Datum::map(map).map_err(|fault| Stop::Fault(node.at, fault))
    }
}

fn signed(sign: Sign, operand: &Datum) -> Result<Datum, Fault> {
    let symbol = match (sign, operand) {
        (Sign::Not, Datum::Bool(answer)) => return Ok(Datum::Bool(!answer)),
        (Sign::Plus, Datum::Int(_) | Datum::Float(_) | Datum::Duration(_)) => return Ok(operand.clone()),
        (Sign::Minus, Datum::Float(number)) => return Ok(Datum::Float(-number)),
        (Sign::Minus, Datum::Int(number)) => {
            let negated = number.checked_neg().map(Datum::Int);
            return negated.ok_or(Fault::Overflow { operation: "-" });
        }
        (Sign::Minus, Datum::Duration(span)) => {
            let negated = span.checked_neg().map(Datum::Duration);
            return negated.ok_or(Fault::Overflow { operation: "-" });
        }
        (Sign::Not, _) => "!",
        (Sign::Minus, _) => "-",
        (Sign::Plus, _) => "+",
    };
    let operand = operand.type_name().to_owned();
    Err(Mismatch::Operand { sign: symbol, operand }.into())
}

//! What can be said about a condition before anything is measured: which kinds its parts can have, refusing what can never work and what can never
//! be true or false. The measured value may be of any kind. Used by `Condition::parse`.

use super::ast::{Form, Link, Literal, Node, Operator, Pointer, Sign};
use super::error::{Mismatch, Problem};
use super::function::{Body, Function, Signature};
use super::kind::{Kind, Kinds};
use super::parser::Parsed;

/// Refuses what can never be answered with yes or no.
pub(super) fn check(node: &Node) -> Parsed<()> {
    let kinds = Check { locals: Vec::new() }.kinds(node)?;
    if kinds.and(Kinds::BOOL).is_none() {
        return Err((node.at, Problem::NotBool { got: kinds.names() }));
    }
    Ok(())
}

struct Check {
    locals: Vec<Kinds>,
}

impl Check {
    /// The kinds that an expression can have; never none.
    fn kinds(&mut self, node: &Node) -> Parsed<Kinds> {
        match &node.form {
            Form::Literal(literal) => Ok(Kinds::one(literal_kind(literal))),
            Form::Result => Ok(Kinds::ANY),
            Form::Local(place) => Ok(self.locals.get(*place).copied().unwrap_or(Kinds::ANY)),
            Form::Pointer(Pointer::Index) => Ok(Kinds::INT),
            Form::Pointer(_) => Ok(Kinds::ANY),
            Form::Let { value, body } => {
                let value = self.kinds(value)?;
                self.locals.push(value);
                let body = self.kinds(body);
                self.locals.pop();
                body
            }
            Form::Unary(sign, operand) => {
                let operand = self.kinds(operand)?;
                signed(*sign, operand).map_err(|mismatch| (node.at, mismatch.into()))
            }
            Form::Binary(operator, left, right) => {
                let (left, right) = (self.kinds(left)?, self.kinds(right)?);
                operated(*operator, left, right).map_err(|mismatch| (node.at, mismatch.into()))
            }
            Form::Ordered(first, rest) => {
                let mut left = self.kinds(first)?;
                for (operator, right) in rest {
                    let right = self.kinds(right)?;
                    operated(*operator, left, right).map_err(|mismatch| (node.at, mismatch.into()))?;
                    left = right;
                }
                Ok(Kinds::BOOL)
            }
            Form::Matches(text, _) => {
                let text = self.kinds(text)?;
                operated(Operator::Matches, text, Kinds::TEXT).map_err(|mismatch| (node.at, mismatch.into()))
            }
            Form::Conditional(condition, then, otherwise) => {
                let question = self.kinds(condition)?;
                if question.and(Kinds::BOOL).is_none() {
                    let got = question.names();
                    return Err((condition.at, Mismatch::Question { got }.into()));
                }
                Ok(self.kinds(then)?.or(self.kinds(otherwise)?))
            }
            Form::Member(base, key, link) => {
                let (base, key) = (self.kinds(base)?, self.kinds(key)?);
                member(base, key, *link).map_err(|mismatch| (node.at, mismatch.into()))
            }
            Form::Chain(inside) => Ok(self.kinds(inside)?.or(Kinds::NIL)),
            Form::Slice(base, from, to) => {
                let base = self.kinds(base)?;
                let mut bound = Kinds::INT;
                for end in [from, to].into_iter().flatten() {
                    bound = self.kinds(end)?;
                    if bound.and(Kinds::INT).is_none() {
                        break;
                    }
                }
                let sliced = base.and(Kinds::LIST.or(Kinds::TEXT));
                if sliced.is_none() || bound.and(Kinds::INT).is_none() {
                    let (from, bound) = (base.names(), bound.names());
                    return Err((node.at, Mismatch::Slice { from, bound }.into()));
                }
                Ok(sliced)
            }
            Form::List(items) => {
                items.iter().try_for_each(|item| self.kinds(item).map(drop))?;
                Ok(Kinds::LIST)
            }
            Form::Map(fields) => {
                for (name, value) in fields {
                    let got = self.kinds(name)?;
                    if got.and(Kinds::TEXT).is_none() {
                        return Err((name.at, Mismatch::Key { got: got.names() }.into()));
                    }
                    self.kinds(value)?;
                }
                Ok(Kinds::MAP)
            }
            Form::Call(function, arguments) => self.called(*function, arguments),
        }
    }

    fn called(&mut self, function: Function, arguments: &[Node]) -> Parsed<Kinds> {
        let Some(signature) = Signature::of(function) else {
            return Ok(Kinds::ANY);
        };
        for (place, argument) in arguments.iter().enumerate() {
            let got = self.kinds(argument)?;
            let closure = signature.body.filter(|_| place == 1);
            let takes = match closure {
                Some(Body::Predicate) => Kinds::BOOL,
                _ => signature.takes(place),
            };
            if !got.and(takes).is_none() {
                continue;
            }
            let (function, got) = (signature.name, got.names());
            let mismatch = match closure {
                Some(_) => Mismatch::Closure { function, got },
                None => Mismatch::Argument {
                    function,
                    takes: takes.names(),
                    got,
                },
            };
            return Err((argument.at, mismatch.into()));
        }
        Ok(signature.returns)
    }
}

pub(super) fn literal_kind(literal: &Literal) -> Kind {
    match literal {
        Literal::Nil => Kind::Nil,
        Literal::Bool(_) => Kind::Bool,
        Literal::Int(_) => Kind::Int,
        Literal::Float(_) => Kind::Float,
        Literal::Text(_) => Kind::Text,
    }
}

fn signed(sign: Sign, operand: Kinds) -> Result<Kinds, Mismatch> {
    let (takes, sign) = match sign {
        Sign::Not => (Kinds::BOOL, "!"),
        Sign::Minus => (Kinds::NUMBER.or(Kinds::DURATION), "-"),
        Sign::Plus => (Kinds::NUMBER.or(Kinds::DURATION), "+"),
    };
    let kinds = operand.and(takes);
    if kinds.is_none() {
        let operand = operand.names();
        return Err(Mismatch::Operand { sign, operand });
    }
    Ok(kinds)
}

/// Every kind that the operator can make of what stands at its sides.
fn operated(operator: Operator, left: Kinds, right: Kinds) -> Result<Kinds, Mismatch> {
    if operator == Operator::Coalesce {
        let kept = left.without(Kinds::NIL);
        return Ok(if kept == left { left } else { kept.or(right) });
    }
    let mut kinds = Kinds::NONE;
    for left in left.iter() {
        for right in right.iter() {
            if let Some(kind) = Kind::of_operation(operator, left, right) {
                kinds = kinds.or(Kinds::one(kind));
            }
        }
    }
    if kinds.is_none() {
        return Err(Mismatch::Operands {
            operator: operator.symbol(),
            left: left.names(),
            right: right.names(),
        });
    }
    Ok(kinds)
}

fn member(base: Kinds, key: Kinds, link: Link) -> Result<Kinds, Mismatch> {
    let in_list = !base.and(Kinds::LIST).is_none() && !key.and(Kinds::NUMBER).is_none();
    let in_map = !base.and(Kinds::MAP).is_none() && !key.and(Kinds::TEXT).is_none();
    let absent = link == Link::Optional && !base.and(Kinds::NIL).is_none();
    if in_list || in_map || absent {
        return Ok(Kinds::ANY);
    }
    let (key, from) = (key.names(), base.names());
    Err(Mismatch::Member { key, from })
}

//! What stands between operators: literals, names, calls with their closures, lists, maps, parentheses, and the members and slices after them.

use super::super::ast::{Form, Link, Literal, Node, Pointer};
use super::super::error::Problem;
use super::super::function::{Function, Signature, names};
use super::super::token::Token;
use super::{LOOSEST, Parsed, Parser};

/// Words that are no names.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "let",
    "true",
    "false",
    "nil",
];

impl Parser {
    pub(super) fn operand(&mut self) -> Parsed<Node> {
        let at = self.at();
        let node = match self.take() {
            Token::Int(number) => self.node(at, Form::Literal(Literal::Int(number)))?,
            Token::Float(number) => self.node(at, Form::Literal(Literal::Float(number)))?,
            Token::Text(text) => self.node(at, Form::Literal(Literal::Text(text)))?,
            Token::Name(name) => self.named(at, &name)?,
            Token::Pointer(name) => self.pointer(at, &name)?,
            Token::Sign("(") => {
                let inside = self.nested(|parser| parser.expression(LOOSEST))?;
                self.expect(")")?;
                inside
            }
            Token::Sign("[") => {
                let items = self.nested(Self::items)?;
                self.node(at, Form::List(items))?
            }
            Token::Sign("{") => {
                let fields = self.nested(Self::fields)?;
                self.node(at, Form::Map(fields))?
            }
            Token::Sign(".") if !self.closures.is_empty() => {
                self.next -= 1;
                self.pointer(at, "")?
            }
            _ => {
                self.next -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        self.members(node)
    }

    fn named(&mut self, at: usize, name: &str) -> Parsed<Node> {
        if self.sees("(") {
            return self.call(at, name, None);
        }
        let form = match name {
            "true" => Form::Literal(Literal::Bool(true)),
            "false" => Form::Literal(Literal::Bool(false)),
            "nil" => Form::Literal(Literal::Nil),
            "result" => Form::Result,
            _ => match self.locals.iter().rposition(|local| local == name) {
                Some(place) => Form::Local(place),
                None => return Err(self.unknown_name(at, name)),
            },
        };
        self.node(at, form)
    }

    fn unknown_name(&mut self, at: usize, name: &str) -> (usize, Problem) {
        if RESERVED.contains(&name) {
            self.next -= 1;
            return self.unexpected("a value");
        }
        let known = self.locals.iter().map(String::as_str).chain(["result"]);
        let similar = match Signature::named(name) {
            Some(signature) => Some(format!("{}()", signature.name)),
            None => similar(name, known),
        };
        let name = name.to_owned();
        (at, Problem::UnknownName { name, similar })
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        name == "result"
            || RESERVED.contains(&name)
            || Signature::named(name).is_some()
            || self.locals.iter().any(|local| local == name)
    }

    fn pointer(&mut self, at: usize, name: &str) -> Parsed<Node> {
        let (pointer, inside) = match name {
            "" => (Pointer::Item, "a closure, as in all(result, # < 1)"),
            "index" => (Pointer::Index, "a closure, as in filter(result, #index > 0)"),
            "acc" => (Pointer::Accumulator, "the closure of reduce()"),
            _ => return Err((at, self.meaningless(name, "a closure as #, #index or #acc"))),
        };
        let meant = match pointer {
            Pointer::Accumulator => self.closures.last() == Some(&Function::Reduce),
            _ => !self.closures.is_empty(),
        };
        if !meant {
            return Err((at, self.meaningless(name, inside)));
        }
        self.node(at, Form::Pointer(pointer))
    }

    #[expect(clippy::unused_self, reason = "reads as part of the grammar")]
    fn meaningless(&self, name: &str, inside: &'static str) -> Problem {
        let pointer = format!("#{name}");
        Problem::Pointer { pointer, inside }
    }

    /// `value | function(more)`: the value is the first argument.
    pub(super) fn piped(&mut self, value: Node) -> Parsed<Node> {
        self.expect("|")?;
        let at = self.at();
        let Token::Name(name) = self.take() else {
            self.next -= 1;
            return Err(self.unexpected("a function"));
        };
        let call = self.call(at, &name, Some(value))?;
        self.members(call)
    }

    fn call(&mut self, at: usize, name: &str, first: Option<Node>) -> Parsed<Node> {
        let Some(signature) = Signature::named(name) else {
            let similar = similar(name, names()).map(|name| format!("{name}()"));
            let name = name.to_owned();
            return Err((at, Problem::UnknownFunction { name, similar }));
        };
        self.expect("(")?;
        let arguments = self.nested(|parser| parser.arguments(signature, first))?;
        if arguments.len() < signature.least || arguments.len() > signature.most {
            let problem = Problem::Arguments {
                name: signature.name,
                takes: signature.arguments(),
                got: arguments.len(),
            };
            return Err((at, problem));
        }
        self.node(at, Form::Call(signature.function, arguments))
    }

    fn arguments(&mut self, signature: &Signature, first: Option<Node>) -> Parsed<Vec<Node>> {
        let mut arguments: Vec<Node> = first.into_iter().collect();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            let argument = if arguments.len() == 1 && signature.body.is_some() {
                self.closure(signature.function)?
            } else {
                self.expression(LOOSEST)?
            };
            arguments.push(argument);
            if self.accept(")") {
                return Ok(arguments);
            }
            if !self.accept(",") {
                return Err(self.unexpected(", or )"));
            }
        }
    }

    /// A closure, with or without its braces.
    fn closure(&mut self, function: Function) -> Parsed<Node> {
        self.closures.push(function);
        let braces = self.accept("{");
        let body = self.nested(|parser| parser.expression(LOOSEST));
        self.closures.pop();
        let body = body?;
        if braces {
            self.expect("}")?;
        }
        Ok(body)
    }

    fn items(&mut self) -> Parsed<Vec<Node>> {
        let mut items = Vec::new();
        while !self.accept("]") {
            items.push(self.expression(LOOSEST)?);
            if !self.accept(",") && !self.sees("]") {
                return Err(self.unexpected(", or ]"));
            }
        }
        Ok(items)
    }

    fn fields(&mut self) -> Parsed<Vec<(Node, Node)>> {
        let mut fields = Vec::new();
        while !self.accept("}") {
            let at = self.at();
            let name = match self.take() {
                Token::Name(name) | Token::Text(name) => self.node(at, Form::Literal(Literal::Text(name)))?,
                Token::Sign("(") => {
                    let name = self.expression(LOOSEST)?;
                    self.expect(")")?;
                    name
                }
                _ => {
                    self.next -= 1;
                    return Err(self.unexpected("a field's name, a string or (…)"));
                }
            };
            self.expect(":")?;
            fields.push((name, self.expression(LOOSEST)?));
            if !self.accept(",") && !self.sees("}") {
                return Err(self.unexpected(", or }"));
            }
        }
        Ok(fields)
    }

    /// What follows an operand: `.name`, `?.name`, `[index]`, `[from:to]`.
    fn members(&mut self, mut node: Node) -> Parsed<Node> {
        let mut optional = false;
        loop {
            let at = self.at();
            if self.accept("[") {
                node = self.brackets(at, node, Link::Plain)?;
            } else if self.accept("?.") {
                optional = true;
                node = if self.accept("[") {
                    self.brackets(at, node, Link::Optional)?
                } else {
                    self.field(at, node, Link::Optional)?
                };
            } else if self.accept(".") {
                node = self.field(at, node, Link::Plain)?;
            } else if optional {
                return self.node(node.at, Form::Chain(Box::new(node)));
            } else {
                return Ok(node);
            }
        }
    }

    fn field(&mut self, at: usize, base: Node, link: Link) -> Parsed<Node> {
        let name_at = self.at();
        let Token::Name(name) = self.take() else {
            self.next -= 1;
            return Err(self.unexpected("a field's name"));
        };
        if self.sees("(") {
            return Err(self.unexpected("no parentheses, since values have no methods"));
        }
        let name = self.node(name_at, Form::Literal(Literal::Text(name)))?;
        self.node(at, Form::Member(Box::new(base), Box::new(name), link))
    }

    fn brackets(&mut self, at: usize, base: Node, link: Link) -> Parsed<Node> {
        self.nested(|parser| {
            let mut from = None;
            if !parser.sees(":") {
                let index = parser.expression(LOOSEST)?;
                if parser.accept("]") {
                    return parser.node(at, Form::Member(Box::new(base), Box::new(index), link));
                }
                from = Some(Box::new(index));
            }
            if !parser.accept(":") || link == Link::Optional {
                return Err(parser.unexpected("]"));
            }
            let to = if parser.sees("]") {
                None
            } else {
                Some(Box::new(parser.expression(LOOSEST)?))
            };
            parser.expect("]")?;
            parser.node(at, Form::Slice(Box::new(base), from, to))
        })
    }
}

/// A known name that differs from this one only in case, or is its beginning or end.
fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let resembles = |other: &str| {
        let other = other.to_lowercase();
        other == name || (other.len().min(name.len()) > 2 && (other.starts_with(&name) || name.starts_with(&other)))
    };
    known.filter(|other| resembles(other)).map(str::to_owned).next()
}

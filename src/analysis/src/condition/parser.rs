//! From tokens to a tree: operators by how tightly they bind, as in expr-lang, with names and functions resolved on the way. What stands between
//! operators is read by `operand`. Bounded in depth, so that nobody who walks the tree runs out of stack.

mod operand;

use super::ast::{Form, Literal, Node, Operator, Pattern, Sign};
use super::error::Problem;
use super::function::Function;
use super::token::{Token, tokens};
use super::{MOST_LEVELS, MOST_NESTING, pattern};

/// A problem and the byte offset where it is.
pub(super) type Parsed<T> = Result<T, (usize, Problem)>;

/// How tightly unary signs bind.
const NOT: u16 = 50;
const MINUS: u16 = 90;
/// Binds least of all, and only the loosest expressions may hold a conditional or a `let`.
const LOOSEST: u16 = 0;

/// Reads the whole text as one expression.
pub(super) fn parse(text: &str) -> Parsed<Node> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        nesting: 0,
        locals: Vec::new(),
        closures: Vec::new(),
    };
    let node = parser.expression(LOOSEST)?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    nesting: usize,
    /// `let` names in scope, outermost first.
    locals: Vec<String>,
    /// The functions whose closures are open, outermost first.
    closures: Vec<Function>,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> &Token {
        self.tokens
            .get(self.next + count)
            .map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        let last = || self.tokens.last();
        self.tokens.get(self.next).or_else(last).map_or(0, |(at, _)| *at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn sees(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn sees_name(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if found == name)
    }

    /// Steps over a sign if it is next.
    fn accept(&mut self, sign: &str) -> bool {
        let accepted = self.sees(sign);
        self.next += usize::from(accepted);
        accepted
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) {
            Ok(())
        } else {
            Err(self.unexpected(sign))
        }
    }

    fn unexpected(&self, expected: &str) -> (usize, Problem) {
        let problem = Problem::Unexpected {
            found: self.peek().describe(),
            expected: expected.to_owned(),
        };
        (self.at(), problem)
    }

    #[expect(clippy::unused_self, reason = "reads as part of the grammar")]
    fn node(&self, at: usize, form: Form) -> Parsed<Node> {
        let node = Node::new(at, form);
        if node.height > MOST_LEVELS {
            return Err((at, Problem::TooDeep));
        }
        Ok(node)
    }

    /// Reads something that can hold itself.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MOST_NESTING {
            return Err((self.at(), Problem::TooDeep));
        }
        self.nesting += 1;
        let read = read(self);
        self.nesting -= 1;
        read
    }

    /// An expression of operators that bind at least this tightly.
    fn expression(&mut self, least: u16) -> Parsed<Node> {
        if least == LOOSEST && self.sees_name("let") {
            return self.nested(Self::binding);
        }
        let mut left = self.signed()?;
        let mut coalesced = false;
        loop {
            if least == LOOSEST && self.sees("|") {
                left = self.piped(left)?;
                continue;
            }
            let Some((operator, negated)) = self.operator().filter(|(operator, _)| operator.precedence() >= least)
            else {
                break;
            };
            let at = self.at();
            if coalesced && operator != Operator::Coalesce {
                let operator = operator.symbol();
                return Err((at, Problem::MixedCoalesce { operator }));
            }
            coalesced = operator == Operator::Coalesce;
            self.next += if negated { 2 } else { 1 };
            left = if operator.orders() {
                self.ordered(at, left, operator)?
            } else if operator == Operator::Power {
                let right = self.nested(|parser| parser.expression(operator.precedence()))?;
                self.node(at, Form::Binary(operator, Box::new(left), Box::new(right)))?
            } else {
                let right = self.expression(operator.precedence() + 1)?;
                self.binary(at, operator, left, right)?
            };
            if negated {
                left = self.node(at, Form::Unary(Sign::Not, Box::new(left)))?;
            }
        }
        if least == LOOSEST {
            left = self.conditional(left)?;
        }
        Ok(left)
    }

    /// The operator that is next, and whether `not` stands before it.
    fn operator(&self) -> Option<(Operator, bool)> {
        if !self.sees_name("not") {
            return operator(self.peek()).map(|operator| (operator, false));
        }
        let negatable = |operator: &Operator| {
            matches!(
                operator,
                Operator::In | Operator::Matches | Operator::Contains | Operator::StartsWith | Operator::EndsWith
            )
        };
        operator(self.ahead(1))
            .filter(negatable)
            .map(|operator| (operator, true))
    }

    fn binary(&self, at: usize, operator: Operator, left: Node, right: Node) -> Parsed<Node> {
        let left = Box::new(left);
        if let (Operator::Matches, Form::Literal(Literal::Text(text))) = (operator, &right.form) {
            let compiled = pattern(text).map_err(|reason| (right.at, Problem::Pattern { reason }))?;
            return self.node(at, Form::Matches(left, Pattern(compiled)));
        }
        self.node(at, Form::Binary(operator, left, Box::new(right)))
    }

    /// `a < b`, or a row of such comparisons, which hold when all of them do.
    fn ordered(&mut self, at: usize, first: Node, operator: Operator) -> Parsed<Node> {
        let mut rest = vec![(operator, self.expression(operator.precedence() + 1)?)];
        while let Some((operator, false)) = self.operator().filter(|(operator, _)| operator.orders()) {
            self.next += 1;
            rest.push((operator, self.expression(operator.precedence() + 1)?));
        }
        if rest.len() > 1 {
            return self.node(at, Form::Ordered(Box::new(first), rest));
        }
        let Some((operator, right)) = rest.pop() else {
            return Ok(first);
        };
        self.node(at, Form::Binary(operator, Box::new(first), Box::new(right)))
    }

    /// An operand with the signs before it.
    fn signed(&mut self) -> Parsed<Node> {
        let at = self.at();
        let (sign, binds) = match self.peek() {
            Token::Sign("!") => (Sign::Not, NOT),
            Token::Name(name) if name == "not" => (Sign::Not, NOT),
            Token::Sign("-") => (Sign::Minus, MINUS),
            Token::Sign("+") => (Sign::Plus, MINUS),
            _ => return self.operand(),
        };
        self.next += 1;
        let operand = self.nested(|parser| parser.expression(binds))?;
        self.node(at, Form::Unary(sign, Box::new(operand)))
    }

    /// `condition ? a : b`, or `a ?: b`.
    fn conditional(&mut self, condition: Node) -> Parsed<Node> {
        let at = self.at();
        if !self.accept("?") {
            return Ok(condition);
        }
        self.nested(|parser| {
            // Only true gets here, so `a ?: b` needs no copy of `a`.
            let then = if parser.sees(":") {
                parser.node(at, Form::Literal(Literal::Bool(true)))?
            } else {
                parser.expression(LOOSEST)?
            };
            parser.expect(":")?;
            let otherwise = parser.expression(LOOSEST)?;
            let form = Form::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise));
            parser.node(at, form)
        })
    }

    /// `let name = value; body`.
    fn binding(&mut self) -> Parsed<Node> {
        let at = self.at();
        self.next += 1;
        let name_at = self.at();
        let Token::Name(name) = self.take() else {
            self.next -= 1;
            return Err(self.unexpected("a name"));
        };
        if self.is_taken(&name) {
            return Err((name_at, Problem::Taken { name }));
        }
        self.expect("=")?;
        let value = Box::new(self.expression(LOOSEST)?);
        self.expect(";")?;
        self.locals.push(name);
        let body = self.expression(LOOSEST);
        self.locals.pop();
        let body = Box::new(body?);
        self.node(at, Form::Let { value, body })
    }
}

fn operator(token: &Token) -> Option<Operator> {
    let word = match token {
        Token::Sign(sign) => sign,
        Token::Name(name) => name.as_str(),
        _ => return None,
    };
    Some(match word {
        "||" | "or" => Operator::Or,
        "&&" | "and" => Operator::And,
        "==" => Operator::Equal,
        "!=" => Operator::Unequal,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "in" => Operator::In,
        "matches" => Operator::Matches,
        "contains" => Operator::Contains,
        "startsWith" => Operator::StartsWith,
        "endsWith" => Operator::EndsWith,
        ".." => Operator::Range,
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Remainder,
        "**" | "^" => Operator::Power,
        "??" => Operator::Coalesce,
        _ => return None,
    })
}

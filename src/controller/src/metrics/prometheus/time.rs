//! The times of a range query, as templates write them: `now()`, `now() - duration("1h")`, `(now() - duration("1h")) + duration("30m")`. The part of
//! Argo Rollouts' expressions that can say a time: `now()`, `duration()`, `+`, `-` and parentheses. Pure.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest expression, in bytes.
const LONGEST: usize = 256;
/// The deepest nesting of parentheses.
const DEEPEST: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Term {
    Moment(Timestamp),
    Span(SignedDuration),
}

struct Parser<'a> {
    rest: &'a str,
    now: Timestamp,
}

/// The time that an expression says.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if text.len() > LONGEST {
        return Err(format!("the expression is longer than {LONGEST} bytes"));
    }
    let mut parser = Parser { rest: text, now };
    let said = parser.sum(0).and_then(|term| match term {
        _ if !parser.rest.trim_start().is_empty() => Err(format!("\"{}\" is not expected", parser.rest.trim_start())),
        // No server keeps anything from then.
        Term::Moment(at) if at < Timestamp::UNIX_EPOCH => Err("it is too far away".to_owned()),
        Term::Moment(at) => Ok(at),
        Term::Span(_) => Err("it is a duration and no time".to_owned()),
    });
    said.map_err(|error| format!("\"{text}\": {error}; write it as now() - duration(\"1h\")"))
}

impl<'a> Parser<'a> {
    fn sum(&mut self, depth: usize) -> Result<Term, String> {
        let mut sum = self.term(depth)?;
        loop {
            let combine: fn(Term, Term) -> Result<Term, String> = if self.takes("+") {
                plus
            } else if self.takes("-") {
                minus
            } else {
                return Ok(sum);
            };
            let next = self.term(depth)?;
            sum = combine(sum, next)?;
        }
    }

    fn term(&mut self, depth: usize) -> Result<Term, String> {
        if self.takes("(") {
            if depth >= DEEPEST {
                return Err(format!("more than {DEEPEST} parentheses in one another"));
            }
            let inside = self.sum(depth + 1)?;
            self.expects(")")?;
            Ok(inside)
        } else if self.takes("now") {
            self.expects("(")?;
            self.expects(")")?;
            Ok(Term::Moment(self.now))
        } else if self.takes("duration") {
            self.expects("(")?;
            let quoted = self.quoted()?;
            self.expects(")")?;
            span(quoted).map(Term::Span)
        } else {
            Err(match self.rest {
                "" => "it ends too early".to_owned(),
                rest => format!("\"{rest}\" is not expected"),
            })
        }
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        self.skip_blanks();
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|quote| ['"', '\'', '`'].contains(quote));
        let inside = quote.and_then(|quote| self.rest.get(1..)?.split_once(quote));
        let (inside, rest) = inside.ok_or("duration() needs a text in quotes")?;
        self.rest = rest;
        Ok(inside)
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expects(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) {
            Ok(())
        } else {
            Err(format!("\"{token}\" is missing before \"{}\"", self.rest))
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

fn span(text: &str) -> Result<SignedDuration, String> {
    let parsed: Duration = api::go_duration::parse(text).map_err(|error| error.to_string())?;
    SignedDuration::try_from(parsed).map_err(|error| error.to_string())
}

fn plus(left: Term, right: Term) -> Result<Term, String> {
    match (left, right) {
        (Term::Moment(at), Term::Span(span)) | (Term::Span(span), Term::Moment(at)) => shifted(at, span),
        (Term::Span(left), Term::Span(right)) => left.checked_add(right).map(Term::Span).ok_or_else(too_far),
        (Term::Moment(_), Term::Moment(_)) => Err("two times cannot be added".to_owned()),
    }
}

fn minus(left: Term, right: Term) -> Result<Term, String> {
    match (left, right) {
        (Term::Moment(at), Term::Span(span)) => shifted(at, -span),
        (Term::Moment(left), Term::Moment(right)) => Ok(Term::Span(left.duration_since(right))),
        (Term::Span(left), Term::Span(right)) => left.checked_sub(right).map(Term::Span).ok_or_else(too_far),
        (Term::Span(_), Term::Moment(_)) => Err("a time cannot be taken from a duration".to_owned()),
    }
}

fn shifted(at: Timestamp, span: SignedDuration) -> Result<Term, String> {
    at.checked_add(span).map(Term::Moment).map_err(|_| too_far())
}

fn too_far() -> String {
    "it is too far away".to_owned()
}

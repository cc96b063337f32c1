//! A printer of trees, and grown expressions: what is printed with every parenthesis is read as the same tree. Soup rarely makes a sentence; this
//! makes only sentences, so that the evaluator's corners are reached as well.

use std::fmt::Write;

use proptest::prelude::*;

use super::super::ast::{Form, Link, Literal, Node, Pointer, Sign};
use super::super::function::Signature;
use super::super::parser::parse;
use super::scope;
use crate::condition::Condition;
use crate::semantics::Semantics;
use crate::value::Value;

/// The tree as text, every operator in parentheses.
fn print(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, to: &mut String) {
    let list = |items: &[Node]| items.iter().map(print).collect::<Vec<_>>().join(", ");
    let written = match &node.form {
        Form::Literal(Literal::Nil) => write!(to, "nil"),
        Form::Literal(Literal::Bool(bool)) => write!(to, "{bool}"),
        Form::Literal(Literal::Int(number)) => write!(to, "{number}"),
        Form::Literal(Literal::Float(number)) => write!(to, "{number:?}"),
        Form::Literal(Literal::Text(text)) => write!(to, "`{text}`"),
        Form::Result => write!(to, "result"),
        Form::Local(place) => write!(to, "local{place}"),
        Form::Pointer(Pointer::Item) => write!(to, "#"),
        Form::Pointer(Pointer::Index) => write!(to, "#index"),
        Form::Pointer(Pointer::Accumulator) => write!(to, "#acc"),
        Form::Let { value, body } => write!(to, "(let local0 = {}; {})", print(value), print(body)),
        Form::Unary(sign, operand) => {
            let sign = match sign {
                Sign::Not => "!",
                Sign::Minus => "-",
                Sign::Plus => "+",
            };
            write!(to, "({sign}{})", print(operand))
        }
        Form::Binary(operator, left, right) => write!(to, "({} {} {})", print(left), operator.symbol(), print(right)),
        Form::Ordered(first, rest) => {
            let rest = rest
                .iter()
                .map(|(operator, node)| format!(" {} {}", operator.symbol(), print(node)));
            write!(to, "({}{})", print(first), rest.collect::<String>())
        }
        Form::Matches(text, pattern) => write!(to, "({} matches `{}`)", print(text), pattern.0),
        Form::Conditional(condition, then, otherwise) => {
            write!(to, "({} ? {} : {})", print(condition), print(then), print(otherwise))
        }
        Form::Member(base, key, Link::Plain) => write!(to, "{}[{}]", print(base), print(key)),
        Form::Member(base, key, Link::Optional) => write!(to, "{}?.[{}]", print(base), print(key)),
        Form::Chain(inside) => write!(to, "({})", print(inside)),
        Form::Slice(base, from, end) => {
            let bound = |bound: &Option<Box<Node>>| bound.as_ref().map(|bound| print(bound)).unwrap_or_default();
            write!(to, "{}[{}:{}]", print(base), bound(from), bound(end))
        }
        Form::List(items) => write!(to, "[{}]", list(items)),
        Form::Map(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("({}): {}", print(name), print(value)));
            write!(to, "{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Form::Call(function, arguments) => {
            let name = Signature::of(*function).map(|signature| signature.name);
            write!(to, "{}({})", name.unwrap_or_default(), list(arguments))
        }
    };
    written.unwrap();
}

/// Expressions of the whole grammar, written with as few parentheses as chance gives.
fn expression() -> BoxedStrategy<String> {
    let leaves = vec![
        "result",
        "1",
        "2.5",
        "'a'",
        "true",
        "nil",
        "[1, 2]",
        "{a: 1}",
        "now()",
        "duration('1m')",
    ];
    let leaf = prop::sample::select(leaves).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inside| {
        let operators = prop::sample::select(vec![
            "||",
            "or",
            "&&",
            "and",
            "==",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "in",
            "not in",
            "contains",
            "not matches",
            "..",
            "+",
            "-",
            "*",
            "/",
            "%",
            "**",
            "^",
        ]);
        let ones = prop::sample::select(vec![
            "len", "type", "abs", "ceil", "int", "float", "string", "first", "last", "max", "min", "mean", "median",
            "sum", "keys", "values", "sort", "toJSON", "isNaN", "isNil", "asInt", "asFloat", "reverse", "flatten",
            "uniq", "count",
        ]);
        let closures = prop::sample::select(vec![
            "all",
            "any",
            "one",
            "none",
            "map",
            "filter",
            "find",
            "findLast",
            "findIndex",
            "count",
            "sum",
            "groupBy",
            "sortBy",
            "reduce",
        ]);
        prop_oneof![
            (inside.clone(), operators, inside.clone())
                .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
            inside.clone().prop_map(|inside| format!("({inside})")),
            inside.clone().prop_map(|inside| format!("!({inside})")),
            inside.clone().prop_map(|inside| format!("-{inside}")),
            (ones, inside.clone()).prop_map(|(name, argument)| format!("{name}({argument})")),
            (inside.clone(), body(), closures).prop_map(|(list, body, name)| format!("{name}({list}, {{{body}}})")),
            (inside.clone(), inside.clone()).prop_map(|(base, index)| format!("({base})[{index}]")),
            (inside.clone(), inside.clone()).prop_map(|(base, index)| format!("({base})[{index}:]")),
            inside.clone().prop_map(|base| format!("({base})?.a.b")),
            (inside.clone(), inside.clone()).prop_map(|(base, other)| format!("({base} ?? {other})")),
            (inside.clone(), inside.clone()).prop_map(|(value, other)| format!("default({value}, {other})")),
            (inside.clone(), inside.clone())
                .prop_map(|(value, body)| format!("(let local0 = {value}; local0 == {body})")),
            (inside.clone(), inside.clone(), inside)
                .prop_map(|(condition, then, otherwise)| format!("({condition} ? {then} : {otherwise})")),
        ]
    })
    .boxed()
}

fn body() -> BoxedStrategy<String> {
    prop::sample::select(vec![
        "#",
        "# > 1",
        "# == #",
        ".a",
        "#index > 0",
        "# + 1",
        "[#]",
        "isNil(#)",
        "string(#)",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_reads_as_the_same(text in expression()) {
        if let Ok(tree) = parse(&text) {
            let printed = print(&tree);
            let again = parse(&printed);
            prop_assert!(again.is_ok(), "{text} -> {printed}: {again:?}");
            prop_assert_eq!(print(&again.unwrap()), printed);
        }
    }

    #[test]
    fn what_is_printed_answers_the_same(text in expression(), number in any::<f64>()) {
        let Ok(condition) = Condition::parse(&text) else { return Ok(()) };
        let printed = Condition::parse(&print(&condition.root)).unwrap();
        for result in [Value::Nil, Value::Float(number), Value::List(vec![Value::Float(number), Value::Float(2.0)])] {
            for semantics in [Semantics::Argo, Semantics::Strict] {
                let once = condition.holds(&result, scope(semantics));
                let again = printed.holds(&result, scope(semantics));
                prop_assert_eq!(once.map_err(|error| error.fault), again.map_err(|error| error.fault), "{}", text);
            }
        }
    }
}

/// The generator is worth something only while it makes conditions that are accepted and answered.
#[test]
fn grown_expressions_are_often_answered() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut answered) = (0, 0);
    for _ in 0..2000 {
        let text = expression().new_tree(&mut runner).unwrap().current();
        if let Ok(condition) = Condition::parse(&text) {
            accepted += 1;
            let result = Value::List(vec![Value::Float(0.5), Value::Float(2.0)]);
            answered += usize::from(condition.holds(&result, scope(Semantics::Strict)).is_ok());
        }
    }
    assert!(
        accepted > 300 && answered > 100,
        "{accepted} accepted, {answered} answered"
    );
}

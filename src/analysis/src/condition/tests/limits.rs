//! Hostile and careless texts: whatever is written, reading and answering it ends soon, within bounds and without a panic.

use proptest::prelude::*;
use rstest::rstest;

use super::{answer, scope, value};
use crate::condition::{Condition, Fault, MOST_BYTES, Problem};
use crate::semantics::Semantics;
use crate::value::Value;

#[rstest]
#[case::parentheses(&format!("{}true{}", "(".repeat(60), ")".repeat(60)), "true")]
#[case::row(&format!("true{}", " && true".repeat(200)), "true")]
#[case::short_conditionals(&format!("{}result == 1{}", "(".repeat(50), " ?: true)".repeat(50)), "true")]
#[case::too_many_parentheses(&format!("{}true{}", "(".repeat(70), ")".repeat(70)), "refused 1:66: ")]
#[case::thousands_of_parentheses(&"(".repeat(4000), "refused 1:66: ")]
#[case::brackets(&format!("{}1{} == []", "[".repeat(70), "]".repeat(70)), "refused 1:66: ")]
#[case::negations(&format!("{}true", "!".repeat(4000)), "refused 1:66: ")]
#[case::closures(&"all(result, ".repeat(300), "refused 1:")]
#[case::conditionals(&"true ? true : ".repeat(200), "refused 1:")]
#[case::powers(&format!("{}1 == 1", "1**".repeat(900)), "refused 1:")]
#[case::long_row(&format!("true{}", " && true".repeat(400)), "refused 1:")]
#[case::members(&format!("result{} == nil", ".a".repeat(1000)), "refused 1:")]
fn depth_is_bounded(#[case] text: &str, #[case] expected: &str) {
    let answer = answer(text, "1");
    assert!(answer.starts_with(expected), "{answer}");
    assert_eq!(answer.contains("nested too deeply"), expected != "true", "{answer}");
}

#[rstest]
#[case::range("len(1..100000000) > 0")]
#[case::largest_range("len(0 - 9223372036854775807..9223372036854775807) > 0")]
#[case::loops("all(1..1000, all(1..1000, # > 0))")]
#[case::doubled_text("len(reduce(1..90, #acc + #acc, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')) > 0")]
#[case::doubled_list("len(reduce(1..90, concat(#acc, #acc), [1])) > 0")]
#[case::replaced_text("len(reduce(1..40, replace(#acc, 'a', 'aa'), 'a')) > 0")]
#[case::joined_text("len(reduce(1..40, join(map(1..10, 'aaaaaaaaaaaaaaaa'), #acc + #acc), 'a')) > 0")]
#[case::shared_lists("reduce(1..60, [#acc, #acc], 1) == reduce(1..60, [#acc, #acc], 1)")]
#[case::shared_lists_as_text("string(reduce(1..60, [#acc, #acc], 1)) == ''")]
#[case::shared_lists_as_json("toJSON(reduce(1..60, [#acc, #acc], 1)) == ''")]
#[case::shared_lists_flat("len(flatten(reduce(1..60, [#acc, #acc], 1))) > 0")]
#[case::shared_lists_mean("mean(reduce(1..60, [#acc, #acc], 1)) > 0")]
#[case::patterns("all(1..1000, string(#) matches string(#))")]
#[case::uniq("len(uniq(1..5000)) > 0")]
fn work_is_bounded(#[case] text: &str) {
    let error = Condition::parse(text)
        .unwrap()
        .holds(&Value::Nil, scope(Semantics::Strict))
        .unwrap_err();
    assert_eq!(error.fault, Fault::TooLong { limit: 100_000 }, "{text}");
}

#[test]
fn ten_thousand_samples_are_read() {
    let samples = Value::List(vec![Value::Float(0.5); 10_000]);
    for text in [
        "all(result, # < 1)",
        "max(result) < 1 && mean(result) < 1",
        "sort(result)[0] < 1",
    ] {
        let holds = Condition::parse(text)
            .unwrap()
            .holds(&samples, scope(Semantics::Strict));
        assert_eq!(holds, Ok(true), "{text}");
    }
}

#[test]
fn values_are_not_built_deeper_than_they_can_be_dropped() {
    assert_eq!(
        answer("reduce(1..5000, [#acc]) == 1", "1"),
        "1:17: the value is nested more than 256 levels deep"
    );
    let deep = (0..5000).fold(Value::Nil, |inside, _| Value::List(vec![inside]));
    let error = Condition::parse("result == 1")
        .unwrap()
        .holds(&deep, scope(Semantics::Strict))
        .unwrap_err();
    assert_eq!(error.fault, Fault::TooDeep { limit: 256 });
}

#[test]
fn length_is_bounded() {
    let padded = |length: usize| format!("true{}", " ".repeat(length - 4));
    assert!(Condition::parse(&padded(MOST_BYTES)).is_ok());
    let refused = Condition::parse(&padded(MOST_BYTES + 1)).unwrap_err();
    assert_eq!(
        refused.problem,
        Problem::TooLong {
            length: 4097,
            limit: 4096
        }
    );
}

/// The deepest texts that are accepted, on a stack a quarter of what a thread usually has.
#[test]
fn the_deepest_tree_needs_little_stack() {
    let closures = format!("{}true{}", "all(result, {".repeat(31), "})".repeat(31));
    let row = format!("true{}", " && true".repeat(254));
    let mixed = format!("{}1{} == 1", "(true ? 1 + 2 * ".repeat(31), " : 1)".repeat(31));
    let run = move || {
        let nested = (0..31).fold(value("true"), |inside, _| Value::List(vec![inside]));
        for text in [&closures, &row, &mixed] {
            let condition = Condition::parse(text).unwrap();
            drop(condition.clone());
            condition.holds(&nested, scope(Semantics::Strict)).unwrap();
        }
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap();
    thread.join().unwrap();
}

/// Words of the language, names that it has not, and signs, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "result",
        "true",
        "nil",
        "0",
        "1",
        "-1",
        "2.5",
        "1e3",
        "'a'",
        "\"b\"",
        "`c`",
        "#",
        "#acc",
        "#index",
        ".a",
        "let a =",
        "a",
        ";",
        "not",
        "and",
        "or",
        "in",
        "matches",
        "contains",
        "startsWith",
        "endsWith",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "^",
        "..",
        "??",
        "?.",
        "?",
        ":",
        "|",
        "!",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "all(",
        "any(",
        "map(",
        "filter(",
        "reduce(",
        "sum(",
        "count(",
        "len(",
        "max(",
        "mean(",
        "sort(",
        "first(",
        "last(",
        "get(",
        "split(",
        "join(",
        "int(",
        "float(",
        "string(",
        "toJSON(",
        "fromJSON(",
        "type(",
        "isNil(",
        "default(",
        "date(",
        "now()",
        "duration(",
        "groupBy(",
        "sortBy(",
        "find(",
        "median(",
        "flatten(",
        "uniq(",
        "concat(",
        "take(",
        "unknown",
        "é",
        "\n",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|words| words.join(" "))
}

fn measured() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        "[a-c]{0,3}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map("[a-c]", inside, 0..3).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        drop(Condition::parse(&text));
    }

    #[test]
    fn any_row_of_words_is_read_or_refused(text in soup(), result in measured()) {
        if let Ok(condition) = Condition::parse(&text) {
            drop(condition.holds(&result, scope(Semantics::Strict)));
            drop(condition.holds(&result, scope(Semantics::Argo)));
        }
    }

    #[test]
    fn positions_are_within_the_text(text in soup()) {
        if let Err(error) = Condition::parse(&text) {
            let lines: Vec<&str> = text.split('\n').collect();
            let line = lines.get(error.position.line - 1);
            prop_assert!(line.is_some_and(|line| error.position.column <= line.chars().count() + 1), "{error}");
        }
    }
}

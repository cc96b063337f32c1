//! The language against another implementation of it, on the part where both mean the same: numbers, comparisons, boolean operators, arithmetic
//! and elements that exist. Where expr-lang's crate fails open (elements that do not exist, unknown names) there is nothing to compare.

use proptest::prelude::*;

use super::scope;
use crate::condition::Condition;
use crate::semantics::Semantics;
use crate::value::Value;

/// Numbers: literals, elements in range, arithmetic.
fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..100_i64).prop_map(|number| number.to_string()),
        (0..400_u32).prop_map(|quarters| format!("{:?}", f64::from(quarters) / 4.0)),
        (0..3_usize).prop_map(|index| format!("result[{index}]")),
        Just("len(result)".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inside| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/"]);
        prop_oneof![
            (inside.clone(), operator, inside.clone()).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
            inside.clone().prop_map(|inside| format!("({inside})")),
            inside.prop_map(|inside| format!("-({inside})")),
        ]
    })
}

/// Comparisons of numbers, and what boolean operators make of them. Comparisons stand in parentheses: rows of them are ours and Go's only.
fn truth() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let leaf = prop_oneof![
        4 => (number(), comparison, number()).prop_map(|(left, sign, right)| format!("({left} {sign} {right})")),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inside| {
        let operator = prop::sample::select(vec!["&&", "||", "and", "or"]);
        prop_oneof![
            (inside.clone(), operator, inside.clone()).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
            inside.clone().prop_map(|inside| format!("({inside})")),
            inside.prop_map(|inside| format!("!({inside})")),
        ]
    })
}

/// What the other implementation says; nothing when it fails.
fn oracle(text: &str, samples: &[f64]) -> Option<bool> {
    let mut context = expr::Context::default();
    context.insert("result", samples.to_vec());
    expr::eval(text, &context).ok()?.as_bool()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_answer_the_same(text in truth(), quarters in prop::array::uniform3(-400..400_i32)) {
        let samples = quarters.map(|quarters| f64::from(quarters) / 4.0);
        let result = Value::List(samples.iter().copied().map(Value::Float).collect());
        let ours = Condition::parse(&text).map(|condition| condition.holds(&result, scope(Semantics::Argo)));
        match oracle(&text, &samples) {
            Some(theirs) => prop_assert_eq!(ours, Ok(Ok(theirs)), "{}", text),
            None => prop_assert!(false, "the oracle is silent on {}", text),
        }
    }
}

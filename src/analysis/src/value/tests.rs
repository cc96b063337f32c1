//! Values in Go's words.

use rstest::rstest;

use super::{Value, parse_float};

#[rstest]
#[case::float(Value::Float(0.95), "0.95", "float64")]
#[case::whole(Value::Float(10.0), "10", "float64")]
#[case::large(Value::Float(1e21), "1000000000000000000000", "float64")]
#[case::small(Value::Float(1e-7), "0.0000001", "float64")]
#[case::nan(Value::Float(f64::NAN), "NaN", "float64")]
#[case::infinite(Value::Float(f64::INFINITY), "+Inf", "float64")]
#[case::negative_infinite(Value::Float(f64::NEG_INFINITY), "-Inf", "float64")]
#[case::list(Value::List(vec![Value::Float(10.0), Value::Float(11.0)]), "[10,11]", "[]float64")]
#[case::nan_in_list(Value::List(vec![Value::Float(f64::NAN)]), "[NaN]", "[]float64")]
#[case::nothing(Value::List(vec![]), "[]", "[]interface {}")]
#[case::mixed(Value::List(vec![Value::Int(1), Value::String("a".into())]), "[1,\"a\"]", "[]interface {}")]
#[case::text(Value::String("a \"b\"".into()), "a \"b\"", "string")]
#[case::map(Value::Map([("a".into(), Value::Nil)].into()), "{\"a\":null}", "map[string]interface {}")]
#[case::bool(Value::Bool(true), "true", "bool")]
#[case::int(Value::Int(-3), "-3", "int")]
#[case::nil(Value::Nil, "null", "<nil>")]
fn is_shown_as_go_would(#[case] value: Value, #[case] text: &str, #[case] type_name: &str) {
    assert_eq!((value.to_string().as_str(), value.type_name()), (text, type_name));
}

#[test]
fn json_has_no_ints() {
    let json = serde_json::json!({"a": [1, 2.5, "x", null, true]});
    let expected = Value::List(vec![
        Value::Float(1.0),
        Value::Float(2.5),
        Value::String("x".into()),
        Value::Nil,
        Value::Bool(true),
    ]);
    assert_eq!(Value::from_json(&json), Value::Map([("a".into(), expected)].into()));
}

#[rstest]
#[case("0.5", Some(0.5))]
#[case("1e-3", Some(0.001))]
#[case("+Inf", Some(f64::INFINITY))]
#[case("-Inf", Some(f64::NEG_INFINITY))]
#[case("1e999", None)]
#[case("", None)]
#[case("1 ", None)]
#[case("one", None)]
fn floats_are_read_as_go_does(#[case] text: &str, #[case] expected: Option<f64>) {
    assert_eq!(parse_float(text), expected);
    assert!(parse_float("NaN").is_some_and(f64::is_nan));
}

#[test]
fn nan_is_found_at_any_depth() {
    let inside = Value::Map([("a".into(), Value::List(vec![Value::Float(f64::NAN)]))].into());
    assert!(Value::List(vec![Value::Nil, inside]).holds_nan());
    assert!(!Value::List(vec![Value::Float(f64::INFINITY)]).holds_nan());
}

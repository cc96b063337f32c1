//! What is refused before anything is measured, and where the message points.

use rstest::rstest;

use super::answer;
use crate::condition::Condition;

#[rstest]
#[case::nothing("", "1:1: expected a value, but got the end")]
#[case::half("result >", "1:9: expected a value, but got the end")]
#[case::two("result result", "1:8: expected an operator or the end, but got result")]
#[case::assignment("result = 1", "1:8: expected an operator or the end, but got =")]
#[case::character("result & 1", "1:8: '&' means nothing in a condition")]
#[case::on_line_two("result > 1 &&\n  $ > 2", "2:3: unknown name $; the measured value is called result")]
#[case::unclosed_parenthesis("(result > 1", "1:12: expected ), but got the end")]
#[case::unclosed_brackets("result[0 > 1", "1:13: expected ], but got the end")]
#[case::unclosed_string("result == 'a", "1:11: the string is not closed; end it with '")]
#[case::unclosed_comment("true /* a", "1:6: the comment is not closed; end it with /")]
#[case::escape(
    "'\\d' == 'a'",
    "1:2: \\d is no escape; write \\\\ for a backslash, or use `…` for text without escapes"
)]
#[case::number("result > 1x", "1:10: 1x is not a number; write 12, 0.5, 1e-3 or 0x2A")]
#[case::large_number("result > 1e999", "1:10: 1e999 is not a number; write 12, 0.5, 1e-3 or 0x2A")]
#[case::large_int(
    "result > 9223372036854775808",
    "1:10: 9223372036854775808 is not a number; write 12, 0.5, 1e-3 or 0x2A"
)]
#[case::unknown_name(
    "results > 1",
    "1:1: unknown name results; the measured value is called result; did you mean result?"
)]
#[case::function_as_name(
    "len > 1",
    "1:1: unknown name len; the measured value is called result; did you mean len()?"
)]
#[case::unknown_function("isNan(result)", "1:1: unknown function isNan(); did you mean isNaN()?")]
#[case::result_called("result(1)", "1:1: unknown function result()")]
#[case::word_as_value("in > 1", "1:1: expected a value, but got in")]
#[case::method(
    "now().Year() > 1",
    "1:11: expected no parentheses, since values have no methods, but got ("
)]
#[case::too_few("default(result) > 1", "1:1: default() takes 2 arguments, but got 1")]
#[case::too_many("len(result, 1) > 1", "1:1: len() takes 1 argument, but got 2")]
#[case::none_at_all("max() > 1", "1:1: max() takes 1 or more arguments, but got 0")]
#[case::formats_of_dates("date('2026', '2006') > now()", "1:1: date() takes 1 argument, but got 2")]
#[case::closure_missing("all(result)", "1:1: all() takes 2 arguments, but got 1")]
#[case::taken("let result = 1; true", "1:5: result already has a meaning; choose another name")]
#[case::taken_twice("let a = 1; let a = 2; true", "1:16: a already has a meaning; choose another name")]
#[case::taken_by_function("let len = 1; true", "1:5: len already has a meaning; choose another name")]
#[case::let_leaves_scope(
    "(let a = 1; a > 0) && a > 0",
    "1:23: unknown name a; the measured value is called result"
)]
#[case::pointer_outside(
    "# > 1",
    "1:1: # has no meaning here; it names an element inside a closure, as in all(result, # < 1)"
)]
#[case::dot_outside(".a > 1", "1:1: expected a value, but got .")]
#[case::accumulator_outside(
    "all(result, #acc > 1)",
    "1:13: #acc has no meaning here; it names an element inside the closure of reduce()"
)]
#[case::unknown_pointer(
    "all(result, #last)",
    "1:13: #last has no meaning here; it names an element inside a closure as #, #index or #acc"
)]
#[case::mixed_coalesce(
    "result.a ?? 0 > 1",
    "1:15: ?? beside > is hard to read; put the ?? part in parentheses"
)]
#[case::pattern("result matches '('", "1:16: the pattern of matches cannot be used: unclosed group")]
#[case::large_pattern(
    "result matches '(a{1000}){1000}'",
    "1:16: the pattern of matches cannot be used: it is too large"
)]
#[case::int("1", "1:1: expected bool, but got int; compare it with something")]
#[case::sum(
    "result + 1",
    "1:8: expected bool, but got int or float64; compare it with something"
)]
#[case::text("'a' + result", "1:5: expected bool, but got string; compare it with something")]
#[case::mean("mean(result)", "1:1: expected bool, but got float64; compare it with something")]
#[case::upper("upper(result)", "1:1: expected bool, but got string; compare it with something")]
#[case::one_branch_only(
    "result ? 1 : 'a'",
    "1:8: expected bool, but got int or string; compare it with something"
)]
#[case::nil("nil", "1:1: expected bool, but got <nil>; compare it with something")]
#[case::let_of_int("let a = 1; a", "1:1: expected bool, but got int; compare it with something")]
#[case::text_and_number("'a' < 1", "1:5: invalid operation: string < int")]
#[case::text_plus_number("'a' + 1 == ''", "1:5: invalid operation: string + int")]
#[case::not_of_number("!1", "1:1: invalid operation: ! int")]
#[case::not_binds_tighter("not 1 in [1]", "1:1: invalid operation: ! int")]
#[case::and_of_number("1 and true", "1:3: invalid operation: int && bool")]
#[case::argument("upper(1) == ''", "1:7: upper() takes string, but got int")]
#[case::closure_of_numbers(
    "all(result, # + 1)",
    "1:15: all() needs a closure that is true or false, but it is int or float64"
)]
#[case::element_of_number("1[0] > 1", "1:2: cannot take int from int")]
#[case::slice_of_number("len(1[0:1]) > 1", "1:6: cannot slice int by int")]
#[case::float_remainder("1.5 % 2 == 0", "1:5: invalid operation: float64 % int")]
#[case::key("{(1): 2} == nil", "1:3: a map's keys must be string, but this is int")]
fn is_refused(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(answer(text, "1"), format!("refused {expected}"));
}

#[rstest]
#[case::may_be_bool("result")]
#[case::may_be_bool_inside("result.ok")]
#[case::one_branch_is_bool("result ? true : 1")]
#[case::default_may_be_bool("default(result, 1)")]
#[case::found_may_be_bool("first(result)")]
#[case::reduced_may_be_bool("reduce(result, #acc && #, true)")]
fn what_may_be_true_passes(#[case] text: &str) {
    assert_eq!(
        Condition::parse(text).map(|condition| condition.to_string()),
        Ok(text.to_owned())
    );
}

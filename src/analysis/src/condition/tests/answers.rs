//! The language, a row for each thing that it can say, and for each way in which a value can fail it.

use rstest::rstest;

use super::{answer, answer_under, value};
use crate::semantics::Semantics;

#[rstest]
#[case::articles("result[0] >= 0.95", "[0.97]")]
#[case::scalar("result >= 0.95", "1")]
#[case::infinity("result >= 0.95", "\"+Inf\"")]
#[case::words("result > 1 and not (result > 3) or false", "2")]
#[case::signs("result > 1 && !(result > 3) || false", "2")]
#[case::and_binds_tighter("true || false && false", "0")]
#[case::skips_what_is_decided("len(result) == 0 || result[0] > 1", "[]")]
#[case::int_and_float("1 == 1.0 && 2 > 1.5 && 1 <= 1.0", "0")]
#[case::row_of_orders("0 < result <= 1", "1")]
#[case::row_stops_early("!(0 < result < 5 < result)", "3")]
#[case::text_order("\"a\" < 'b' && `b` >= \"b\"", "0")]
#[case::unequal_to_nil("result.a != nil && result.b == nil", r#"{"a": 1}"#)]
#[case::lists_equal("result == [1, 2.0]", "[1, 2]")]
#[case::maps_equal("result == {a: [1], 'b c': nil}", r#"{"a": [1], "b c": null}"#)]
#[case::arithmetic("1 + 2 * 3 - 4 == 3 && 2 * (3 + 4) == 14", "0")]
#[case::float_division("7 / 2 == 3.5 && type(4 / 2) == 'float'", "0")]
#[case::division_by_zero("isInf(1 / 0) && isNaN(0 / 0)", "0")]
#[case::remainder("7 % 3 == 1 && -7 % 3 == -1", "0")]
#[case::power("2 ** 3 == 8 && 2 ^ 3 ^ 2 == 512 && type(2 ** 2) == 'float'", "0")]
#[case::power_before_minus("-2 ** 2 == -4", "0")]
#[case::signs_of_numbers("-result == 0 - 3 && +result == 3 && - -3 == 3", "3")]
#[case::numbers(
    "0x2A == 42 && 0o17 == 15 && 0b11 == 3 && .5 == 0.5 && 1e-3 == 0.001 && 1_000 == 1000",
    "0"
)]
#[case::strings("\"a\\n\\t\\\\\\\"\\u0041\\x41\" == `a\n\t\\\"AA`", "0")]
#[case::concatenation("'a' + 'b' == \"ab\"", "0")]
#[case::in_list("result in [1, 2]", "2")]
#[case::in_mixed_list("'a' in [1, 'a'] && 'b' not in [1, 'a']", "0")]
#[case::in_map("'a' in result && \"b\" not in result", r#"{"a": 1}"#)]
#[case::in_nil("!('a' in nil)", "0")]
#[case::text_operators("result contains 'b' && result startsWith 'a' && result endsWith 'c'", "\"abc\"")]
#[case::negated_text(
    "result not contains 'x' && result not startsWith 'b' && result not endsWith 'b'",
    "\"abc\""
)]
#[case::matches("result matches '^a.c$' && result not matches `^\\d`", "\"abc\"")]
#[case::matches_made_pattern("result matches '^' + result", "\"abc\"")]
#[case::conditional("result > 1 ? true : false", "2")]
#[case::nested_conditional("(result > 5 ? 'a' : result > 1 ? 'b' : 'c') == 'b'", "2")]
#[case::short_conditional("(result > 5 ?: true)", "2")]
#[case::conditional_of_fraction("(result > 1 ?.5 : 1) == 0.5", "2")]
#[case::coalesce("(result.a ?? 0) == 0 && (result.b ?? 0) == 7", r#"{"b": 7}"#)]
#[case::coalesce_binds_tightest("1 + result.a ?? 2 == 3", "{}")]
#[case::optional("result?.a?.b.c == nil && result.x?.y == 1", r#"{"x": {"y": 1}}"#)]
#[case::optional_brackets("result.a?.[0] == nil && result?.['b'] == 2", r#"{"b": 2}"#)]
#[case::ranges("1..3 == [1, 2, 3] && len(3..1) == 0 && len(1..1) == 1", "0")]
#[case::lets("let a = result[0]; let b = a * 2; b == 4", "[2]")]
#[case::let_in_parentheses("(let a = 1; a) + 1 == 2", "0")]
#[case::pipes("result | filter(# > 1) | len() == 2", "[1, 2, 3]")]
#[case::pipe_into_arguments("'a,b' | split(',') | join('-') == 'a-b'", "0")]
#[case::negative_index("result[-1] == 3 && result[len(result) - 1] == 3", "[1, 2, 3]")]
#[case::whole_float_index("result[result[0]] == 5", "[1, 5]")]
#[case::slices(
    "result[1:3] == [2, 3] && result[:1] == [1] && result[2:] == [3] && result[:] == result",
    "[1, 2, 3]"
)]
#[case::slices_from_the_end("result[1:-1] == [2] && result[-2:] == [2, 3] && result[5:9] == []", "[1, 2, 3]")]
#[case::text_slice("result[1:] == 'äc'", "\"aäc\"")]
#[case::fields(
    "result.a.b == 1 && result['a'][\"b\"] == 1 && result.missing == nil",
    r#"{"a": {"b": 1}}"#
)]
#[case::literals("[1, [2], {a: 1,},][2].a == 1 && {('a' + 'b'): 3}.ab == 3", "0")]
#[case::comments("true /* no */ && // yes\n true", "0")]
#[case::closures(
    "all(result, # < 5) && any(result, {# > 2}) && none(result, # > 5) && one(result, # == 1)",
    "[1, 2, 3]"
)]
#[case::closures_on_nothing("all([], false) && none([], true) && !any([], true) && !one([], true)", "0")]
#[case::fields_in_closures("all(result, .a > 0) && all(result, #.a > 0)", r#"[{"a": 1}]"#)]
#[case::closures_in_closures("all(result, any(#, # == 2))", "[[1, 2], [2]]")]
#[case::index_in_closure("filter(result, #index > 0) == [2, 3]", "[1, 2, 3]")]
#[case::let_in_closure("map(result, {let a = # + 1; a * 2}) == [4, 6]", "[1, 2]")]
#[case::maps_and_filters("map(filter(result, # > 1), # * 2) == [4, 6]", "[1, 2, 3]")]
#[case::finds(
    "find(result, # > 1) == 2 && findLast(result, # > 1) == 3 && find(result, # > 9) == nil",
    "[1, 2, 3]"
)]
#[case::find_places(
    "findIndex(result, # > 1) == 1 && findLastIndex(result, # > 1) == 2 && findIndex(result, # > 9) == -1",
    "[1, 2, 3]"
)]
#[case::counts("count(result, # > 1) == 2 && count([true, false]) == 1", "[1, 2, 3]")]
#[case::sums(
    "sum(result) == 6 && sum(result, # * 2) == 12 && sum([]) == 0 && type(sum([1, 2])) == 'int'",
    "[1, 2, 3]"
)]
#[case::reduces(
    "reduce(result, #acc + #) == 6 && reduce(result, #acc + #, 10) == 16 && reduce([], #acc, 1) == 1",
    "[1, 2, 3]"
)]
#[case::averages(
    "mean(result) == 2.5 && median(result) == 2.5 && median([3, 1, 2]) == 2 && mean(1, [2, 3]) == 2",
    "[4, 1, 2, 3]"
)]
#[case::averages_of_nothing("mean([]) == 0 && median([]) == 0", "0")]
#[case::extremes(
    "max(result) == 3 && min(result) == 1 && max(1, 2.5) == 2.5 && max([]) == nil && min([]) == nil",
    "[2, 1, 3]"
)]
#[case::rounding(
    "abs(-2) == 2 && ceil(1.2) == 2 && floor(-1.2) == -2 && round(2.5) == 3 && round(-2.5) == -3",
    "0"
)]
#[case::ends(
    "first(result) == 1 && last(result) == 3 && first([]) == nil && last([]) == nil && first(nil) == nil",
    "[1, 2, 3]"
)]
#[case::gets(
    "get(result, 'a') == 1 && get(result, 'b') == nil && get([1], 5) == nil && get(nil, 'a') == nil",
    r#"{"a": 1}"#
)]
#[case::keys("keys(result) == ['a', 'b'] && values(result) == [1, 2]", r#"{"b": 2, "a": 1}"#)]
#[case::sorts(
    "sort(result) == [1, 2, 3] && sort(result, 'desc') == [3, 2, 1] && sort(['b', 'a']) == ['a', 'b']",
    "[2, 3, 1]"
)]
#[case::sorts_nan_last("isNaN(sort(result)[-1]) && isNaN(sort(result, 'desc')[-1])", "[2, \"NaN\", 1]")]
#[case::sorts_by(
    "sortBy(result, .a)[0].a == 1 && sortBy(result, .a, 'desc')[0].a == 2",
    r#"[{"a": 2}, {"a": 1}]"#
)]
#[case::groups(
    "groupBy(result, .k).x == [{k: 'x', v: 1}] && len(groupBy(result, .k)) == 2",
    r#"[{"k": "x", "v": 1}, {"k": "y", "v": 2}]"#
)]
#[case::list_functions(
    "take([1, 2, 3], 2) == [1, 2] && reverse([1, 2]) == [2, 1] && concat([1], [2]) == [1, 2] && flatten([1, [2, [3]]]) == [1, 2, 3] && uniq([1, 1.0, 2]) == [1, 2]",
    "0"
)]
#[case::lengths("len(result) == 3 && len('äb') == 2 && len({a: 1}) == 1", "[1, 2, 3]")]
#[case::text_functions(
    "upper('a') == 'A' && lower('A') == 'a' && trim(' a ') == 'a' && trim('__a_', '_') == 'a'",
    "0"
)]
#[case::more_text_functions(
    "trimPrefix('ab', 'a') == 'b' && trimSuffix('ab', 'b') == 'a' && hasPrefix('ab', 'a') && hasSuffix('ab', 'b') && replace('aa', 'a', 'b') == 'bb' && indexOf('abab', 'b') == 1 && lastIndexOf('abab', 'b') == 3 && indexOf('a', 'x') == -1",
    "0"
)]
#[case::splits(
    "split('a,b,c', ',') == ['a', 'b', 'c'] && split('a,b,c', ',', 2) == ['a', 'b,c'] && split('ab', '') == ['a', 'b']",
    "0"
)]
#[case::joins("join(['a', 'b'], '-') == 'a-b' && join(['a', 'b']) == 'ab' && join([]) == ''", "0")]
#[case::conversions(
    "int('7') == 7 && int(2.9) == 2 && float('0.5') == 0.5 && float(1) == 1 && string(1.5) == '1.5' && string([1, 'a']) == '[1,a]'",
    "0"
)]
#[case::argos_conversions(
    "asInt('7') == 7 && asInt(-2.9) == -2 && asFloat('1e-3') == 0.001 && isNaN(asFloat('NaN')) && isInf(asFloat('-Inf'))",
    "0"
)]
#[case::types(
    "type(1) == 'int' && type(result) == 'float' && type(nil) == 'nil' && type('') == 'string' && type([]) == 'array' && type({}) == 'map' && type(true) == 'bool'",
    "1"
)]
#[case::json(
    "fromJSON('{\"a\": [1]}').a[0] == 1 && toJSON({a: 1.0}) == \"{\\n  \\\"a\\\": 1\\n}\"",
    "0"
)]
#[case::times(
    "now() > date('2026-03-01') && now() - date('2026-03-01T11:00:00Z') == duration('1h')",
    "0"
)]
#[case::time_arithmetic(
    "date('2026-03-01 12:00:00') + duration('1h30m') - duration('90m') == now() && duration('1.5s') > duration('-2h')",
    "0"
)]
#[case::nan_guard("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.95", "[\"NaN\"]")]
#[case::nan_is_nothing(
    "!(result > 1) && !(result <= 1) && result != result && !(result == result)",
    "\"NaN\""
)]
fn holds(#[case] text: &str, #[case] json: &str) {
    assert_eq!(answer(text, json), "true", "{text}");
}

#[rstest]
#[case::empty_vector(
    "result[0] > 1",
    "[]",
    "1:7: index out of range: 0 (array length is 0); guard it with len(…) > 0"
)]
#[case::before_the_start(
    "result[-2] > 1",
    "[1]",
    "1:7: index out of range: -2 (array length is 1); guard it with len(…) > 0"
)]
#[case::index_of_scalar("result[0] > 1", "1", "1:7: cannot take int from float64")]
#[case::negated_index(
    "!(result[0] == 5)",
    "[]",
    "1:9: index out of range: 0 (array length is 0); guard it with len(…) > 0"
)]
#[case::fraction_index("result[0.5] > 1", "[1]", "1:7: cannot take float64 from []float64")]
#[case::field_of_nil("result.a.b == 1", "{}", "1:9: cannot take string from <nil>")]
#[case::second_line("true &&\n  result > 'a'", "1", "2:10: invalid operation: float64 > string")]
#[case::text_against_number("result == 'a'", "1", "1:8: invalid operation: float64 == string")]
#[case::unlike_in_list("'a' in result", "[1]", "1:5: invalid operation: string in []float64")]
#[case::nil_against_number("max(result) < 1", "[]", "1:13: invalid operation: <nil> < int")]
#[case::not_a_bool("result[0]", "[1]", "1:7: expected bool, but got float64")]
#[case::not_a_bool_list("result", "[1]", "1:1: expected bool, but got []float64")]
#[case::not_a_bool_inside("result && true", "1", "1:8: invalid operation: float64 && bool")]
#[case::not_of_number("!result", "1", "1:1: invalid operation: ! float64")]
#[case::minus_of_text("-result > 1", "\"a\"", "1:1: invalid operation: - string")]
#[case::length_of_scalar(
    "len(result) == 0",
    "1",
    "1:1: len() takes string or []interface {} or map[string]interface {}, but got float64"
)]
#[case::sum_of_text(
    "sum(result) > 0",
    "[1, \"a\"]",
    "1:1: sum() takes a list of numbers, but got one that holds string"
)]
#[case::mean_of_text("mean(result) > 0", "[1, \"a\"]", "1:1: mean() takes int or float64, but got string")]
#[case::closure_of_numbers(
    "all(result, #)",
    "[1]",
    "1:1: all() needs a closure that is true or false, but it is float64"
)]
#[case::fault_in_closure("all(result, # > 'a')", "[1]", "1:15: invalid operation: float64 > string")]
#[case::sort_of_both("sort(result) == []", "[1, \"a\"]", "1:1: invalid operation: float64 < string")]
#[case::sort_upside_down("sort(result, 'down') == []", "[1]", "1:1: sort(): the order is \"asc\" or \"desc\"")]
#[case::group_by_number(
    "len(groupBy(result, #)) > 0",
    "[1]",
    "1:5: a map's keys must be string, but this is float64"
)]
#[case::reduce_of_nothing(
    "reduce(result, #acc) == 1",
    "[]",
    "1:1: reduce(): an empty list needs a value to start from"
)]
#[case::question(
    "result ? true : false",
    "1",
    "1:1: the condition before ? must be bool, but is float64"
)]
#[case::as_int_of_fraction(
    "asInt(result) == 1",
    "\"1.1\"",
    "1:1: asInt(): cannot read \"1.1\"; write a whole number, or use float()"
)]
#[case::as_float_of_word(
    "asFloat(result) == 1",
    "\"NotANum\"",
    "1:1: asFloat(): cannot read \"NotANum\"; write a number"
)]
#[case::as_int_of_nan(
    "asInt(result) == 1",
    "\"NaN\"",
    "1:1: asInt(): the number is NaN or beyond a 64-bit integer; guard it with isNaN()"
)]
#[case::as_float_of_list(
    "asFloat(result) == 1",
    "[1]",
    "1:1: asFloat() takes int or float64 or string, but got []float64"
)]
#[case::remainder_of_float("result % 2 == 0", "4", "1:8: invalid operation: float64 % int")]
#[case::remainder_by_zero("1 % len(result) == 0", "[]", "1:3: division by zero: %")]
#[case::overflow("9223372036854775807 + len(result) > 0", "[1]", "1:21: + overflows a 64-bit integer")]
#[case::pattern(
    "'a' matches result",
    "\"(\"",
    "1:5: the pattern of matches cannot be used: unclosed group"
)]
#[case::bad_json(
    "fromJSON(result) == 1",
    "\"{\"",
    "1:1: fromJSON(): cannot read \"{\"; write valid JSON"
)]
#[case::nan_as_json("toJSON(result) == ''", "\"NaN\"", "1:1: toJSON(): JSON has no NaN and no infinity")]
#[case::bad_date(
    "date(result) > now()",
    "\"soon\"",
    "1:1: date(): cannot read \"soon\"; write 2006-01-02, 2006-01-02 15:04:05 or RFC 3339"
)]
#[case::bad_duration(
    "duration(result) > duration('1s')",
    "\"1 day\"",
    "1:1: duration(): cannot read \"1 day\"; write 90s, 5m or 1h30m"
)]
#[case::slice_of_number("len(result[1:]) > 0", "1", "1:11: cannot slice float64 by int")]
#[case::take_less("take(result, -1) == []", "[1]", "1:1: take(): cannot take less than nothing")]
fn says_where_it_stops(#[case] text: &str, #[case] json: &str, #[case] expected: &str) {
    assert_eq!(answer(text, json), expected, "{text}");
}

#[rstest]
#[case::nil_of_field("isNil(result.a)", r#"{"b": 1}"#, "false", "true")]
#[case::nil_of_nothing("isNil(result)", "null", "true", "true")]
#[case::empty_is_not_nil("isNil(result)", "[]", "false", "false")]
#[case::default_of_field(
    "default(result.a, 0) == 0",
    r#"{"b": 1}"#,
    "1:22: invalid operation: map[string]interface {} == int",
    "true"
)]
#[case::default_of_nothing("default(result, 0) < 1", "null", "true", "true")]
#[case::default_of_empty("default(result, 0) == []", "[]", "true", "true")]
fn argo_looks_at_the_whole_result(#[case] text: &str, #[case] json: &str, #[case] argo: &str, #[case] strict: &str) {
    assert_eq!(answer_under(Semantics::Argo, text, &value(json)), argo);
    assert_eq!(answer_under(Semantics::Strict, text, &value(json)), strict);
}

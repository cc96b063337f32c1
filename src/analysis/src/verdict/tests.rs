//! The vectors of verdicts, twice: as Argo judges and as we do. The rows that differ are the ones in which no data, or no number, would pass.

use rstest::rstest;

use super::{Doubt, Verdict, judge};
use crate::condition::Condition;
use crate::condition::tests::{scope, value};
use crate::semantics::Semantics;
use crate::value::Value;

/// The verdict in one word, and the reason or message after it.
fn words(success: &str, failure: &str, measured: &Value, semantics: Semantics) -> String {
    let read = |text: &str| (!text.is_empty()).then(|| Condition::parse(text).unwrap());
    match judge(
        read(success).as_ref(),
        read(failure).as_ref(),
        measured,
        scope(semantics),
    ) {
        Verdict::Successful => "Successful".to_owned(),
        Verdict::Failed => "Failed".to_owned(),
        Verdict::Inconclusive(doubt) => format!("Inconclusive {}", doubt.reason()),
        Verdict::Error(unanswered) => format!("Error {unanswered}"),
    }
}

const EMPTY: &str = "metric result is nil or empty: no data returned from the metric provider";

#[rstest]
#[case::no_conditions("", "", "1", "Successful")]
#[case::s_true("result > 0", "", "1", "Successful")]
#[case::s_false("result > 1", "", "1", "Failed")]
#[case::f_true("", "result > 0", "1", "Failed")]
#[case::f_false("", "result > 1", "1", "Successful")]
#[case::v12_success_only_nan("result >= 0.95", "", "\"NaN\"", "Failed")]
#[case::v13_failure_only_nan("", "result < 0.95", "\"NaN\"", "Successful")]
#[case::v14_neither("result > 2", "result < 1", "1.5", "Inconclusive NeitherConditionHolds")]
#[case::v15_both("result > 0", "result > 0", "1", "Failed")]
#[case::v16_index_of_empty("result[0] > 1", "", "[]", &format!("Error could not evaluate successCondition \"result[0] > 1\": {EMPTY}"))]
#[case::v16_failure_too("", "result[0] > 1", "null", &format!("Error could not evaluate failureCondition \"result[0] > 1\": {EMPTY}"))]
#[case::v17_all_of_empty("all(result, # < 1)", "", "[]", "Successful")]
#[case::t4_mean_of_empty("mean(result) < 0.05", "", "[]", "Successful")]
#[case::t4_sum_of_empty("sum(result) == 0", "", "[]", "Successful")]
#[case::v18_number(
    "result[0]",
    "",
    "[1]",
    "Error could not evaluate successCondition \"result[0]\": 1:7: expected bool, but got float64"
)]
#[case::v32_index_of_scalar(
    "result[0] > 1",
    "",
    "1",
    "Error could not evaluate successCondition \"result[0] > 1\": 1:7: cannot take int from float64"
)]
#[case::v32_scalar("result >= 1", "", "1", "Successful")]
#[case::success_is_first(
    "result[0] > 1",
    "result[1] > 1",
    "5",
    "Error could not evaluate successCondition \"result[0] > 1\": 1:7: cannot take int from float64"
)]
#[case::failure_is_asked_too(
    "true",
    "result[0] > 1",
    "5",
    "Error could not evaluate failureCondition \"result[0] > 1\": 1:7: cannot take int from float64"
)]
#[case::both_nan("result > 1", "result <= 1", "\"NaN\"", "Inconclusive NeitherConditionHolds")]
#[case::nan_in_list("", "max(result) > 1", "[0.5, \"NaN\"]", "Successful")]
#[case::guard_lets_nan_pass("isNaN(result[0]) || result[0] > 0.95", "", "[\"NaN\"]", "Successful")]
#[case::guard_lets_nothing_pass("len(result) == 0 || result[0] > 0.95", "", "[]", "Successful")]
#[case::no_conditions_no_data("", "", "[]", "Successful")]
#[case::default_of_nothing("default(result, 0) < 0.05", "", "null", "Successful")]
#[case::empty_is_the_failure("", "len(result) == 0", "[]", "Failed")]
#[case::infinite("result >= 0.95", "", "\"+Inf\"", "Successful")]
fn argo(#[case] success: &str, #[case] failure: &str, #[case] measured: &str, #[case] expected: &str) {
    assert_eq!(words(success, failure, &value(measured), Semantics::Argo), expected);
}

#[rstest]
#[case::no_conditions("", "", "1", "Successful")]
#[case::s_true("result > 0", "", "1", "Successful")]
#[case::f_false("", "result > 1", "1", "Successful")]
#[case::v12_success_only_nan("result >= 0.95", "", "\"NaN\"", "Failed")]
#[case::v13_failure_only_nan("", "result < 0.95", "\"NaN\"", "Inconclusive NotANumber")]
#[case::v14_neither("result > 2", "result < 1", "1.5", "Inconclusive NeitherConditionHolds")]
#[case::v15_both("result > 0", "result > 0", "1", "Failed")]
#[case::v16_index_of_empty("result[0] > 1", "", "[]", &format!("Error could not evaluate successCondition \"result[0] > 1\": {EMPTY}"))]
#[case::v17_all_of_empty("all(result, # < 1)", "", "[]", "Inconclusive NoData")]
#[case::t4_mean_of_empty("mean(result) < 0.05", "", "[]", "Inconclusive NoData")]
#[case::t4_sum_of_empty("sum(result) == 0", "", "[]", "Inconclusive NoData")]
#[case::v18_number(
    "result[0]",
    "",
    "[1]",
    "Error could not evaluate successCondition \"result[0]\": 1:7: expected bool, but got float64"
)]
#[case::v32_index_of_scalar(
    "result[0] > 1",
    "",
    "1",
    "Error could not evaluate successCondition \"result[0] > 1\": 1:7: cannot take int from float64"
)]
#[case::v32_scalar("result >= 1", "", "1", "Successful")]
#[case::both_nan("result > 1", "result <= 1", "\"NaN\"", "Inconclusive NotANumber")]
#[case::nan_in_list("", "max(result) > 1", "[0.5, \"NaN\"]", "Inconclusive NotANumber")]
#[case::guard_lets_nan_pass("isNaN(result[0]) || result[0] > 0.95", "", "[\"NaN\"]", "Inconclusive NotANumber")]
#[case::guard_lets_nothing_pass("len(result) == 0 || result[0] > 0.95", "", "[]", "Inconclusive NoData")]
#[case::no_conditions_no_data("", "", "[]", "Inconclusive NoData")]
#[case::no_conditions_nil("", "", "null", "Inconclusive NoData")]
#[case::default_of_nothing("default(result, 0) < 0.05", "", "null", "Inconclusive NoData")]
#[case::empty_is_the_failure("", "len(result) == 0", "[]", "Failed")]
#[case::infinite("result >= 0.95", "", "\"+Inf\"", "Successful")]
fn strict(#[case] success: &str, #[case] failure: &str, #[case] measured: &str, #[case] expected: &str) {
    assert_eq!(words(success, failure, &value(measured), Semantics::Strict), expected);
}

#[test]
fn doubts_say_what_to_do() {
    let said = [Doubt::Neither, Doubt::NoData, Doubt::NotANumber].map(|doubt| format!("{}: {doubt}", doubt.reason()));
    insta::assert_snapshot!(said.join("\n"), @r"
    NeitherConditionHolds: neither successCondition nor failureCondition holds
    NoData: the metric provider returned no data, which is never a success; look at the query and at whether the new version gets requests
    NotANumber: the value is not a number (NaN), which is never a success; look at whether the query divides by zero
    ");
}

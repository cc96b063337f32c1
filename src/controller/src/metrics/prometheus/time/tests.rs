//! Which expressions are times.

use jiff::Timestamp;
use rstest::rstest;

use super::moment;

#[rstest]
#[case::now("now()", Ok("2030-01-01T00:00:00Z"))]
#[case::before("now() - duration(\"1h\")", Ok("2029-12-31T23:00:00Z"))]
#[case::without_blanks("now()-duration('90m')", Ok("2029-12-31T22:30:00Z"))]
#[case::with_blanks(" now ( ) - duration ( `1s` ) ", Ok("2029-12-31T23:59:59Z"))]
#[case::from_the_left("now() - duration(\"1h\") + duration(\"30m\")", Ok("2029-12-31T23:30:00Z"))]
#[case::parentheses("now() - (duration(\"1h\") + duration(\"30m\"))", Ok("2029-12-31T22:30:00Z"))]
#[case::the_other_way("duration(\"1h\") + now()", Ok("2030-01-01T01:00:00Z"))]
#[case::difference("now() + (now() - now())", Ok("2030-01-01T00:00:00Z"))]
#[case::empty("", Err("it ends too early"))]
#[case::duration("duration(\"1h\")", Err("it is a duration and no time"))]
#[case::two_times("now() + now()", Err("two times cannot be added"))]
#[case::backwards("duration(\"1h\") - now()", Err("a time cannot be taken from a duration"))]
#[case::open("now() - (duration(\"1h\")", Err("\")\" is missing before \"\""))]
#[case::no_text("now() - duration(1h)", Err("duration() needs a text in quotes"))]
#[case::days(
    "now() - duration(\"1d\")",
    Err("\"1d\" is not a duration; write a number and a unit (ms, s, m, h), as in 30s, 5m or 1h30m")
)]
#[case::more("now() now()", Err("\"now()\" is not expected"))]
#[case::far("now() + duration(\"2562047h\") * 2", Err("\"* 2\" is not expected"))]
#[case::too_far(
    "now() - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") - duration(\"2562047h\") ",
    Err("it is too far away")
)]
fn a_time_is_said(#[case] text: &str, #[case] expected: Result<&str, &str>) {
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().expect("a time");
    let said = moment(text, now).map(|at| at.to_string());
    let expected = match expected {
        Ok(at) => Ok(at.to_owned()),
        Err(why) => Err(format!("\"{text}\": {why}; write it as now() - duration(\"1h\")")),
    };
    assert_eq!(said, expected);
}

#[test]
fn nothing_deep_or_long_is_read() {
    assert!(moment(&"(".repeat(200), Timestamp::UNIX_EPOCH).is_err_and(|error| error.contains("more than 16")));
    assert!(moment(&" ".repeat(300), Timestamp::UNIX_EPOCH).is_err_and(|error| error.contains("longer than")));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[now()\"'`duration 0-9hms+-]{0,40}|\\PC{0,40}") {
        let _ = moment(&text, Timestamp::UNIX_EPOCH);
    }
}

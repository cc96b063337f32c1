//! Durations, as Go reads them.

use proptest::prelude::*;
use rstest::rstest;

use crate::go_duration::parse;

#[rstest]
#[case("0", 0)]
#[case("-0", 0)]
#[case("0s", 0)]
#[case("30s", 30_000_000_000)]
#[case("5m", 300_000_000_000)]
#[case("1h30m", 5_400_000_000_000)]
#[case("1.5h", 5_400_000_000_000)]
#[case(".5s", 500_000_000)]
#[case("1.s", 1_000_000_000)]
#[case("+250ms", 250_000_000)]
#[case("1us", 1_000)]
#[case("1µs", 1_000)]
#[case("1μs", 1_000)]
#[case("7ns", 7)]
#[case("0.0000000001s", 0)]
#[case("2562047h47m16.854775807s", 9_223_372_036_854_775_807)]
fn is_read(#[case] text: &str, #[case] nanoseconds: u128) {
    assert_eq!(parse(text).map(|duration| duration.as_nanos()), Ok(nanoseconds));
}

#[rstest]
#[case("", "is not a duration")]
#[case("5", "is not a duration")]
#[case("5 m", "is not a duration")]
#[case("m", "is not a duration")]
#[case(".s", "is not a duration")]
#[case("+", "is not a duration")]
#[case("1d", "is not a duration")]
#[case("five minutes", "is not a duration")]
#[case("1h-5m", "is not a duration")]
#[case("-5m", "is below zero")]
#[case("2562048h", "is more than 292 years")]
#[case("99999999999999999999999999999999999999999h", "is more than 292 years")]
fn is_refused(#[case] text: &str, #[case] says: &str) {
    let said = parse(text).map_err(|error| error.to_string());
    assert!(said.as_ref().is_err_and(|said| said.contains(says)), "{said:?}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "[-+0-9.a-zµ ]{0,30}") {
        let _ = parse(&text);
    }

    #[test]
    fn whole_parts_add_up(hours in 0..1000u64, minutes in 0..1000u64, seconds in 0..1000u64) {
        let read = parse(&format!("{hours}h{minutes}m{seconds}s")).unwrap();
        prop_assert_eq!(read.as_secs(), hours * 3600 + minutes * 60 + seconds);
    }
}

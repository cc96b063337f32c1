//! Durations as Go writes them, which is how a template writes an interval: `30s`, `1h30m`, `1.5h`, `250ms`. By the grammar of Go's
//! `time.ParseDuration`. Used by [`crate::validate`] and by crate `analysis`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form.
    #[error("\"{text}\" is not a duration; write a number and a unit (ms, s, m, h), as in 30s, 5m or 1h30m")]
    Form {
        /// What was written.
        text: String,
    },
    /// Below zero.
    #[error("\"{text}\" is below zero; a time cannot be negative")]
    Negative {
        /// What was written.
        text: String,
    },
    /// More than Go's 64 bits of nanoseconds hold.
    #[error("\"{text}\" is more than 292 years; write a shorter time")]
    TooLong {
        /// What was written.
        text: String,
    },
}

/// Nanoseconds of each unit. Go takes both the micro sign and the Greek letter.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// The most that Go's Duration holds.
const LONGEST: u128 = i64::MAX as u128;
/// Digits after the point that make a difference of a nanosecond in an hour; the rest is cut off.
const FRACTION_DIGITS: usize = 18;

/// Reads a duration.
///
/// # Errors
/// When it is not of the form, negative, or longer than Go can say.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let form = || DurationError::Form { text: text.to_owned() };
    let too_long = || DurationError::TooLong { text: text.to_owned() };
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.is_empty() {
        return Err(form());
    }
    let mut total: u128 = 0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(form());
        }
        let end = after
            .find(|letter: char| letter == '.' || letter.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
        total = amount(whole, fraction, *nanoseconds)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(too_long)?;
        rest = after;
    }
    if text.starts_with('-') && total > 0 {
        return Err(DurationError::Negative { text: text.to_owned() });
    }
    let nanoseconds = u64::try_from(total).map_err(|_| too_long())?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// The digits that a text begins with, and what follows.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// So many nanoseconds times a decimal number, rounded down as Go does.
fn amount(whole: &str, fraction: &str, nanoseconds: u128) -> Option<u128> {
    let number = |digits: &str| {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse::<u128>().ok()
        }
    };
    let kept = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    let scale = 10_u128.checked_pow(u32::try_from(kept.len()).ok()?)?;
    let parts = number(kept)?.checked_mul(nanoseconds)? / scale;
    number(whole)?.checked_mul(nanoseconds)?.checked_add(parts)
}

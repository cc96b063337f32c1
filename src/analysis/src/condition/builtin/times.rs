//! Times and durations: `date` reads RFC 3339 and its plain forms, which are taken as UTC; `duration` reads Go's `1h30m`.

use jiff::{SignedDuration, Timestamp, civil};

use super::super::datum::Datum;
use super::super::function::Function;
use super::{Call, Computed};

impl Call<'_> {
    pub(super) fn time(&self, function: Function) -> Computed {
        let [Datum::Text(text)] = self.arguments else {
            return None;
        };
        match function {
            Function::Date => {
                let time = date(text).map(Datum::Time);
                Some(time.ok_or_else(|| self.unreadable(text, "write 2006-01-02, 2006-01-02 15:04:05 or RFC 3339")))
            }
            Function::Duration => {
                let span = duration(text).map(Datum::Duration);
                Some(span.ok_or_else(|| self.unreadable(text, "write 90s, 5m or 1h30m")))
            }
            _ => None,
        }
    }
}

fn date(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let plain: civil::DateTime = text.parse().ok()?;
    plain
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|time| time.timestamp())
}

/// Go's form: numbers with units from `h` to `ns`, a sign before all of them.
fn duration(text: &str) -> Option<SignedDuration> {
    const UNITS: &[(&str, f64)] = &[
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut rest = unsigned;
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanoseconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    // Go keeps nanoseconds in 64 bits.
    if unsigned.is_empty() || nanoseconds >= 9.2e18 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, and Go cuts what is below a nanosecond"
    )]
    let span = SignedDuration::from_nanos(nanoseconds as i64);
    Some(if text.starts_with('-') { -span } else { span })
}

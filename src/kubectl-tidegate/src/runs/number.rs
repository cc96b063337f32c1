//! Numbers of a test as a person reads them: three digits that count, and shares of a hundred. Pure; used beside.

/// Three digits that count; very large and very small ones by their power of ten.
pub(super) fn significant(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(0.001..100_000.0).contains(&size) {
        format!("{number:.2e}")
    } else {
        let digits = (0..=5).find(|digits| size * 10f64.powi(*digits) >= 99.5).unwrap_or(5);
        let text = format!("{number:.*}", usize::try_from(digits).unwrap_or(0));
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    }
}

/// `e` to a power, also where that is larger than a float.
pub(super) fn exponential(power: f64) -> String {
    let number = power.exp();
    if number.is_finite() && (number > 0.0 || power == f64::NEG_INFINITY) {
        significant(number)
    } else {
        format!("1e{:.0}", power / std::f64::consts::LN_10)
    }
}

/// A share from 0 to 1: `54 %`. Only all of it is 100 %.
pub(super) fn part(share: f64) -> String {
    let hundredth = (share.clamp(0.0, 1.0) * 100.0).floor();
    format!("{hundredth:.0} %")
}

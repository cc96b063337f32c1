//! Durations as Kubernetes shortens them for people: the two largest units that still matter.
//!
//! Follows `k8s.io/apimachinery/pkg/util/duration`. Pure.

use jiff::Timestamp;
use serde_json::Value;

/// How long ago the time in a value was; `<unknown>` when it holds none.
pub(super) fn since(time: &Value, now: Timestamp) -> String {
    match read(time) {
        Some(time) => human(now.duration_since(time).as_secs()),
        None => "<unknown>".to_owned(),
    }
}

/// The time in a value, which has whole seconds or microseconds.
pub(super) fn read(time: &Value) -> Option<Timestamp> {
    time.as_str()?.parse().ok()
}

/// A duration of so many seconds.
pub(super) fn human(seconds: i64) -> String {
    // A machine whose clock is a little behind saw the object before it was made.
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    let two = |large: i64, unit: &str, small: i64, smaller: &str| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{smaller}")
        }
    };
    match seconds {
        ..0 => "0s".to_owned(),
        _ if seconds < 120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => two(days, "d", hours % 24, "h"),
        _ if days < 365 * 2 => format!("{days}d"),
        _ if days < 365 * 8 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

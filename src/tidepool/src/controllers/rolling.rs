//! The arithmetic of a rolling update: pure, as the Deployment controller does it.

use serde_json::Value;

/// How far a rolling update may go above and below the wanted number of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) surge: i64,
    pub(super) unavailable: i64,
}

/// Reads `maxSurge` (percent rounded up) and `maxUnavailable` (rounded down); both zero means one unavailable.
pub(super) fn bounds(strategy: &Value, replicas: i64) -> Bounds {
    let rolling = &strategy["rollingUpdate"];
    let surge = scaled(&rolling["maxSurge"], replicas, |n| (n + 99) / 100);
    let unavailable = scaled(&rolling["maxUnavailable"], replicas, |n| n / 100);
    if surge == 0 && unavailable == 0 {
        return Bounds {
            surge: 0,
            unavailable: 1,
        };
    }
    Bounds {
        surge,
        unavailable: unavailable.min(replicas),
    }
}

fn scaled(value: &Value, replicas: i64, round: impl Fn(i64) -> i64) -> i64 {
    let percent = |text: &str| text.strip_suffix('%').and_then(|number| number.parse::<i64>().ok());
    match value {
        Value::Number(number) => number.as_i64().unwrap_or(0),
        Value::String(text) => round(percent(text).unwrap_or(0).saturating_mul(replicas)),
        _ => round(25 * replicas),
    }
}

/// One ReplicaSet as the arithmetic sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) replicas: i64,
    pub(super) available: i64,
}

/// How many replicas the new set should have now.
pub(super) fn new_replicas(wanted: i64, bounds: Bounds, new: Set, old: &[Set]) -> i64 {
    if new.replicas >= wanted {
        return wanted;
    }
    let total = new.replicas + old.iter().map(|set| set.replicas).sum::<i64>();
    let room = (wanted + bounds.surge - total).max(0);
    new.replicas + room.min(wanted - new.replicas)
}

/// How many replicas each old set should have now; `old` is in the order of age. Unhealthy pods go first.
pub(super) fn old_replicas(wanted: i64, bounds: Bounds, new: Set, old: &[Set]) -> Vec<i64> {
    let mut after: Vec<i64> = old.iter().map(|set| set.replicas).collect();
    let floor = wanted - bounds.unavailable;
    let total = new.replicas + after.iter().sum::<i64>();
    let mut spare = total - floor - (new.replicas - new.available);
    if spare <= 0 {
        return after;
    }
    for (set, after) in old.iter().zip(&mut after) {
        let unhealthy = (set.replicas - set.available).clamp(0, spare.max(0));
        *after -= unhealthy;
        spare -= unhealthy;
    }
    let available = new.available + old.iter().map(|set| set.available).sum::<i64>();
    let mut spare = (available - floor).max(0);
    for after in &mut after {
        let down = (*after).min(spare);
        *after -= down;
        spare -= down;
    }
    after
}

/// Spreads a change of the wanted number over the sets in proportion, the largest first; the rest goes to the first of them.
pub(super) fn proportional(allowed: i64, sets: &[i64]) -> Vec<i64> {
    let total: i64 = sets.iter().sum();
    let mut after = sets.to_vec();
    if total == 0 {
        return after;
    }
    let mut left = allowed - total;
    let mut order: Vec<usize> = (0..sets.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(sets[*index]));
    for index in &order {
        let share = (sets[*index] * (allowed - total) + (allowed - total).signum() * total / 2) / total;
        let share = if left >= 0 {
            share.clamp(0, left)
        } else {
            share.clamp(left, 0)
        };
        after[*index] = (after[*index] + share).max(0);
        left -= share;
    }
    if let Some(first) = order.first() {
        after[*first] = (after[*first] + left).max(0);
    }
    after
}

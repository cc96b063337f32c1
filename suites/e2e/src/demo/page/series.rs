//! Values over time as paths: steps for what changes at once, lines for what is measured, and the stretches in which nothing changed. Pure; used by
//! `picture`.

use std::fmt::Write;
use std::time::Duration;

use super::layout::{Height, Time};

/// How far from a straight line a point must be to be seen.
const SEEN: f64 = 0.2;

/// A value at a time.
pub(super) type Point = (Duration, f64);

/// A time during which a value stayed as it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) from: Duration,
    pub(super) until: Duration,
    pub(super) value: f64,
}

/// The stretches of a value, one after the other without gaps.
pub(super) fn stretches(points: impl IntoIterator<Item = Point>) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (at, value) in points {
        if let Some(last) = found.last_mut() {
            last.until = at;
            if (last.value - value).abs() < 1e-9 {
                continue;
            }
        }
        found.push(Stretch {
            from: at,
            until: at,
            value,
        });
    }
    found
}

/// A path that goes level and turns upright.
pub(super) fn steps(stretches: &[Stretch], time: Time, height: Height) -> String {
    let mut path = String::new();
    for (number, stretch) in stretches.iter().enumerate() {
        let (x, y, end) = (time.x(stretch.from), height.y(stretch.value), time.x(stretch.until));
        let written = if number == 0 {
            write!(path, "M{x:.1} {y:.1}H{end:.1}")
        } else {
            write!(path, "V{y:.1}H{end:.1}")
        };
        // Text always takes more text.
        let _ = written;
    }
    path
}

/// The same, closed along the lower edge, to be filled.
pub(super) fn area(stretches: &[Stretch], time: Time, height: Height) -> String {
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else {
        return String::new();
    };
    let (steps, bottom) = (steps(stretches, time, height), height.bottom);
    let (left, right) = (time.x(first.from), time.x(last.until));
    format!("{steps}L{right:.1} {bottom:.1}H{left:.1}Z")
}

/// A path from point to point; points that no eye could tell from a straight line are left out.
pub(super) fn line(points: &[Point], time: Time, height: Height) -> String {
    let placed: Vec<Place> = points
        .iter()
        .map(|(at, value)| (time.x(*at), height.y(*value)))
        .collect();
    let (Some(first), Some(last)) = (placed.first(), placed.last()) else {
        return String::new();
    };
    let mut kept = vec![*first];
    keep(&placed, &mut kept);
    kept.push(*last);
    let mut path = String::new();
    for (number, (x, y)) in kept.into_iter().enumerate() {
        let letter = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{x:.1} {y:.1}");
    }
    path
}

/// A place in the picture.
type Place = (f64, f64);

/// Keeps what lies between the first and the last of these and is needed (after Douglas and Peucker): the farthest from the straight line between
/// them, and what is needed on either side of it.
fn keep(places: &[Place], kept: &mut Vec<Place>) {
    let [(left, from), .., (right, to)] = *places else {
        return;
    };
    let off = |(x, y): &Place| {
        let straight = from + (to - from) * (x - left) / (right - left).max(f64::EPSILON);
        (y - straight).abs()
    };
    let farthest = places
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| off(a).total_cmp(&off(b)));
    if let Some((at, place)) = farthest.filter(|(_, place)| off(place) > SEEN) {
        let (before, after) = (
            places.get(..=at).unwrap_or_default(),
            places.get(at..).unwrap_or_default(),
        );
        keep(before, kept);
        kept.push(*place);
        keep(after, kept);
    }
}

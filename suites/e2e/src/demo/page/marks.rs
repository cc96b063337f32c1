//! The numbers of the decisions above the picture. Those too near to be told apart share one mark: `1–4`. Pure; used by `picture`.

/// Half of a mark's height.
pub(super) const HALF: f64 = 10.0;
/// The least room between two marks.
const ROOM: f64 = 4.0;

/// One mark: the decisions from `first` to `last`, around a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) x: f64,
}

impl Mark {
    /// What is written in it.
    pub(super) fn label(&self) -> String {
        match self {
            Self { first, last, .. } if first == last => first.to_string(),
            Self { first, last, .. } => format!("{first}–{last}"),
        }
    }

    /// How wide it is: as much as is written in it.
    pub(super) fn width(&self) -> f64 {
        let letters = self.label().chars().count() as f64;
        (letters * 7.5 + 10.0).max(2.0 * HALF)
    }
}

/// The marks for decisions at these places, in order, none over another or beyond the edges.
pub(super) fn place(decisions: &[f64], left: f64, right: f64) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for (index, x) in decisions.iter().copied().enumerate() {
        let number = index + 1;
        marks.push(within(
            Mark {
                first: number,
                last: number,
                x,
            },
            left,
            right,
        ));
        // The new one may push into the one before, and both together into the one before that.
        while let [.., before, last] = marks.as_slice() {
            if last.x - before.x >= (last.width() + before.width()) / 2.0 + ROOM {
                break;
            }
            let places = decisions.get(before.first - 1..last.last).unwrap_or_default();
            let middle = places.iter().sum::<f64>() / places.len().max(1) as f64;
            let both = Mark {
                first: before.first,
                last: last.last,
                x: middle,
            };
            marks.truncate(marks.len() - 2);
            marks.push(within(both, left, right));
        }
    }
    marks
}

fn within(mark: Mark, left: f64, right: f64) -> Mark {
    let half = mark.width() / 2.0;
    Mark {
        x: mark.x.max(left + half).min(right - half),
        ..mark
    }
}

//! Where things are in the picture: two layouts, for a wide page and for a phone, and the scales between values and places. Pure; used by `picture`.

use std::time::Duration;

/// One layout, in the picture's own units; at its full size one is a pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The class by which the style sheet shows it or hides it.
    pub(super) class: &'static str,
    /// The whole width.
    pub(super) width: f64,
    /// Where plots begin.
    pub(super) left: f64,
    /// Where plots end.
    pub(super) right: f64,
    /// The heights of the plots: split, success rate, pods.
    pub(super) heights: [f64; 3],
    /// The least distance of two numbers on the axis of time.
    pub(super) tick: f64,
    /// Whether a plot's legend stands beside its name, or on a line of its own.
    pub(super) has_legend_beside: bool,
}

impl Layout {
    /// For a page that is wider than a phone.
    pub(super) const WIDE: Self = Self {
        class: "wide",
        width: 960.0,
        left: 52.0,
        right: 948.0,
        heights: [110.0, 190.0, 110.0],
        tick: 70.0,
        has_legend_beside: true,
    };
    /// For a phone.
    pub(super) const NARROW: Self = Self {
        class: "narrow",
        width: 380.0,
        left: 44.0,
        right: 374.0,
        heights: [90.0, 170.0, 90.0],
        tick: 46.0,
        has_legend_beside: false,
    };

    /// The scale of a release that lasted so long.
    pub(super) fn time(&self, lasted: Duration) -> Time {
        Time {
            left: self.left,
            right: self.right,
            lasted: lasted.as_secs_f64().max(1.0),
        }
    }
}

/// From times to places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    left: f64,
    right: f64,
    lasted: f64,
}

impl Time {
    /// Where this time is.
    pub(super) fn x(self, at: Duration) -> f64 {
        self.left + at.as_secs_f64() / self.lasted * (self.right - self.left)
    }

    /// The whole minutes that are written on the axis, no nearer than `least` to each other.
    pub(super) fn minutes(self, least: f64) -> Vec<u64> {
        let minute = 60.0 / self.lasted * (self.right - self.left);
        let every = [1, 2, 5, 10, 20, 30, 60, 120]
            .into_iter()
            .find(|every| f64::from(*every) * minute >= least);
        let every = u64::from(every.unwrap_or(240_u32));
        (0..)
            .map(|number| number * every)
            .take_while(|minutes| (*minutes * 60) as f64 <= self.lasted)
            .collect()
    }
}

/// From values to places, in one plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Height {
    /// The upper edge.
    pub(super) top: f64,
    /// The lower edge.
    pub(super) bottom: f64,
    /// The value at the lower edge.
    pub(super) low: f64,
    /// The value at the upper edge.
    pub(super) high: f64,
}

impl Height {
    /// Where this value is; values beyond an edge are on it.
    pub(super) fn y(self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        self.bottom - part.clamp(0.0, 1.0) * (self.bottom - self.top)
    }
}

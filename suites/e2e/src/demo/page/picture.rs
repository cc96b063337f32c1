//! The picture: three plots over one axis of time (how the requests are split, the success rate against its threshold, the ready pods), and the
//! decisions as numbered marks through all of them. An inline SVG whose colours are the style sheet's. Pure; used by `page`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::layout::{Height, Layout, Time};
use super::marks;
use super::markup::{clock, escape};
use super::series::{self, Stretch};
use super::words;
use crate::demo::record::{Record, Verdict, percent};

/// Above the first plot: the marks.
const HEAD: f64 = 30.0;
/// Above each plot: its name, and its legend if that has a line of its own.
const NAME: f64 = 46.0;
const LEGEND: f64 = 20.0;
/// Below the last plot: the axis of time.
const FOOT: f64 = 30.0;
/// A stretch that is longer has its value written on it.
const LABELLED: f64 = 44.0;

/// The picture of a release in a layout.
pub(super) fn draw(record: &Record, layout: &Layout) -> String {
    let time = layout.time(record.lasted());
    let mut drawing = Drawing {
        svg: String::new(),
        layout: *layout,
        time,
    };
    let [split, rate, pods] = drawing.plots(record);
    let bottom = pods.bottom;
    drawing.axis(split.top, bottom);
    drawing.marks(record, bottom);
    drawing.split(record, split);
    drawing.rate(record, rate);
    drawing.pods(record, pods);

    let (class, width, height) = (layout.class, layout.width, bottom + FOOT);
    let title = escape(&format!(
        "{}: split, success rate and pods over time",
        words::title(record)
    ));
    let description = escape(&words::description(record));
    let drawn = drawing.svg;
    format!(
        "\
<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{class}-title {class}-description\">
<title id=\"{class}-title\">{title}</title>
<desc id=\"{class}-description\">{description}</desc>
{drawn}</svg>"
    )
}

struct Drawing {
    svg: String,
    layout: Layout,
    time: Time,
}

impl Drawing {
    /// The three plots from above to below, with the values at their edges.
    fn plots(&self, record: &Record) -> [Height; 3] {
        let most = most_pods(record);
        let ranges = [(0.0, 1.0), (least_rate(record), 1.0), (0.0, most as f64)];
        let name = if self.layout.has_legend_beside {
            NAME
        } else {
            NAME + LEGEND
        };
        let mut bottom = HEAD;
        let mut number = 0;
        ranges.map(|(low, high)| {
            // The split has one line and needs no legend.
            let top = bottom + if number == 0 { NAME } else { name };
            bottom = top + self.layout.heights.get(number).copied().unwrap_or_default();
            number += 1;
            Height { top, bottom, low, high }
        })
    }

    fn split(&mut self, record: &Record, height: Height) {
        self.name("Requests to the new version", height, &[]);
        for value in [0.0, 0.5, 1.0] {
            self.level(height, value, &percent(value));
        }
        let stretches = series::stretches(record.looks.iter().map(|look| (look.at, look.weight)));
        self.filled("new", &stretches, height);
        for stretch in &stretches {
            self.value_on(*stretch, height, &percent(stretch.value));
        }
    }

    fn rate(&mut self, record: &Record, height: Height) {
        let used = |verdict| record.measurements.iter().any(|measured| measured.verdict == verdict);
        let legend: Vec<(Verdict, &str)> = [
            (Verdict::Good, "measured good"),
            (Verdict::Bad, "measured bad"),
            (Verdict::Unknown, "measured neither"),
        ]
        .into_iter()
        .filter(|(verdict, _)| used(*verdict))
        .collect();
        self.name("Success rate of the last five minutes", height, &legend);
        let every = if height.high - height.low > 0.35 { 0.2 } else { 0.1 };
        let every = if height.high - height.low < 0.15 { 0.05 } else { every };
        let mut value: f64 = 1.0;
        while value > height.low - 1e-9 {
            self.level(height, value, &percent(value));
            value -= every;
        }
        if let Some(least) = record.threshold {
            self.threshold(least, height);
        }
        let points: Vec<_> = record
            .looks
            .iter()
            .filter_map(|look| Some((look.at, look.rate?)))
            .collect();
        let path = series::line(&points, self.time, height);
        self.path("rate", &path);
        for measured in &record.measurements {
            let y = height.y(measured.value.unwrap_or(height.low));
            self.sign(measured.verdict, self.time.x(measured.at), y);
        }
        if let Some((at, lowest)) = record.lowest_rate().filter(|(_, lowest)| *lowest < 1.0) {
            let x = self
                .time
                .x(at)
                .max(self.layout.left + 60.0)
                .min(self.layout.right - 60.0);
            self.text(
                "value",
                "middle",
                x,
                height.y(lowest) + 19.0,
                &format!("lowest: {}", percent(lowest)),
            );
        }
    }

    /// The line under which a measurement is bad, and the room below it.
    fn threshold(&mut self, least: f64, height: Height) {
        let (left, right) = (self.layout.left, self.layout.right);
        let (y, below) = (height.y(least), height.bottom - height.y(least));
        let width = right - left;
        let _ = writeln!(
            self.svg,
            "<rect class=\"low\" x=\"{left}\" y=\"{y:.1}\" width=\"{width}\" height=\"{below:.1}\"/>"
        );
        self.path("threshold", &format!("M{left} {y:.1}H{right}"));
        let text = format!("below {} is bad", percent(least));
        self.text("least", "end", right - 6.0, height.bottom - 8.0, &text);
    }

    fn pods(&mut self, record: &Record, height: Height) {
        self.name("Ready pods", height, &[]);
        let (before, most) = (record.looks.first().map_or(0, |look| look.old), most_pods(record));
        for value in BTreeSet::from([0, before, most]) {
            self.level(height, value as f64, &value.to_string());
        }
        let old = series::stretches(record.looks.iter().map(|look| (look.at, look.old as f64)));
        let new = series::stretches(record.looks.iter().map(|look| (look.at, look.new as f64)));
        for (class, version, stretches) in [("old", &record.old, old), ("new", &record.new, new)] {
            self.filled(class, &stretches, height);
            let standing = stretches.iter().filter(|stretch| stretch.value > 0.0);
            if let Some(longest) = standing.max_by_key(|stretch| stretch.until.saturating_sub(stretch.from)) {
                self.value_on(*longest, height, &format!("{} × {}", longest.value, escape(version)));
            }
        }
    }

    /// The numbers above, and a line through all plots for each decision.
    fn marks(&mut self, record: &Record, bottom: f64) {
        let places: Vec<f64> = record
            .decisions
            .iter()
            .map(|decision| self.time.x(decision.at))
            .collect();
        let y = marks::HALF + 1.0;
        for x in &places {
            let path = format!("M{x:.1} {:.1}V{bottom:.1}", y + marks::HALF);
            self.path("mark", &path);
        }
        for mark in marks::place(&places, 1.0, self.layout.width - 1.0) {
            let chosen = record.decisions.get(mark.first - 1..mark.last).unwrap_or_default();
            let said: Vec<String> = chosen
                .iter()
                .map(|decision| format!("{}  {}", clock(decision.at), decision.what))
                .collect();
            let (width, height) = (mark.width(), 2.0 * marks::HALF);
            let left = mark.x - width / 2.0;
            let _ = writeln!(
                self.svg,
                "<g class=\"number\"><title>{}</title><rect x=\"{left:.1}\" y=\"1\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{:.1}\"/>",
                escape(&said.join("\n")),
                marks::HALF
            );
            self.text("", "middle", mark.x, y + 4.2, &mark.label());
            self.svg.push_str("</g>\n");
        }
    }

    fn axis(&mut self, top: f64, bottom: f64) {
        for minutes in self.time.minutes(self.layout.tick) {
            let x = self.time.x(Duration::from_secs(minutes * 60));
            self.path("tick", &format!("M{x:.1} {top:.1}V{:.1}", bottom + 5.0));
            let label = if minutes == 0 {
                "0".to_owned()
            } else {
                format!("{minutes} min")
            };
            let is_last = x > self.layout.right - 18.0;
            let (anchor, x) = if is_last {
                ("end", self.layout.width)
            } else {
                ("middle", x)
            };
            self.text("tick", anchor, x, bottom + 20.0, &label);
        }
    }

    /// A plot's name and its legend.
    fn name(&mut self, name: &str, height: Height, legend: &[(Verdict, &str)]) {
        let is_beside = self.layout.has_legend_beside || legend.is_empty();
        let y = height.top - 16.0;
        self.text("name", "start", 0.0, if is_beside { y } else { y - LEGEND }, name);
        let mut x = if is_beside {
            name.chars().count() as f64 * 7.6 + 24.0
        } else {
            0.0
        };
        for (verdict, word) in legend {
            self.sign(*verdict, x + 6.0, y - 4.5);
            self.text("legend", "start", x + 18.0, y, word);
            x += 18.0 + word.chars().count() as f64 * 7.7 + 20.0;
        }
    }

    /// A line across at a value, and the value beside it.
    fn level(&mut self, height: Height, value: f64, label: &str) {
        let y = height.y(value);
        self.path("level", &format!("M{} {y:.1}H{}", self.layout.left, self.layout.right));
        self.text("tick", "end", self.layout.left - 8.0, y + 4.0, label);
    }

    fn filled(&mut self, class: &str, stretches: &[Stretch], height: Height) {
        let area = series::area(stretches, self.time, height);
        self.path(&format!("{class} area"), &area);
        let steps = series::steps(stretches, self.time, height);
        self.path(class, &steps);
    }

    /// The value of a long stretch, written on its line; nothing where the value is none.
    fn value_on(&mut self, stretch: Stretch, height: Height, label: &str) {
        let (from, until) = (self.time.x(stretch.from), self.time.x(stretch.until));
        if until - from < LABELLED || stretch.value <= 0.0 {
            return;
        }
        let y = height.y(stretch.value);
        // There is no room above the highest line.
        let y = if y - height.top < 20.0 { y + 17.0 } else { y - 7.0 };
        self.text("value", "middle", (from + until) / 2.0, y, label);
    }

    /// A measurement: a dot, a cross or a diamond, so that it can be told without colours.
    fn sign(&mut self, verdict: Verdict, x: f64, y: f64) {
        match verdict {
            Verdict::Good => {
                let _ = writeln!(self.svg, "<circle class=\"good\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>");
            }
            Verdict::Bad => {
                let (left, top) = (x - 5.0, y - 5.0);
                let cross = format!("M{left:.1} {top:.1}l10 10m0 -10l-10 10");
                self.path("halo", &cross);
                self.path("bad", &cross);
            }
            Verdict::Unknown => {
                let top = y - 6.0;
                self.path("unknown", &format!("M{x:.1} {top:.1}l6 6l-6 6l-6 -6z"));
            }
        }
    }

    fn path(&mut self, class: &str, path: &str) {
        let _ = writeln!(self.svg, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// Text that needs no escaping, or is escaped already.
    fn text(&mut self, class: &str, anchor: &str, x: f64, y: f64, text: &str) {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let _ = writeln!(
            self.svg,
            "<text{class} text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        );
    }
}

/// The lowest value of the plot of the success rate: the next ten below everything that is shown, and never more than 90 %.
fn least_rate(record: &Record) -> f64 {
    let measured = record.measurements.iter().filter_map(|measured| measured.value);
    let shown = record.lowest_rate().map(|(_, lowest)| lowest);
    let least = shown
        .into_iter()
        .chain(record.threshold)
        .chain(measured)
        .fold(1.0, f64::min);
    // Room for the word below the lowest point.
    (((least - 0.03) * 10.0).floor() / 10.0).clamp(0.0, 0.9)
}

/// The largest number of ready pods of one version; at least one, so that there is a plot.
fn most_pods(record: &Record) -> usize {
    let pods = record.looks.iter().map(|look| look.old.max(look.new));
    pods.max().unwrap_or_default().max(1)
}

//! What the person sees: lines, and below them, in a terminal, a bar of the split that moves with every look. Quiet colours on whatever
//! background there is, none where `NO_COLOR` is set; plain lines where the output is no terminal.

use std::io::{Result, Write};

use indicatif::{ProgressBar, ProgressStyle};

use super::traffic::Split;

const CELLS: usize = 40;

/// Where the story is told.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    bar: Option<ProgressBar>,
    is_coloured: bool,
}

/// The success rate, and the least that it may be; each from 0 to 1, where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    /// What the metric server says now.
    pub(super) measured: Option<f64>,
    /// What the analysis asks for.
    pub(super) least: Option<f64>,
}

/// How a piece of text is meant; a colour in a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Heading,
    Command,
    Aside,
    Stable,
    Canary,
    Wrong,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Heading => "1",
            Self::Command => "32",
            Self::Aside => "2",
            Self::Stable => "36",
            Self::Canary => "33",
            Self::Wrong => "31",
        }
    }
}

impl<'a> Screen<'a> {
    /// Lines only.
    pub(super) fn plain(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            bar: None,
            is_coloured: false,
        }
    }

    /// Lines, and the bar below them.
    pub(super) fn live(out: &'a mut dyn Write) -> Self {
        let bar = ProgressBar::no_length();
        // A template without a mistake is always taken.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self {
            out,
            bar: Some(bar),
            is_coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// The beginning of an act.
    pub(super) fn heading(&mut self, text: &str) -> Result<()> {
        let text = self.toned(Tone::Heading, text);
        self.line(&format!("\n{text}"))
    }

    /// What one would type to do what is done next.
    pub(super) fn command(&mut self, text: &str) -> Result<()> {
        let text = self.toned(Tone::Command, &format!("$ {text}"));
        self.line(&format!("   {text}"))
    }

    /// A paragraph of the story, already in lines.
    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        for line in text.lines() {
            self.line(&format!("   {line}"))?;
        }
        Ok(())
    }

    /// Something that was seen `seconds` after the last command.
    pub(super) fn seen(&mut self, seconds: f64, text: &str) -> Result<()> {
        let time = self.toned(Tone::Aside, &format!("{seconds:5.1} s"));
        self.line(&format!("   {time}  {text}"))
    }

    /// What was counted.
    pub(super) fn measured(&mut self, split: &Split) -> Result<()> {
        let text = self.split_text(split);
        self.line(&format!("   {:5} requests: {text}", split.sent))
    }

    /// Something that must not be.
    pub(super) fn wrong(&mut self, text: &str) -> Result<()> {
        let text = self.toned(Tone::Wrong, text);
        self.line(&format!("   {text}"))
    }

    /// Moves the bar, and says below it what is measured, where a release is judged, and what is going on; nothing where there is no bar.
    pub(super) fn show(&self, split: &Split, rate: Option<Rate>, doing: &str) {
        let Some(bar) = &self.bar else { return };
        let cells = self.cells(split);
        let measured = rate.map_or_else(String::new, |rate| format!("\n   {}", self.rate_text(rate)));
        let doing = self.toned(Tone::Aside, doing);
        bar.set_message(format!(
            "\n   {cells}  {}{measured}\n   {doing}",
            self.split_text(split)
        ));
        bar.tick();
    }

    /// Takes back the line that the terminal began when the person pressed Enter, so that the bar is drawn where it was.
    pub(super) fn entered(&self) {
        if self.bar.is_some() {
            // Should it fail, one line of the bar stays behind.
            let _ = write!(std::io::stderr(), "\x1b[1A");
        }
    }

    /// Takes the bar away.
    pub(super) fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, text: &str) -> Result<()> {
        let out = &mut *self.out;
        let mut write = || {
            writeln!(out, "{}", text.trim_end())?;
            out.flush()
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn toned(&self, tone: Tone, text: &str) -> String {
        if self.is_coloured {
            format!("\x1b[{}m{text}\x1b[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    /// One bar, the oldest version first; a version that answered at all has at least one cell.
    fn cells(&self, split: &Split) -> String {
        // What was not answered as it should be stands at the end, before the rest is divided.
        let lost = lost_cells(split);
        let mut left = CELLS - lost;
        let shares = split.shares();
        let count = shares.len();
        let mut bar = String::new();
        for (number, (_, share)) in shares.iter().rev().enumerate() {
            let wanted = if number + 1 == count {
                left
            } else {
                whole_cells(*share, CELLS - lost).clamp(1, left.saturating_sub(count - number - 1))
            };
            left -= wanted;
            // Full and lighter cells, so that the bar can be read without colours.
            let (tone, cell) = if number + 1 == count {
                (Tone::Stable, "█")
            } else {
                (Tone::Canary, "▒")
            };
            bar.insert_str(0, &self.toned(tone, &cell.repeat(wanted)));
        }
        let lost = self.toned(Tone::Wrong, &"×".repeat(lost));
        format!("{bar}{lost}{}", " ".repeat(left))
    }

    /// The rate in words and as a bar of the same length, with a mark where it must not fall below.
    fn rate_text(&self, rate: Rate) -> String {
        let Some(measured) = rate.measured else {
            return self.toned(Tone::Aside, "no success rate yet");
        };
        let is_low = rate.least.is_some_and(|least| measured < least);
        let tone = if is_low { Tone::Wrong } else { Tone::Command };
        let least_at = rate.least.map(|least| whole_cells(least, CELLS));
        let full = whole_cells(measured, CELLS);
        let cell = |at| match at {
            _ if least_at == Some(at + 1) => '┃',
            _ if at < full => '━',
            _ => ' ',
        };
        let line = self.toned(tone, &(0..CELLS).map(cell).collect::<String>());
        let least = rate.least.map_or_else(String::new, |least| {
            format!(
                "  {} {:.1} %",
                if is_low { "below" } else { "asked for" },
                least * 100.0
            )
        });
        format!("{line}  success rate {:.1} %{least}", measured * 100.0)
    }

    fn split_text(&self, split: &Split) -> String {
        let shares = split.shares();
        let mut parts: Vec<String> = shares
            .iter()
            .enumerate()
            .map(|(number, (version, share))| {
                let tone = if number == 0 { Tone::Stable } else { Tone::Canary };
                format!("{} {:.1} %", self.toned(tone, version), share * 100.0)
            })
            .collect();
        let lost = format!("{} lost", split.lost);
        parts.push(if split.lost == 0 {
            self.toned(Tone::Aside, &lost)
        } else {
            self.toned(Tone::Wrong, &lost)
        });
        parts.join("  ")
    }
}

/// How many cells stand for requests that were lost: at least one when there were any, and never all while somebody was answered.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn lost_cells(split: &Split) -> usize {
    if split.lost == 0 {
        return 0;
    }
    let share = split.lost as f64 / split.sent as f64;
    whole_cells(share, CELLS).clamp(1, CELLS.saturating_sub(split.answered.len()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share is between 0 and 1, and the cells are few"
)]
fn whole_cells(share: f64, of: usize) -> usize {
    (share.clamp(0.0, 1.0) * of as f64).round() as usize
}

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

    /// Moves the bar, and says below it what is going on; nothing where there is no bar.
    pub(super) fn show(&self, split: &Split, doing: &str) {
        let Some(bar) = &self.bar else { return };
        let cells = self.cells(split);
        let doing = self.toned(Tone::Aside, doing);
        bar.set_message(format!("\n   {cells}  {}\n   {doing}", self.split_text(split)));
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
        let mut left = CELLS;
        let shares = split.shares();
        let count = shares.len();
        let mut bar = String::new();
        for (number, (_, share)) in shares.iter().rev().enumerate() {
            let wanted = if number + 1 == count {
                left
            } else {
                whole_cells(*share).clamp(1, left.saturating_sub(count - number - 1))
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
        format!("{bar}{}", " ".repeat(left))
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share is between 0 and 1, and the cells are few"
)]
fn whole_cells(share: f64) -> usize {
    (share.clamp(0.0, 1.0) * CELLS as f64).round() as usize
}

//! The only place that writes to the terminal: lines on standard output, progress and errors on standard error.
//!
//! A bar is drawn only where a person looks on; elsewhere there are just the lines.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar shows that time goes on.
const TICK: Duration = Duration::from_millis(200);

/// Where lines go, and the bar below them.
pub(crate) struct Output {
    lines: Box<dyn Write>,
    errors: Box<dyn Write>,
    bar: ProgressBar,
    has_terminal: bool,
}

impl Output {
    /// Standard output and standard error; a bar when a person looks on.
    pub(crate) fn standard() -> Self {
        Self {
            lines: Box::new(std::io::stdout()),
            errors: Box::new(std::io::stderr()),
            bar: ProgressBar::hidden(),
            has_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Begins a bar of `length` pieces of work.
    pub(crate) fn begin(&mut self, length: usize) {
        if !self.has_terminal {
            return;
        }
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  {msg}") {
            self.bar.set_style(style);
        }
        self.bar.enable_steady_tick(TICK);
    }

    /// Says how far it has come, and what is being worked on.
    pub(crate) fn progress(&self, done: usize, doing: &str) {
        self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        self.bar.set_message(doing.to_owned());
    }

    /// Whether a person sees the bar, so that no line need say how far it has come.
    pub(crate) fn has_bar(&self) -> bool {
        self.has_terminal
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: &str) {
        let lines = &mut self.lines;
        // A reader that went away wants no more lines.
        self.bar.suspend(|| {
            let _ = writeln!(lines, "{text}").and_then(|()| lines.flush());
        });
    }

    /// Writes one error.
    pub(crate) fn error(&mut self, text: &str) {
        let errors = &mut self.errors;
        self.bar.suspend(|| {
            let _ = writeln!(errors, "{text}");
        });
    }
}

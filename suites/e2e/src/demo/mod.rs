//! `e2e demo`: the article's walkthrough told step by step, with measured traffic, in a cluster of this process.
//!
//! `story` is what happens, `screen` how it is shown, `traffic` who asks the gateway all the while, `person` who approves. The story knows one
//! clock only, so that a test tells it on virtual time.

mod person;
mod screen;
mod sight;
mod story;
#[cfg(test)]
mod tests;
mod traffic;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use env::Chance;

use crate::living::{self, Living, Speed};
use crate::up::log_to_stderr;
use person::Person;
use screen::Screen;

/// How the story is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Go on by itself where a person is to approve.
    #[arg(long)]
    yes: bool,
    /// How many times faster than the clock the cluster lives.
    #[arg(long, value_name = "N", default_value_t = Speed::WALL, allow_negative_numbers = true)]
    speed: Speed,
}

/// Tells the story.
///
/// # Errors
/// When nobody is there to approve, or the release does not go as told.
pub(crate) fn demo(options: &Demo, out: &mut impl Write) -> Result<ExitCode> {
    if !options.yes && !std::io::stdin().is_terminal() {
        bail!("the demo stops for a person to approve, and standard input is no terminal; run it with --yes");
    }
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let outcome = runtime.block_on(async {
        let world = living::world(options.speed, Chance::from_system());
        let living = Living::start(&world).await?;
        let person = if options.yes {
            Person::GoesOn
        } else {
            Person::AtTheKeyboard
        };
        let mut screen = if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
            Screen::live(out)
        } else {
            Screen::plain(out)
        };
        let told = story::tell(&world, &living, options.speed, person, &mut screen).await;
        living.stop().await;
        told
    });
    // Whoever left without an answer may still be waited for at the keyboard.
    runtime.shutdown_background();
    outcome
}

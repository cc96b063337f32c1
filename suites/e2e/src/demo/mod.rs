//! `e2e demo`: releases told step by step, with measured traffic, in a cluster of this process: the article's walkthrough, and one that is judged by
//! metrics.
//!
//! `walkthrough` and `judged` are what happens, out of the verbs of `story`; `screen` is how it is shown, `traffic` who asks the gateway all the
//! while, `person` who approves. A judged release is kept by `recorder` in a `record`, which `page` draws. The stories know one clock only, so that
//! they are told on virtual time, too.

mod decided;
mod judged;
mod page;
mod person;
mod record;
mod recorder;
mod screen;
mod sight;
mod story;
#[cfg(test)]
mod tests;
mod traffic;
mod walkthrough;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use env::sim::SimEnv;
use env::{Chance, Trace};

use crate::living::{self, Living, Speed};
use crate::up::log_to_stderr;
use judged::Quality;
use page::Origin;
use person::Person;
use record::Record;
use screen::Screen;

/// A judged release takes half an hour; this makes half a minute of it.
const JUDGED: Speed = Speed::times(60.0);

/// The seed of a page that nobody asked for another one for.
const SEED: u64 = 1;

/// How the story is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Go on by itself where a person is to approve.
    #[arg(long)]
    yes: bool,
    /// Release a version that answers with errors: the success rate falls, and the analysis takes the release back.
    #[arg(long)]
    bad_release: bool,
    /// Tell a release that is judged by metrics, a good one or with --bad-release a bad one, on virtual time, and write it as a page for a browser.
    #[arg(long, value_name = "FILE", conflicts_with = "speed")]
    html: Option<PathBuf>,
    /// With --html: the seed of everything that is left to chance; one seed is one page, byte for byte.
    #[arg(long, value_name = "N", default_value_t = SEED, requires = "html")]
    seed: u64,
    /// How many times faster than the clock the cluster lives; 1 without it, and 60 with --bad-release.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    speed: Option<Speed>,
}

/// Tells the story.
///
/// # Errors
/// When nobody is there to approve, the release does not go as told, or the page cannot be written.
pub(crate) fn demo(options: &Demo, out: &mut impl Write) -> Result<ExitCode> {
    let quality = if options.bad_release {
        Quality::Bad
    } else {
        Quality::Good
    };
    if let Some(file) = &options.html {
        return write_page(file, quality, options.seed, out);
    }
    let needs_a_person = !options.yes && !options.bad_release;
    if needs_a_person && !std::io::stdin().is_terminal() {
        bail!("the demo stops for a person to approve, and standard input is no terminal; run it with --yes");
    }
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let speed = options
        .speed
        .unwrap_or(if options.bad_release { JUDGED } else { Speed::WALL });
    let outcome = runtime.block_on(async {
        let world = living::world(speed, Chance::from_system());
        let living = Living::start(&world).await?;
        let person = if needs_a_person {
            Person::AtTheKeyboard
        } else {
            Person::GoesOn
        };
        let mut screen = if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
            Screen::live(out)
        } else {
            Screen::plain(out)
        };
        let told = if options.bad_release {
            let pace = format!("Their clock\nruns {}.", speed.pace());
            judged::tell(&world, &living, &pace, quality, &mut screen)
                .await
                .map(|(_, code)| code)
        } else {
            walkthrough::tell(&world, &living, speed, person, &mut screen).await
        };
        living.stop().await;
        told
    });
    // Whoever left without an answer may still be waited for at the keyboard.
    runtime.shutdown_background();
    outcome
}

/// Tells a judged release on virtual time, and writes the page about it.
fn write_page(file: &Path, quality: Quality, seed: u64, out: &mut impl Write) -> Result<ExitCode> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(missing) = folder.filter(|folder| !folder.is_dir()) {
        bail!(
            "there is no folder {}; make it, or name another file",
            missing.display()
        );
    }
    let (record, code) = recorded(quality, seed, out)?;
    std::fs::write(file, page_about(&record, quality, seed))
        .with_context(|| format!("write the page to {}", file.display()))?;
    writeln!(out, "   The page about it: {}", file.display()).context("say where the page is")?;
    Ok(code)
}

/// A judged release on virtual time, told in lines.
fn recorded(quality: Quality, seed: u64, out: &mut impl Write) -> Result<(Record, ExitCode)> {
    env::sim::run(seed, Trace::off(), |world: SimEnv| async move {
        let living = Living::start(&world).await?;
        let mut screen = Screen::plain(out);
        let pace = "Their time is\nvirtual: half an hour passes in seconds.";
        let told = judged::tell(&world, &living, pace, quality, &mut screen).await;
        living.stop().await;
        told
    })
}

fn page_about(record: &Record, quality: Quality, seed: u64) -> String {
    let bad = match quality {
        Quality::Good => "",
        Quality::Bad => " --bad-release",
    };
    let seed = match seed {
        SEED => String::new(),
        other => format!(" --seed {other}"),
    };
    let origin = Origin {
        command: &format!("cargo xtask demo{bad} --html FILE{seed}"),
        manifests: &[
            ("The Rollout: its steps, and what a bad verdict does", judged::ROLLOUT),
            (
                "The AnalysisTemplate: what is measured, and what is bad",
                judged::TEMPLATE,
            ),
        ],
    };
    page::page(record, origin)
}

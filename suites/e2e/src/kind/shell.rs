//! Commands and steps: runs a program to its end unless Ctrl-C comes first, says what is being done and how long it took, and shows the end of
//! what a program said when it failed. Used by everything in [`super`].

use std::io::{IsTerminal, Write};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use futures::pin_mut;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::process::Command;

use crate::interrupt::Interrupt;

/// How often it is looked whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(100);
/// How long a program that was asked to end may take to clean up after itself.
const GRACE: Duration = Duration::from_secs(10);
/// How many lines of a program's output an error shows.
const TAIL: usize = 15;

/// Runs commands for one person who looks on.
pub(super) struct Shell {
    env: Env,
    interrupt: Interrupt,
}

impl Shell {
    pub(super) fn new(env: &Env, interrupt: &Interrupt) -> Self {
        Self {
            env: env.clone(),
            interrupt: interrupt.clone(),
        }
    }

    /// Does one step: a line with its time when it is done, and a spinner until then where a person looks on.
    ///
    /// # Errors
    /// What the step's errors are.
    pub(super) async fn step<T>(&self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(LOOK);
        }
        let begun = self.env.clock().elapsed();
        let done = work.await;
        bar.finish_and_clear();
        let took = self.env.clock().elapsed().since(begun).as_secs_f64();
        let word = if done.is_ok() { "" } else { ": failed" };
        // Nothing is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{what}{word}  {took:.1} s");
        done
    }

    /// Runs a command to its end, whatever Ctrl-C says, in a group of its own: for what must be undone.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub(super) async fn undo(&self, doing: &str, mut command: Command) -> Result<String> {
        command.process_group(0);
        let output = prepared(&mut command)
            .output()
            .await
            .with_context(|| doing.to_owned())?;
        told(doing, &command, &output)
    }

    /// Runs a command and gives out what it printed; Ctrl-C ends it, and everything that it started.
    ///
    /// # Errors
    /// When it cannot be started, fails, or is interrupted.
    pub(super) async fn run(&self, doing: &str, mut command: Command) -> Result<String> {
        if self.interrupt.is_wished() {
            bail!("interrupted: {doing}");
        }
        // A group of its own, so that a program that holds something (kind does) is ended by us, in order, and not by the terminal.
        command.process_group(0);
        let child = prepared(&mut command)
            .spawn()
            .with_context(|| format!("{doing}: start {}", command.as_std().get_program().display()))?;
        let group = child.id();
        let output = child.wait_with_output();
        pin_mut!(output);
        let ended = tokio::select! {
            biased;
            output = &mut output => Some(output),
            () = self.interrupted() => None,
        };
        if let Some(output) = ended {
            return told(doing, &command, &output.with_context(|| doing.to_owned())?);
        }
        if let Some(group) = group {
            // Asked first: what builds an image takes its folders away.
            end(group, "TERM").await;
            if self.env.clock().timeout(GRACE, output).await.is_err() {
                end(group, "KILL").await;
            }
        }
        bail!("interrupted: {doing}")
    }

    async fn interrupted(&self) {
        while !self.interrupt.is_wished() {
            self.env.sleep(LOOK).await;
        }
    }
}

/// Sends a signal to a group of programs; one that is gone needs none.
async fn end(group: u32, signal: &str) {
    let mut kill = command(
        "sh",
        ["-c", "kill -s \"$1\" -- \"-$2\"", "sh", signal, &group.to_string()],
    );
    drop(prepared(&mut kill).output().await);
}

/// A command with these arguments.
pub(super) fn command<A: AsRef<std::ffi::OsStr>>(
    program: impl AsRef<std::ffi::OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn prepared(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
}

/// What it printed, or the end of what it said when it failed.
fn told(doing: &str, command: &Command, output: &std::process::Output) -> Result<String> {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = if said.trim().is_empty() {
        printed.as_str()
    } else {
        &said
    };
    bail!(
        "{doing}: {} ended with {}\n{}",
        command.as_std().get_program().display(),
        output.status,
        tail(said)
    )
}

/// The last lines of a text.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

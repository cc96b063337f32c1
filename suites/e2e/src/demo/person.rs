//! Who approves: the person at the keyboard, or nobody, after a while.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use tokio::sync::oneshot;

/// How long the gate is shown to hold when nobody has to be waited for.
const SHOWN: Duration = Duration::from_secs(5);

/// Who decides at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Person {
    /// Somebody who presses Enter.
    AtTheKeyboard,
    /// Nobody; the story goes on by itself.
    GoesOn,
}

impl Person {
    /// Returns when the person has made up their mind.
    ///
    /// # Errors
    /// When standard input ended instead.
    pub(super) async fn decides(self, env: &Env) -> Result<()> {
        match self {
            Self::GoesOn => {
                env.sleep(SHOWN).await;
                Ok(())
            }
            Self::AtTheKeyboard => {
                let (send, line) = oneshot::channel();
                // A thread of its own: a read that nobody waits for any more must not hold up the end of the program.
                std::thread::spawn(move || {
                    let mut line = String::new();
                    // Whoever waited is gone when this cannot be sent.
                    let _ = send.send(std::io::stdin().read_line(&mut line));
                });
                let read = line.await.context("wait for Enter")?;
                if read.context("read from standard input")? == 0 {
                    bail!("standard input ended, so nobody approved; nothing outlives this process");
                }
                Ok(())
            }
        }
    }
}

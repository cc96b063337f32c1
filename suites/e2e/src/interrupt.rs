//! Ctrl-C, or SIGTERM from whoever started the run: the first lets what runs come to its end and reports it, the second ends at once.
//!
//! A thread of its own waits for the signal, so that the simulated runtimes, which have no I/O, need not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether a person wants no more. Clones are the same wish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C from now on. Where that is not possible, Ctrl-C ends the program at once, as it does without us.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let wished = interrupt.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
                return;
            };
            runtime.block_on(async {
                let (Ok(mut interrupt), Ok(mut terminate)) =
                    (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
                else {
                    return;
                };
                for is_last in [false, true] {
                    tokio::select! {
                        biased;
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if is_last {
                        std::process::exit(INTERRUPTED);
                    }
                    wished.0.store(true, Ordering::Relaxed);
                }
            });
        });
        interrupt
    }

    /// What a person wishes who presses Ctrl-C.
    #[cfg(test)]
    pub(crate) fn wish(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to begin nothing more.
    pub(crate) fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

//! Work on many items at once: a fixed number of threads, each taking the next item, results handed over on the caller's thread.
//!
//! Every item has a runtime and a world of its own, so what a result is does not depend on how many threads there are.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// How many threads: as many as asked for, or else as there are processors.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(processors).max(1)
}

/// Works on every item, `threads` at a time, and gives `done` each result as it comes: the item's index, and the result. Begins no more once
/// Ctrl-C was pressed.
pub(crate) fn each<I: Sync, T: Send>(
    threads: usize,
    items: &[I],
    interrupt: &Interrupt,
    work: impl Fn(&I) -> T + Sync,
    mut done: impl FnMut(usize, T),
) {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                while !interrupt.is_wished() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if send.send((index, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (index, result) in receive {
            done(index, result);
        }
    });
}

/// Does `work`, or tells with which words it panicked.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| said(&*panic))
}

/// The words of a panic.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no word".to_owned())
}

/// Does `work` and tells how much real time it took.
#[expect(
    clippy::disallowed_methods,
    reason = "wall seconds for the report; what is measured runs on virtual time"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

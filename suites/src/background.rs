//! Background requests: one at every change of the world, and at a slow beat, for as long as a scenario runs.
//!
//! Owned by the runner, which ends and joins it. What is lost here is lost by a user.

use std::time::Duration;

use env::watch;
use tokio::task::JoinSet;

use crate::{Changes, Probe, Question};

/// How many may wait for an answer at once.
const IN_FLIGHT: usize = 32;

/// A task that sends requests until it is told to stop.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    task: JoinSet<()>,
}

impl Background {
    /// Begins to send: at every change, and every `beat` when nothing changes.
    pub fn start(probe: Probe, question: Question, changes: Changes, beat: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(send(probe, question, changes, beat, stopped));
        Self { stop, task }
    }

    /// Sends no more, and waits for the answers that are still on their way.
    pub async fn finish(mut self) {
        self.stop.send_replace(true);
        while self.task.join_next().await.is_some() {}
    }
}

async fn send(
    probe: Probe,
    question: Question,
    mut changes: Changes,
    beat: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            () = changes.next(beat) => {}
        }
        while requests.try_join_next().is_some() {}
        if requests.len() >= IN_FLIGHT {
            requests.join_next().await;
        }
        let (probe, question) = (probe.clone(), question.clone());
        requests.spawn(async move {
            // The ledger holds what became of it.
            let _ = probe.ask(&question).await;
        });
    }
    while requests.join_next().await.is_some() {}
}

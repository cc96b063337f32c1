//! Scenarios side by side on one real cluster: so many at a time, each a task of its own, reports handed over as they come. Used by the clusters
//! on which time is real.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use env::Env;
use futures::FutureExt;
use suites::{Report, Scenario};
use tokio::task::JoinSet;

use crate::interrupt::Interrupt;
use crate::{jobs, run};

/// How often it is looked whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(100);

/// Plays every scenario, `at_a_time` of them at once, and gives `done` each report with the scenario's index. A panic is one scenario's failure;
/// Ctrl-C ends those that run, and begins no more.
pub(crate) async fn each<F>(
    env: &Env,
    at_a_time: usize,
    scenarios: &[Scenario],
    interrupt: &Interrupt,
    play: impl Fn(Scenario) -> F,
    done: &mut dyn FnMut(usize, Report),
) where
    F: Future<Output = Report> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut waiting = scenarios.iter().enumerate();
    loop {
        while running.len() < at_a_time.max(1) && !interrupt.is_wished() {
            let Some((index, scenario)) = waiting.next() else { break };
            let id = scenario.id.clone();
            let playing = play(scenario.clone());
            running.spawn(async move {
                let played = AssertUnwindSafe(playing).catch_unwind().await;
                (
                    index,
                    played.unwrap_or_else(|panic| run::panicked(&id, &jobs::said(&*panic))),
                )
            });
        }
        let next = tokio::select! {
            biased;
            next = running.join_next() => next,
            () = env.sleep(LOOK) => {
                if !interrupt.is_wished() {
                    continue;
                }
                running.shutdown().await;
                None
            }
        };
        match next {
            Some(Ok((index, report))) => done(index, report),
            Some(Err(_)) => {}
            None => return,
        }
    }
}

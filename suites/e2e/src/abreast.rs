//! Scenarios side by side on one real cluster: so many at a time, each a task of its own, reports handed over as they come. Used by the clusters
//! on which time is real.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use env::Env;
use futures::FutureExt;
use suites::{Report, Scenario};
use tokio::task::JoinSet;

use crate::{jobs, order, run};

/// How often it is looked whether all is over.
const LOOK: Duration = Duration::from_millis(100);

/// Plays every scenario, `at_a_time` of them at once, and gives `done` each report with the scenario's index. A panic is one scenario's failure.
/// When `is_over` says so (Ctrl-C, a cluster that broke), those that run end, and no more begin.
pub(crate) async fn each<F>(
    env: &Env,
    at_a_time: usize,
    scenarios: &[Scenario],
    is_over: impl Fn() -> bool,
    play: impl Fn(Scenario) -> F,
    done: &mut dyn FnMut(usize, Report),
) where
    F: Future<Output = Report> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut waiting = order::longest_first(scenarios).into_iter();
    loop {
        while running.len() < at_a_time.max(1) && !is_over() {
            let Some(index) = waiting.next() else { break };
            let scenario = scenarios[index].clone();
            let id = scenario.id.clone();
            let playing = play(scenario);
            running.spawn(async move {
                // Inside of the task, so that a panic is one scenario's failure.
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
                if !is_over() {
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

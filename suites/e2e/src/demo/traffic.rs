//! The clients: requests at a steady beat through the gateway, from the first answer to the end of the story, and what answered lately.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use parking_lot::Mutex;
use suites::{Probe, Question};
use tokio::task::JoinHandle;

/// Fifty requests a second.
pub(super) const BEAT: Duration = Duration::from_millis(20);
/// The bar shows the last 300 requests.
const LATELY: usize = 300;

/// Requests by the version that answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Split {
    /// How many were sent.
    pub(super) sent: usize,
    /// How many each version answered, the oldest version first.
    pub(super) answered: BTreeMap<String, usize>,
    /// How many were not answered as they should be.
    pub(super) lost: usize,
}

impl Split {
    fn of<'a>(answers: impl IntoIterator<Item = &'a Option<String>>) -> Self {
        let mut split = Self::default();
        for answer in answers {
            split.sent += 1;
            match answer {
                Some(version) => *split.answered.entry(version.clone()).or_default() += 1,
                None => split.lost += 1,
            }
        }
        split
    }

    /// Each version's share of what was answered; versions as text sort by age in this story.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    pub(super) fn shares(&self) -> Vec<(&str, f64)> {
        let all: usize = self.answered.values().sum();
        self.answered
            .iter()
            .map(|(version, count)| (version.as_str(), *count as f64 / all as f64))
            .collect()
    }
}

/// A running beat of requests.
pub(super) struct Traffic {
    probe: Probe,
    question: Question,
    lately: Arc<Mutex<VecDeque<Option<String>>>>,
    beat: JoinHandle<()>,
}

impl Traffic {
    /// Begins, with a request every `every`; each of them counts.
    pub(super) fn start(env: Env, probe: Probe, question: Question, every: Duration) -> Self {
        let lately: Arc<Mutex<VecDeque<Option<String>>>> = Arc::default();
        let beat = tokio::spawn({
            let (probe, question, lately) = (probe.clone(), question.clone(), lately.clone());
            async move {
                loop {
                    let answer = version_of(&probe, &question).await;
                    {
                        let mut lately = lately.lock();
                        lately.push_back(answer);
                        if lately.len() > LATELY {
                            lately.pop_front();
                        }
                    }
                    env.sleep(every).await;
                }
            }
        });
        Self {
            probe,
            question,
            lately,
            beat,
        }
    }

    /// What answered lately.
    pub(super) fn lately(&self) -> Split {
        Split::of(&*self.lately.lock())
    }

    /// Sends `n` requests at once and says what became of them.
    pub(super) async fn count(&self, n: usize) -> Split {
        let mut answers = Vec::with_capacity(n);
        for _ in 0..n {
            answers.push(version_of(&self.probe, &self.question).await);
        }
        Split::of(&answers)
    }

    /// How many were sent so far, and how many of them were not answered as they should be.
    pub(super) fn so_far(&self) -> (u64, u64) {
        let tally = self.probe.tally();
        (tally.sent, u64::try_from(tally.lost.len()).unwrap_or(u64::MAX))
    }

    /// Ends the beat, and says how many requests there were in all and what became of those that were lost.
    pub(super) async fn stop(self) -> suites::Tally {
        self.beat.abort();
        // An aborted task ends with the error that says so.
        let _ = self.beat.await;
        self.probe.tally()
    }
}

/// The version in the image of the pod that answered.
async fn version_of(probe: &Probe, question: &Question) -> Option<String> {
    let revision = probe.ask(question).await.ok()?;
    let (_, version) = revision.image.rsplit_once(':')?;
    Some(version.to_owned())
}

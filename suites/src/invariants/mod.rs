//! What holds at every revision of a scenario, whatever it does: gate, weight and its direction, readiness, grace, length of pauses.
//!
//! Pure: judged on the history and the ledger of the person's acts after the scenario has ended. One file per invariant.

mod gate;
mod grace;
mod monotone;
mod pause;
mod readiness;
mod weight;

#[cfg(test)]
mod tests;

use std::time::Duration;

use env::Moment;

use crate::dialect::{Committed, Dialect, Observation};
use crate::history::Entry;
use crate::ledger::Act;
use crate::{Failure, World};

/// The world after one write, as a dialect reads it.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The cluster's revision.
    pub revision: u64,
    /// When it was seen.
    pub at: Moment,
    /// What the write was.
    pub entry: &'a Entry,
    /// What can be seen of the release.
    pub seen: Observation,
    /// The pods behind the canary route that can be routed to.
    pub ready: Vec<String>,
}

/// All that an invariant may look at.
#[derive(Debug)]
pub struct Run<'a> {
    /// The world after each write, in order. Writes from before `since` are folded into the first.
    pub frames: Vec<Frame<'a>>,
    /// What the person did.
    pub acts: &'a [(Committed, Act)],
    /// So much may two frames be nearer to each other than their writes were.
    pub delivery: Duration,
}

impl Run<'_> {
    /// Whether the person did something like `wanted` after revision `after` and not after `until`.
    pub(crate) fn did(&self, after: u64, until: u64, wanted: impl Fn(&Act) -> bool) -> bool {
        self.acts
            .iter()
            .any(|(at, act)| at.0 > after && at.0 <= until && wanted(act))
    }
}

/// Judges all invariants on what happened after revision `since`; `delivery` is how long a change was on its way into the history at most.
pub fn judge(
    dialect: &dyn Dialect,
    entries: &[Entry],
    acts: &[(Committed, Act)],
    since: u64,
    delivery: Duration,
) -> Vec<Failure> {
    let mut world = World::default();
    let mut frames = Vec::new();
    for entry in entries {
        entry.apply(&mut world);
        if entry.revision < since {
            continue;
        }
        let seen = dialect.read(&world);
        let ready = seen
            .canary
            .as_ref()
            .map(|canary| world.ready_behind(canary))
            .unwrap_or_default();
        frames.push(Frame {
            revision: entry.revision,
            at: entry.at,
            entry,
            ready: ready.into_iter().map(str::to_owned).collect(),
            seen,
        });
    }
    let run = Run { frames, acts, delivery };
    let mut failures = gate::judge(&run);
    failures.extend(weight::judge(&run));
    failures.extend(monotone::judge(&run));
    failures.extend(readiness::judge(&run));
    failures.extend(grace::judge(&run));
    failures.extend(pause::judge(&run));
    failures
}

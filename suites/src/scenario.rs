//! A scenario is data and a body: what it needs, what it applies, and an async function that speaks verbs.
//!
//! All of them are in one explicit list, `scenarios::all()`, so that they can be listed, filtered, reported and shipped.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::{Failure, Feature, Stage};

/// The beat of a scenario that needs no more requests than show that none is lost.
pub const BEAT: Duration = Duration::from_secs(5);

/// What a scenario changes in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Objects of one namespace only; may run beside others.
    Namespace,
    /// Objects of the whole cluster.
    Cluster,
}

/// How a scenario ends, and so what the runner asserts afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Every release has ended: inventory and workload are compared, and the controller must be quiet.
    Clean,
    /// Nothing was to change at all: compared as well, without waiting for an end.
    Untouched,
}

/// The body of a scenario.
pub type Body = Arc<dyn Fn(Stage) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// One case that a controller is judged by.
#[derive(Clone)]
pub struct Scenario {
    /// Its name, unique, usable as a file name.
    pub id: String,
    /// What it shows, and where that is asked for.
    pub requirement: &'static str,
    /// What it needs of the cluster and of the implementation.
    pub features: &'static [Feature],
    /// What it changes.
    pub scope: Scope,
    /// What is applied before it begins.
    pub manifests: Vec<&'static str>,
    /// How it ends.
    pub ends: Ends,
    /// How often a request is sent while nothing happens; one is sent at every change besides.
    pub beat: Duration,
    /// What is done.
    pub run: Body,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scenario({})", self.id)
    }
}

/// Whether `id` matches `glob`, in which `*` stands for any text and `?` for one character.
pub fn matches(glob: &str, id: &str) -> bool {
    let (glob, id): (Vec<char>, Vec<char>) = (glob.chars().collect(), id.chars().collect());
    // reached[i]: the first i characters of the id match the glob so far.
    let mut reached = vec![false; id.len() + 1];
    reached[0] = true;
    for wanted in glob {
        let mut next = vec![false; id.len() + 1];
        for at in 0..=id.len() {
            next[at] = match wanted {
                '*' => reached[at] || (at > 0 && next[at - 1]),
                '?' => at > 0 && reached[at - 1],
                wanted => at > 0 && reached[at - 1] && id[at - 1] == wanted,
            };
        }
        reached = next;
    }
    reached[id.len()]
}

#[cfg(test)]
mod tests;

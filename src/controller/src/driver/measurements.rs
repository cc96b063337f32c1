//! Measurements under way, and answers that no status holds yet. A measurement runs beside the loop, since a metric server may take its time and a
//! person who rolls back must not wait for it; its answer lets the workload be decided on again. What is lost with the process is measured anew.

use std::collections::{BTreeMap, BTreeSet};

use analysis::run::Measured;
use env::Env;
use rollout::{Action, Ask, Key, Kind, Plan, World};
use tokio::task::{JoinError, JoinSet};

use crate::metrics::{Network, Run, measure};

/// Which measurement: of which run (by uid), of which metric, and its ordinal.
type Id = (String, String, i32);

#[derive(Debug)]
struct Answer {
    key: Key,
    measured: Measured,
}

/// All measurements of a process.
pub(super) struct Measurements {
    client: kube::Client,
    network: Network,
    tasks: JoinSet<(Id, Answer)>,
    under_way: BTreeSet<Id>,
    answers: BTreeMap<Id, Answer>,
}

/// Answers that a decision was made with.
#[derive(Debug, Default)]
pub(super) struct Considered(Vec<Id>);

impl Measurements {
    pub(super) fn new(env: Env, client: kube::Client) -> Self {
        Self {
            client,
            network: Network::new(env),
            tasks: JoinSet::new(),
            under_way: BTreeSet::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Begins what is asked for, unless it is under way or has been answered.
    pub(super) fn start(&mut self, key: &Key, asks: Vec<Ask>) {
        for ask in asks {
            let id = (ask.uid.clone(), ask.request.metric.name.clone(), ask.request.ordinal);
            if self.answers.contains_key(&id) || !self.under_way.insert(id.clone()) {
                continue;
            }
            let (client, network, key) = (self.client.clone(), self.network.clone(), key.clone());
            self.tasks.spawn(async move {
                let run = Run {
                    namespace: ask.run.namespace,
                    name: ask.run.name,
                    uid: ask.uid,
                };
                let measured = measure(&client, &network, &run, &ask.request).await;
                (id, Answer { key, measured })
            });
        }
    }

    /// Whether none is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the next answer and says whose it is.
    pub(super) async fn next(&mut self) -> Option<Result<Key, JoinError>> {
        let done = self.tasks.join_next().await?;
        Some(done.map(|(id, answer)| {
            self.under_way.remove(&id);
            let key = answer.key.clone();
            self.answers.insert(id, answer);
            key
        }))
    }

    /// Puts the answers of a key into its world. Those of runs that are gone are forgotten.
    pub(super) fn consider(&mut self, key: &Key, world: &mut World) -> Considered {
        let runs: BTreeSet<String> = world
            .of_kind(Kind::AnalysisRun)
            .iter()
            .filter_map(|run| run.metadata.uid.clone())
            .collect();
        self.answers
            .retain(|id, answer| answer.key != *key || runs.contains(&id.0));
        let of_key = self.answers.iter().filter(|(_, answer)| answer.key == *key);
        let mut considered = Vec::new();
        for (id, answer) in of_key {
            world.answer(id.0.clone(), answer.measured.clone());
            considered.push(id.clone());
        }
        Considered(considered)
    }

    /// A decision has been carried out: what it was made with is in the statuses. Answers of a run that was written to otherwise are kept for the
    /// next decision.
    pub(super) fn recorded(&mut self, considered: Considered, kept: &BTreeSet<String>) {
        for id in considered.0 {
            if !kept.contains(&id.0) {
                self.answers.remove(&id);
            }
        }
    }

    /// Ends what is under way.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// The uids of the runs that a plan patches: their status is not written by the same plan.
pub(super) fn patched_runs(plan: &Plan) -> BTreeSet<String> {
    let patched = plan
        .writes
        .iter()
        .filter(|write| write.target.kind == Kind::AnalysisRun);
    let guards = patched.filter_map(|write| match &write.action {
        Action::Patch { guard, .. } => Some(guard.uid.clone()),
        _ => None,
    });
    guards.collect()
}

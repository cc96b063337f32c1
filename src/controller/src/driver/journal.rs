//! What was decided last, per key: so that a decision is logged and traced when it differs or writes, and not each time it is made again.
//!
//! For people only. Losing it costs a repeated line.

use std::collections::BTreeMap;

use env::Env;
use rollout::{Key, Plan, World};
use serde_json::json;
use tracing::{debug, info};

/// The last decisions.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    last: BTreeMap<Key, String>,
}

impl Journal {
    /// Notes a decision; true when it is news.
    pub(crate) fn note(&mut self, env: &Env, key: &Key, world: &World, plan: &Plan) -> bool {
        let waits: Vec<String> = plan.waiting_on.iter().map(ToString::to_string).collect();
        if plan.writes.is_empty() && world.of_kind(rollout::Kind::Rollout).is_empty() {
            self.last.remove(key);
            return false;
        }
        let text = format!("{} {} {waits:?}", plan.rule, plan.message);
        let news = self.last.get(key) != Some(&text);
        if news {
            self.last.insert(key.clone(), text);
        } else if plan.writes.is_empty() {
            return false;
        }
        let writes: Vec<String> = plan.writes.iter().map(describe).collect();
        env.record("decide", || {
            let inputs: Vec<String> = world
                .versions()
                .into_iter()
                .map(|(kind, name, version)| format!("{kind}/{name}@{version}"))
                .collect();
            json!({ "key": key.to_string(), "rule": plan.rule, "inputs": inputs, "waits": waits, "writes": writes })
        });
        // The same again, since a write did not go through, is no news.
        if news {
            info!(key = %key, rule = plan.rule, writes = writes.join(", "), waits = waits.join("; "), "{}", plan.message);
        } else {
            debug!(key = %key, rule = plan.rule, "decided the same again");
        }
        news
    }
}

fn describe(write: &rollout::Write) -> String {
    let verb = match write.action {
        rollout::Action::Create { .. } => "create",
        rollout::Action::Patch { .. } => "patch",
        rollout::Action::Status { .. } => "status",
        rollout::Action::Delete { .. } => "delete",
    };
    format!("{verb} {}", write.target)
}

//! One decision on its way: its writes, then what people are to read of it, as Events or as the condition of a refusal. Runs in a task beside the
//! loop, which gets back what came of it.

use std::collections::BTreeSet;

use api::names::reason;
use rollout::{Ask, Key, Plan, Wake, World};

use super::apply::{Applied, Writer};
use super::measurements::{self, Considered};
use super::stall;
use crate::events::{self, Published};

/// What a finished reconcile brings back to the loop.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) key: Key,
    pub(super) applied: Applied,
    pub(super) published: Published,
    pub(super) wake: Wake,
    pub(super) asks: Vec<Ask>,
    pub(super) considered: Considered,
    /// Runs whose answers are still to be written down.
    pub(super) kept: BTreeSet<String>,
}

/// A decision to be carried out.
pub(super) struct Work {
    pub(super) key: Key,
    pub(super) world: World,
    pub(super) plan: Plan,
    pub(super) considered: Considered,
    /// The failure that was told of last, if the key has been failing.
    pub(super) told: Option<String>,
}

/// Applies a plan; its notes for people follow once all of it went through. A refusal that lasts is told where people look.
pub(super) async fn carry_out(writer: Writer, identity: String, work: Work) -> Finished {
    let Work {
        key,
        world,
        plan,
        considered,
        told,
    } = work;
    let kept = measurements::patched_runs(&plan);
    let mut applied = writer.apply(plan.writes).await;
    let notes = match &applied.stop {
        None => plan.events,
        Some(stop) => match stop.refusal() {
            None => Vec::new(),
            Some(refusal) => {
                // Best effort: the Rollout itself may be what cannot be written.
                let marked = writer.apply(stall::tell(&world, reason::WRITE_REFUSED, &refusal)).await;
                applied.awaited.extend(marked.awaited);
                if told == Some(stop.to_string()) {
                    Vec::new()
                } else {
                    stall::notes(&world, reason::WRITE_REFUSED, &refusal)
                }
            }
        },
    };
    let notes = events::compose(&world, &notes, &identity);
    let published = events::publish(&writer.env, writer.client.clone(), notes).await;
    Finished {
        key,
        applied,
        published,
        wake: plan.wake,
        asks: plan.asks,
        considered,
        kept,
    }
}

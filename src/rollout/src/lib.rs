//! The heart of the product, pure: a [`World`] goes in, a [`Plan`] comes out.
//!
//! [`plan`] is total and takes microseconds. It composes the rules of the Rollout, of its BatchRelease and of the routes into one plan per
//! workload. It knows no client and no clock: the controller observes, calls [`plan`], and applies what it returns. [`admission`] holds the
//! rule of the webhook that freezes a workload when its template changes.

pub mod admission;
mod adopt;
mod analysis;
mod batch_release;
mod binding;
mod canary;
mod capacity;
mod conditions;
mod deployment;
mod draft;
mod ending;
mod evidence;
mod finalise;
mod judge;
mod kind;
mod lifecycle;
mod meta;
mod orphan;
mod pauses;
mod plan;
mod progress;
mod rival;
mod served;
mod steps;
#[cfg(test)]
mod tests;
mod traffic_step;
mod view;
mod world;

pub use analysis::{Judges, Judging, Retry, has_analysis, judging, retry, templates};
pub use deployment::Unreadable;
pub use evidence::{Evidence, Read};
pub use kind::Kind;
pub use plan::{Action, Ask, EventNote, EventType, Guard, Plan, Propagation, Target, WaitReason, Wake, Write};
pub use traffic::Op;
pub use world::{Key, Object, RouteNames, World, service_of_slice};

/// Decides what to do next for one workload. Nothing it returns depends on anything but `world`.
///
/// The plan is *quiet*: applied in full, and read back, the same moment yields no further writes or strictly later ones.
pub fn plan(world: &World) -> Plan {
    let mut draft = draft::Draft::default();
    decide(world, &mut draft);
    for run in world.of_kind(Kind::AnalysisRun) {
        analysis::measure(world, run, &mut draft);
    }
    draft.plan
}

fn decide(world: &World, draft: &mut draft::Draft) {
    let rollouts = view::rollouts(world);
    let Some((acting, others)) = rollouts.split_first() else {
        match world.of_kind(Kind::Rollout).first() {
            None => orphan::let_go(world, draft),
            Some(unreadable) => {
                let name = unreadable.metadata.name.as_deref().unwrap_or_default();
                let why = format!("Rollout {name} cannot be read; compare it with `kubectl explain rollout.spec`");
                draft.rule("unreadable", why.clone());
                draft.wait(WaitReason::Blocked { why });
            }
        }
        return;
    };
    let view = view::View::read(world, Some(acting.name()));
    lifecycle::decide(&view, acting, draft);
    for other in others {
        rival::stand_back(other, acting.name(), world, draft);
    }
}

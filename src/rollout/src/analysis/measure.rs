//! How a run goes on: the answers that have come in are taken into its status, and what is due is asked for. A run that nobody waits for any more is
//! told to stop, and those beyond what a Rollout keeps are deleted.

use analysis::run::{Conditions, Kept, advance, surplus};
use api::plan::Plan as Spec;
use api::v1alpha1::{AnalysisRun, AnalysisRunStatus};
use api::v1beta1::RolloutStatus;
use kube::core::DynamicObject;
use serde_json::json;

use crate::draft::Draft;
use crate::meta::Meta;
use crate::view::Acting;
use crate::{Ask, Kind, Op, Propagation, WaitReason, World};

/// Reads a run; one of another shape is told of and left alone.
pub(super) fn read(object: &DynamicObject) -> Result<AnalysisRun, String> {
    serde_json::to_value(object)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("AnalysisRun {} cannot be read: {error}; delete it", object.name()))
}

/// Takes one run a step further.
pub(crate) fn measure(world: &World, object: &DynamicObject, draft: &mut Draft) {
    if object.deleting() || draft.writes_to(&object.target(Kind::AnalysisRun)) {
        return;
    }
    let run = match read(object) {
        Ok(run) => run,
        Err(why) => return draft.wait(WaitReason::Blocked { why }),
    };
    let status = run.status.unwrap_or_default();
    let step = advance(&run.spec, &status, world.now, world.answers(object.uid()), &Conditions);
    if step.expired {
        return draft.delete(Kind::AnalysisRun, object, Propagation::Background, None);
    }
    if step.status != status {
        draft.run_status(object, &step.status);
    }
    draft.ask(step.due.into_iter().map(|request| Ask {
        run: object.target(Kind::AnalysisRun),
        uid: object.uid().to_owned(),
        request,
    }));
    if let Some(next) = step.next {
        draft.wake_at(next);
    }
}

/// Stops the runs of a Rollout that nothing in `status` waits for, and deletes those beyond its history.
pub(crate) fn tidy(world: &World, acting: &Acting<'_>, status: &RolloutStatus, draft: &mut Draft) {
    let own: Vec<&DynamicObject> = world
        .of_kind(Kind::AnalysisRun)
        .iter()
        .map(AsRef::as_ref)
        .filter(|object: &&DynamicObject| object.controlled_by(acting.object.uid()))
        .collect();
    let common = status.common().filter(|_| acting.busy());
    let waited_for = |name: &str| {
        common.is_some_and(|common| {
            [&common.current_step_analysis, &common.background_analysis]
                .into_iter()
                .flatten()
                .any(|run| run.name == name && !run.phase.is_final())
        })
    };
    let mut kept = Vec::new();
    for object in &own {
        let Ok(run) = read(object) else { continue };
        let AnalysisRunStatus { phase, .. } = run.status.unwrap_or_default();
        if phase.is_final() {
            kept.push(Kept {
                name: object.name().to_owned(),
                phase,
                made: object.created(),
            });
        } else if !waited_for(object.name()) && run.spec.terminate != Some(true) {
            draft.patch(
                Kind::AnalysisRun,
                object,
                vec![Op::set("/spec/terminate", json!(true))],
                None,
            );
        }
    }
    let (successful, unsuccessful) = history(acting.spec.as_ref().ok());
    for name in surplus(&kept, successful, unsuccessful) {
        if let Some(object) = own.iter().find(|object| object.name() == name) {
            draft.delete(Kind::AnalysisRun, object, Propagation::Background, None);
        }
    }
}

/// How many runs that ended well, and otherwise, a Rollout keeps: the most that any of its blocks says.
fn history(spec: Option<&Spec>) -> (usize, usize) {
    let default = usize::try_from(api::attachment::DEFAULT_RUN_HISTORY).unwrap_or(0);
    let gates = spec
        .into_iter()
        .flat_map(|spec| spec.steps.iter().filter_map(|step| step.gate.as_ref()));
    let background = spec.and_then(|spec| spec.background.as_ref());
    let all: Vec<_> = gates.chain(background.map(|background| &background.analysis)).collect();
    let most = |of: fn(&api::plan::Analysis) -> usize| all.iter().map(|one| of(one)).max().unwrap_or(default);
    (most(|one| one.successful_history), most(|one| one.unsuccessful_history))
}

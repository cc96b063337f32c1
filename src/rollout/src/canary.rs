//! The canary Deployment: its name, its contents, its size, and its leave.

use api::names::{annotation, finalizer, label};
use api::plan::Strategy;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::capacity::Current;
use crate::draft::Draft;
use crate::meta::Meta;
use crate::traffic_step::owner_reference;
use crate::{Evidence, Kind, Op, Propagation, WaitReason};

impl Current<'_> {
    /// Makes the canary Deployment at its planned size, or lets it grow; it never shrinks while a release lasts.
    pub(crate) fn canary(self, batch_release: &DynamicObject, revision: &str, draft: &mut Draft) {
        let Some(canary) = self.view.canary() else {
            for leaving in &self.view.canaries {
                // Its pods serve until nothing routes to them.
                let routing = self.spec.routing.as_ref();
                if !self.routed() {
                    let gone = routing.map(|routing| self.routes(routing).withdrawn());
                    remove(leaving.object, gone, draft);
                }
                draft.wait(WaitReason::Gone {
                    object: leaving.object.target(Kind::Deployment),
                });
            }
            if self.view.canaries.is_empty()
                && let Some(object) = self.canary_object(batch_release, revision)
            {
                draft.create(Kind::Deployment, object, None);
            }
            return;
        };
        if canary.replicas < self.planned() {
            draft.patch(
                Kind::Deployment,
                canary.object,
                vec![Op::set("/spec/replicas", self.planned())],
                None,
            );
        }
    }

    fn canary_object(self, batch_release: &DynamicObject, revision: &str) -> Option<Value> {
        let workload = self.view.workload.as_ref()?;
        let mut spec = workload.object.data.get("spec")?.clone();
        spec["replicas"] = json!(self.planned());
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("paused");
        }
        if let Strategy::Canary(canary) = &self.spec.strategy {
            let patch = [
                ("labels", &canary.pod_patch.labels),
                ("annotations", &canary.pod_patch.annotations),
            ];
            for (field, values) in patch {
                for (key, value) in values.iter().flatten() {
                    spec["template"]["metadata"][field][key] = json!(value);
                }
            }
        }
        let id = self.rollout_id(revision);
        if is_label_value(&id) {
            spec["template"]["metadata"]["labels"][label::ROLLOUT_ID] = json!(id);
        }
        let stable = &workload.object.name();
        let owner = owner_reference(Kind::BatchRelease, batch_release);
        let mut metadata = json!({
            "name": canary_deployment_name(stable, self.acting.object.uid(), revision),
            "namespace": self.view.world.key.namespace,
            "ownerReferences": [owner],
            "finalizers": [finalizer::CANARY_DEPLOYMENT],
        });
        metadata["labels"][label::CANARY_DEPLOYMENT] = json!(stable);
        metadata["annotations"][annotation::CONTROL_INFO] = json!(owner.to_string());
        Some(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}))
    }
}

/// Whether a text can be the value of a label, as Kubernetes has it. The id of a release may come from an annotation, which holds anything.
fn is_label_value(text: &str) -> bool {
    let ends = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
    let inner = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    text.len() <= 63 && text.chars().all(inner) && ends(text.chars().next()) && ends(text.chars().next_back())
}

/// The canary Deployment's name, computed from what it is for. Its pods' host names stay within 63 characters.
pub(crate) fn canary_deployment_name(stable: &str, rollout_uid: &str, revision: &str) -> String {
    let hash = api::hash::template_revision(&json!({"rollout": rollout_uid, "revision": revision}));
    let short: String = hash.chars().take(5).collect();
    let stable: String = stable.chars().take(40).collect();
    format!("{stable}-{short}")
}

/// Deletes a canary Deployment, or lets one go that is on its way out.
pub(crate) fn remove(canary: &DynamicObject, recheck: Option<Evidence>, draft: &mut Draft) {
    match canary.finalizer_index(finalizer::CANARY_DEPLOYMENT) {
        Some(index) if canary.deleting() => {
            let op = Op::remove(format!("/metadata/finalizers/{index}"));
            draft.patch(Kind::Deployment, canary, vec![op], recheck);
        }
        _ => draft.delete(Kind::Deployment, canary, Propagation::Foreground, recheck),
    }
}

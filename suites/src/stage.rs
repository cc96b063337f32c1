//! The stage: all that the body of a scenario gets. A person's hands (verbs, objects as JSON) and a person's eyes (waits, weights).
//!
//! Everything that the person does is written into the ledger and applied to the expected inventory, so that "clean" can be judged afterwards.
//! The waits are in `waiting`, the weights in `weights`.

use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::bed::SharedBed;
use crate::dialect::{Committed, Dialect, Observation, Phase};
use crate::inventory::Inventory;
use crate::ledger::{Act, Ledger};
use crate::manifest;
use crate::object::text;
use crate::routes::Family;
use crate::timeouts;
use crate::{ApiError, Check, Failure, Kubernetes, ObjectRef, PatchKind, Probe, Question};

/// What a scenario's body works with. Clones are the same stage.
#[derive(Clone)]
pub struct Stage(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) bed: SharedBed,
    pub(crate) dialect: Box<dyn Dialect>,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) probe: Probe,
    pub(crate) question: Question,
    pub(crate) ledger: Ledger,
    /// Shared by the stages of one scenario.
    pub(crate) expected: Arc<Mutex<Inventory>>,
    /// From when until when a lost request is nobody's fault.
    pub(crate) forgiven: Mutex<Vec<(Moment, Moment)>>,
    /// The image that is being released, to tell the new version's answers.
    pub(crate) image: Mutex<String>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    /// The cluster.
    pub fn bed(&self) -> &SharedBed {
        &self.0.bed
    }

    /// The API.
    pub fn kubernetes(&self) -> &Kubernetes {
        &self.0.kubernetes
    }

    /// The controller's language.
    pub fn dialect(&self) -> &dyn Dialect {
        &*self.0.dialect
    }

    /// What a user asks the gateway for.
    pub fn question(&self) -> &Question {
        &self.0.question
    }

    /// The name of an object in the scenario's namespace.
    pub fn named(&self, api_version: &str, kind: &str, name: &str) -> ObjectRef {
        ObjectRef::namespaced(api_version, kind, self.0.bed.namespace(), name)
    }

    /// Looks at the release.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn observe(&self) -> Result<Observation, Failure> {
        Ok(self.0.dialect.observe().await?)
    }

    /// Reads an object that must exist.
    ///
    /// # Errors
    /// When it does not, or the API server refuses.
    pub async fn read(&self, name: &ObjectRef) -> Result<Value, Failure> {
        self.0
            .kubernetes
            .get(name)
            .await?
            .ok_or_else(|| Failure::new(Check::Cluster, format!("{name} does not exist")))
    }

    /// Creates what a manifest says, as a person would; it is expected to stay.
    ///
    /// # Errors
    /// When a document is refused.
    pub async fn apply(&self, manifest: &str) -> Result<(), Failure> {
        for object in self.documents(manifest)? {
            self.create(&object).await?;
        }
        Ok(())
    }

    /// Creates an object, as a person would; it is expected to stay.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn create(&self, object: &Value) -> Result<(), Failure> {
        let created = self.0.kubernetes.create(object).await?;
        self.0.expected.lock().add(created);
        Ok(())
    }

    /// Tries to create what a manifest says, and expects to be refused; the refusal.
    ///
    /// # Errors
    /// When it is accepted.
    pub async fn is_refused(&self, manifest: &str) -> Result<ApiError, Failure> {
        for object in self.documents(manifest)? {
            if let Err(refusal) = self.0.kubernetes.create(&object).await {
                return Ok(refusal);
            }
        }
        Err(Failure::new(
            Check::Refusal,
            "the API server accepted what it must refuse",
        ))
    }

    /// The documents of a manifest, as they are for this cluster.
    ///
    /// # Errors
    /// When the manifest is no YAML.
    pub fn documents(&self, manifest: &str) -> Result<Vec<Value>, Failure> {
        self.documents_in(self.0.bed.family(), manifest)
    }

    /// The same in another family of routes than the cluster's.
    ///
    /// # Errors
    /// When the manifest is no YAML.
    pub fn documents_in(&self, family: Family, manifest: &str) -> Result<Vec<Value>, Failure> {
        let bed = &self.0.bed;
        manifest::documents(manifest, &**bed)
            .map(|documents| family.translate(documents, &bed.door()))
            .map_err(|message| Failure::new(Check::Cluster, message))
    }

    /// Releases an image.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn release(&self, image: &str) -> Result<(), Failure> {
        image.clone_into(&mut self.0.image.lock());
        let at = self.0.dialect.release(image).await?;
        self.expect_image(image, at);
        Ok(())
    }

    /// Puts the old image back.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn roll_back(&self, image: &str) -> Result<(), Failure> {
        let at = self.0.dialect.roll_back(image).await?;
        self.expect_image(image, at);
        Ok(())
    }

    /// Approves what the release shows now.
    ///
    /// # Errors
    /// When it does not wait, or the API server refuses.
    pub async fn approve(&self) -> Result<(), Failure> {
        let seen = self.observe().await?;
        self.approve_as_seen(&seen).await?;
        Ok(())
    }

    /// Approves what somebody saw, which may be long ago.
    ///
    /// # Errors
    /// When the release has moved on since, or the API server refuses.
    pub async fn approve_as_seen(&self, seen: &Observation) -> Result<(), ApiError> {
        let at = self.0.dialect.approve(seen).await?;
        self.0.ledger.record(
            at,
            Act::Approve {
                step: seen.step,
                revision: seen.revision.clone(),
            },
        );
        Ok(())
    }

    /// Goes on at another step.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn jump(&self, step: u32) -> Result<(), Failure> {
        let at = self.0.dialect.jump(step).await?;
        self.0.ledger.record(at, Act::Jump { step });
        Ok(())
    }

    /// Makes the whole rollout stand still.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn pause(&self) -> Result<(), Failure> {
        let at = self.0.dialect.pause().await?;
        self.0.ledger.record(at, Act::Pause);
        self.expect_rollout().await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn resume(&self) -> Result<(), Failure> {
        let at = self.0.dialect.resume().await?;
        self.0.ledger.record(at, Act::Resume);
        self.expect_rollout().await
    }

    /// Switches the rollout off.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn disable(&self) -> Result<(), Failure> {
        let at = self.0.dialect.disable().await?;
        self.0.ledger.record(at, Act::End);
        self.expect_rollout().await
    }

    /// Deletes the rollout object.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete_rollout(&self) -> Result<(), Failure> {
        let name = self.0.dialect.rollout();
        self.0.kubernetes.delete(&name).await?;
        self.0.ledger.record(Committed(u64::MAX), Act::End);
        self.0.expected.lock().remove(&name);
        Ok(())
    }

    /// From now on, for as long as the gateway may take to follow and a little more, a request may be lost: the person does what nobody can prevent.
    pub fn forgive_lost(&self) {
        let now = self.bed().env().clock().elapsed();
        self.0.forgiven.lock().push((now, now.after(self.lag())));
    }

    /// From now on and for `time` a request may be lost: a version that answers with errors is being looked at.
    pub fn forgive_lost_for(&self, time: Duration) {
        let now = self.bed().env().clock().elapsed();
        self.0.forgiven.lock().push((now, now.after(time)));
    }

    /// Ends a pod, as an eviction would.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn end_pod(&self, pod: &str) -> Result<(), Failure> {
        let ended = Act::EndPod { pod: pod.to_owned() };
        self.0.ledger.record(Committed(u64::MAX), ended);
        self.0.kubernetes.delete(&self.named("v1", "Pod", pod)).await?;
        Ok(())
    }

    /// Changes the number of pods.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn scale(&self, replicas: u32) -> Result<(), Failure> {
        let workload = self.0.dialect.target().workload();
        let patch = json!({"spec": {"replicas": replicas}});
        let written = self
            .0
            .kubernetes
            .patch(&workload, None, PatchKind::Merge, &patch)
            .await?;
        self.0.ledger.record(revision_of(&written), Act::Scale { replicas });
        self.0.expected.lock().set(&workload, "/spec/replicas", json!(replicas));
        Ok(())
    }

    /// Changes the plan by a JSON Patch on the rollout object.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn edit_plan(&self, patch: &Value) -> Result<(), Failure> {
        let name = self.0.dialect.rollout();
        let written = self.0.kubernetes.patch(&name, None, PatchKind::Json, patch).await?;
        self.0.ledger.record(revision_of(&written), Act::EditPlan);
        self.expect_rollout().await
    }

    /// Kills the controller and starts another.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn restart_controller(&self) -> Result<(), Failure> {
        self.0.bed.restart_controller().await
    }

    /// Waits until the workload serves, through the gateway, and the rollout is ready for a release.
    pub(crate) async fn settle(&self, has_rollout: bool) -> Result<(), Failure> {
        let workload = self.0.dialect.target().workload();
        self.until("the workload is available", timeouts::BASELINE, || async {
            let Some(found) = self.0.kubernetes.get(&workload).await? else {
                return Ok(Err("it does not exist".to_owned()));
            };
            let count = |pointer| crate::object::number(&found, pointer);
            let wanted = count("/spec/replicas");
            let is_settled = count("/status/observedGeneration") == count("/metadata/generation")
                && [
                    "/status/replicas",
                    "/status/updatedReplicas",
                    "/status/availableReplicas",
                ]
                .iter()
                .all(|field| count(field) == wanted);
            Ok(if is_settled {
                Ok(())
            } else {
                Err(format!(
                    "{} of {wanted} pods are available",
                    count("/status/availableReplicas")
                ))
            })
        })
        .await?;
        self.until("the gateway answers", timeouts::BASELINE, || async {
            Ok(self
                .0
                .probe
                .try_once(&self.0.question)
                .await
                .map(drop)
                .map_err(|lost| lost.why))
        })
        .await?;
        if has_rollout {
            self.until_seen("the rollout is healthy", timeouts::BASELINE, |seen| {
                seen.phase == Phase::Healthy && seen.is_current && !seen.revision.is_empty()
            })
            .await?;
        }
        Ok(())
    }

    fn expect_image(&self, image: &str, at: Committed) {
        self.0.ledger.record(
            at,
            Act::Release {
                image: image.to_owned(),
            },
        );
        self.0.expected.lock().set(
            &self.0.dialect.target().workload(),
            "/spec/template/spec/containers/0/image",
            json!(image),
        );
    }

    /// Expects the rollout object's spec to stay as it is now.
    async fn expect_rollout(&self) -> Result<(), Failure> {
        let name = self.0.dialect.rollout();
        let found = self.read(&name).await?;
        let mut expected = self.0.expected.lock();
        // The inventory holds each kind in its preferred version, which need not be the one that the dialect reads.
        expected.set(&name, "/spec", found.pointer("/spec").cloned().unwrap_or_default());
        Ok(())
    }

    /// How long the gateway may lag behind, with a little to spare.
    pub(crate) fn lag(&self) -> Duration {
        self.0.bed.gateway_lag() + Duration::from_secs(1)
    }
}

fn revision_of(object: &Value) -> Committed {
    Committed(text(object, "/metadata/resourceVersion").parse().unwrap_or_default())
}

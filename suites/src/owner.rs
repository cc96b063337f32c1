//! What the owners of routes do beside a release: they write rules of their own, lead other Services and other rollouts through the same object, and
//! move from one kind of route to another.
//!
//! Verbs of the stage, as a person would use them; what a person changed is expected to stay.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::dialect::{Phase, Target};
use crate::inventory::Inventory;
use crate::ledger::Ledger;
use crate::stage::Parts;
use crate::{Check, Failure, ObjectRef, PatchKind, Question, Stage, timeouts};

impl Stage {
    /// The user's route object.
    pub fn route(&self) -> ObjectRef {
        let (api_version, kind) = self.bed().family().kind();
        self.named(api_version, kind, &self.dialect().target().route)
    }

    /// The same question for another path, which may carry a query.
    pub fn asking(&self, path: &str) -> Question {
        Question {
            path: path.to_owned(),
            ..self.question().clone()
        }
    }

    /// Writes an object's spec anew.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn rewrite(&self, name: &ObjectRef, change: impl FnOnce(&mut Value)) -> Result<Value, Failure> {
        let mut object = self.read(name).await?;
        change(&mut object["spec"]);
        let patch = json!([{"op": "replace", "path": "/spec", "value": object["spec"]}]);
        let written = self.kubernetes().patch(name, None, PatchKind::Json, &patch).await?;
        self.0.expected.lock().add(written.clone());
        Ok(written)
    }

    /// Leads the release through other routes from now on: `routing` in place of the first of its `trafficRoutings`.
    ///
    /// # Errors
    /// When the API server refuses, or the controller does not take it.
    pub async fn route_by(&self, routing: &Value) -> Result<(), Failure> {
        let path = "/spec/strategy/canary/trafficRoutings/0";
        self.edit_plan(&json!([{"op": "replace", "path": path, "value": routing}]))
            .await?;
        self.until_seen("the other routes are taken", timeouts::APPROVAL, |seen| {
            seen.is_current && seen.phase == Phase::Healthy
        })
        .await?;
        self.holds_seen("nothing is released", Duration::from_secs(10), |seen| {
            seen.phase == Phase::Healthy
        })
        .await?;
        // The controller remembers beside the Rollout what it leads.
        let rollout = self.dialect().rollout();
        self.expect_as_it_stands(&rollout.kind, &rollout.name).await
    }

    /// A stage for another workload and rollout behind the same route, once they serve. Its own acts are not judged by the invariants.
    ///
    /// # Errors
    /// When they do not come to serve.
    pub async fn beside(&self, name: &str, path: &str) -> Result<Self, Failure> {
        let target = Target {
            workload: name.to_owned(),
            rollout: name.to_owned(),
            service: name.to_owned(),
            ..self.dialect().target().clone()
        };
        let parts = Parts {
            bed: self.0.bed.clone(),
            dialect: self.dialect().aimed_at(target),
            kubernetes: self.0.kubernetes.clone(),
            probe: self.0.probe.clone(),
            question: self.asking(path),
            ledger: Ledger::default(),
            expected: self.0.expected.clone(),
            forgiven: Mutex::default(),
            image: Mutex::default(),
        };
        let stage = Self(Arc::new(parts));
        stage.settle(true).await?;
        for kind in ["Deployment", "Service", "Rollout"] {
            self.expect_as_it_stands(kind, name).await?;
        }
        Ok(stage)
    }

    /// Expects the object of a kind and name to stay as it is now.
    async fn expect_as_it_stands(&self, kind: &str, name: &str) -> Result<(), Failure> {
        let namespace = (!self.bed().is_exclusive()).then(|| self.bed().namespace());
        let found = Inventory::take(self.kubernetes(), namespace).await?;
        self.0.expected.lock().take_over(&found, kind, name);
        Ok(())
    }

    /// What is answered to a question, as text.
    ///
    /// # Errors
    /// When it is not answered.
    pub async fn answer(&self, question: &Question) -> Result<String, Failure> {
        let answer = self.0.probe.read(question).await;
        answer.map_err(|lost| Failure::new(Check::LostRequest, lost.why))
    }
}

//! A model that is watched at every single write: what no write may ever do, and what must be left at the end.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::front::{Front, answered, has_subset, weight};
use super::super::model::Model;
use super::super::walkthrough::{hour, status};
use super::Event;
use crate::{Action, Kind, Propagation, Wake, Write};

const GRACE: SignedDuration = SignedDuration::from_secs(3);

/// A model, and what was seen so far.
pub(super) struct Watched {
    pub(super) model: Model,
    /// When the weight was last changed.
    changed: Option<Timestamp>,
}

fn steps_of(model: &Model) -> Vec<Value> {
    let rollout = model.get(Kind::Rollout, "rollouts-demo").unwrap();
    rollout["spec"]["strategy"]["canary"]["steps"]
        .as_array()
        .unwrap()
        .clone()
}

fn share_of(model: &Model, step: &Value) -> i64 {
    let index = usize::try_from(step.as_i64().unwrap()).unwrap();
    let steps = steps_of(model);
    let step = index.checked_sub(1).and_then(|index| steps.get(index));
    let share = step.and_then(|step| step["traffic"].as_str());
    share.map_or(0, |share| share.trim_end_matches('%').parse().unwrap())
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn rolling(status: &Value) -> bool {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().any(|condition| condition["reason"] == "InRolling") && status["phase"] == "Progressing"
}

impl Watched {
    pub(super) fn new(steps: &[Value]) -> Self {
        Self::behind(Front::Ingress, steps)
    }

    pub(super) fn behind(front: Front, steps: &[Value]) -> Self {
        let mut model = Model::behind(front, json!(steps));
        model.run(hour());
        Self { model, changed: None }
    }

    /// Applies a write, and judges it.
    pub(super) fn apply(&mut self, write: &Write) -> bool {
        let before = status(&self.model);
        let (weight_before, selected_before) = (weight(&self.model), self.selected());
        if !self.model.apply(write) {
            return false;
        }
        let now = self.model.now;
        match (&write.action, write.target.kind) {
            (Action::Status { status, .. }, Kind::Rollout) => self.gate(&before, status),
            (_, kind) if kind.route().is_some() => {
                let after = weight(&self.model);
                let allowed = share_of(&self.model, &before["currentStepIndex"]);
                assert!(
                    after <= allowed.max(weight_before),
                    "{after}% written in a step of {allowed}%"
                );
                if after > weight_before || self.selected() > selected_before {
                    assert!(answered(&self.model), "a route to a Service without ready pods");
                    let release = self.model.get(Kind::BatchRelease, "rollouts-demo").unwrap();
                    let ready = moment(&release["status"]["canaryStatus"]["batchReadyTime"]);
                    assert!(now >= ready + GRACE, "the routers had no time to see the pods");
                }
                if after != weight_before {
                    self.changed = Some(now);
                }
            }
            _ => {}
        }
        true
    }

    fn selected(&self) -> usize {
        self.model.front.selected(&self.model)
    }

    /// A step begins only when the one before was approved or over, or somebody asked for another; it counts as reached after the grace.
    pub(super) fn gate(&self, before: &Value, after: &Value) {
        let (old, new) = (&before["canaryStatus"], &after["canaryStatus"]);
        let now = self.model.now;
        let same = old["canaryRevision"] == new["canaryRevision"] && old["rolloutHash"] == new["rolloutHash"];
        if !(rolling(before) && rolling(after) && same) {
            return;
        }
        let (from, to) = (&old["currentStepIndex"], &new["currentStepIndex"]);
        let asked = old["nextStepIndex"] == *to && old["nextStepIndex"].as_i64() != Some(from.as_i64().unwrap() + 1);
        if to.as_i64() > from.as_i64() && !asked {
            assert_eq!(to.as_i64(), from.as_i64().map(|from| from + 1), "one step at a time");
            let step = &steps_of(&self.model)[usize::try_from(from.as_i64().unwrap() - 1).unwrap()];
            let over = step["pause"]["duration"]
                .as_i64()
                .is_some_and(|seconds| now >= moment(&old["lastUpdateTime"]) + SignedDuration::from_secs(seconds));
            let state = old["currentStepState"].as_str().unwrap();
            assert!(
                state == "StepReady" || (state == "StepPaused" && over),
                "{before} then {after}"
            );
        }
        let reached = new["currentStepState"] == "StepPaused" && old["currentStepState"] != "StepPaused";
        if reached && share_of(&self.model, to) > 0 {
            assert_eq!(weight(&self.model), share_of(&self.model, to));
            let changed = self.changed.unwrap();
            assert!(now >= changed + GRACE, "reached before the routers could follow");
        }
    }

    /// In a step with traffic the stable Service never selects the canary's pods.
    fn narrow(&self) {
        let now = status(&self.model);
        let canary = self
            .model
            .objects
            .keys()
            .any(|(kind, name)| *kind == Kind::Deployment && name != "echoserver");
        if rolling(&now) && canary && share_of(&self.model, &now["currentStepIndex"]) > 0 {
            if self.model.front == Front::Subsets {
                // Before a step begins the subsets get their time to come into force.
                if now["canaryStatus"]["currentStepState"] != "BeforeStepUpgrade" {
                    self.is_pinned();
                }
                return;
            }
            let service = self.model.get(Kind::Service, "echoserver").unwrap();
            let narrow = service["spec"]["selector"].get("pod-template-hash").is_some();
            assert!(narrow, "the stable Service selects the canary's pods");
        }
    }

    /// No destination of the one Service takes in the pods of both versions.
    fn is_pinned(&self) {
        for rule in self.model.front.rules(&self.model).unwrap() {
            let all = rule["route"].as_array().unwrap().iter();
            for to in all.filter(|to| to["destination"]["host"] == "echoserver") {
                let subset = to["destination"]["subset"].as_str().unwrap_or_default();
                assert!(
                    has_subset(&self.model, subset),
                    "a route to all pods, or to a subset of none: {to}"
                );
            }
        }
    }

    pub(super) fn run(&mut self, until: SignedDuration) {
        let end = self.model.now + until;
        for _ in 0..500 {
            self.model.play();
            let plan = self.model.plan();
            for write in &plan.writes {
                if !self.apply(write) {
                    break;
                }
            }
            // Taking over an edited plan is a plan of its own; what was begun goes on in the next.
            if plan.rule != "adopt" {
                self.narrow();
            }
            match plan.wake {
                _ if !plan.writes.is_empty() => {}
                Wake::At(moment) if moment <= end => self.model.now = moment,
                _ => {
                    self.model.now = end;
                    return;
                }
            }
        }
        panic!("no rest:\n{}", self.model.log.join("\n"));
    }

    fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        self.model.edit(Kind::Rollout, "rollouts-demo", change);
    }

    pub(super) fn approve(&mut self) {
        let state = status(&self.model)["canaryStatus"]["currentStepState"].clone();
        if state == "StepPaused" {
            self.edit(|rollout| rollout["status"]["canaryStatus"]["currentStepState"] = json!("StepReady"));
        }
    }

    pub(super) fn happen(&mut self, event: &Event) {
        match event {
            Event::Approve => self.approve(),
            Event::Hold(hold) => self.edit(|rollout| rollout["spec"]["strategy"]["paused"] = json!(hold)),
            Event::Jump(to) => self.edit(|rollout| {
                if rollout["status"].get("canaryStatus").is_some() {
                    rollout["status"]["canaryStatus"]["nextStepIndex"] = json!(to);
                }
            }),
            Event::Image(image) => self.model.set_image(image),
            Event::BadImage(image) => self.model.bad_image = *image,
            Event::Scale(replicas) => {
                let scale = |object: &mut Value| object["spec"]["replicas"] = json!(replicas);
                self.model.edit(Kind::Deployment, "echoserver", scale);
            }
            Event::Disable(disable) => self.edit(|rollout| rollout["spec"]["disabled"] = json!(disable)),
            Event::Traffic(step, share) => self.edit(|rollout| {
                let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array_mut().unwrap();
                if let Some(step) = steps.get_mut(*step).filter(|step| step.get("traffic").is_some()) {
                    step["traffic"] = json!(format!("{share}%"));
                }
            }),
            Event::Lose(kind) => {
                let mut ours = self
                    .model
                    .objects
                    .keys()
                    .filter(|(of, name)| of == kind && name != "echoserver");
                if let Some((_, name)) = ours.next().cloned() {
                    self.model.delete(*kind, &name, Propagation::Background);
                }
            }
            Event::Rewrite(first) => self.rewrite(*first),
            Event::Wait(seconds) => self.run(SignedDuration::from_secs(*seconds)),
            Event::Cut(writes) => {
                self.model.play();
                let plan = self.model.plan();
                for write in plan.writes.iter().take(*writes) {
                    if !self.apply(write) {
                        break;
                    }
                }
            }
        }
    }

    fn rewrite(&mut self, first: usize) {
        let front = self.model.front;
        // An Ingress is not edited by us.
        if front == Front::Ingress {
            return;
        }
        let [rules, matches, _] = front.fields();
        self.model.edit(front.kind(), "echoserver", |route| {
            let rules = route["spec"][rules].as_array_mut().unwrap();
            for pristine in front.pristine().as_array().unwrap().iter().take(first) {
                let same = |rule: &&mut Value| rule[matches] == pristine[matches];
                rules.iter_mut().filter(same).for_each(|rule| *rule = pristine.clone());
            }
        });
    }

    /// Everybody lets the release go on until it is over.
    pub(super) fn finish(&mut self) {
        self.model.bad_image = None;
        self.happen(&Event::Hold(false));
        self.happen(&Event::Disable(false));
        if self.model.get(Kind::Deployment, "echoserver").unwrap()["spec"]["replicas"] == 0 {
            self.happen(&Event::Scale(3));
        }
        for _ in 0..20 {
            self.run(hour());
            if status(&self.model)["phase"] == "Healthy" {
                return;
            }
            self.approve();
        }
        panic!("never over: {}\n{}", status(&self.model), self.model.log.join("\n"));
    }

    pub(super) fn is_clean(&self) {
        let ours = |(kind, name): &&(Kind, String)| {
            !matches!(kind, Kind::Rollout | Kind::ReplicaSet | Kind::EndpointSlice) && name != "echoserver"
        };
        let left: Vec<_> = self.model.objects.keys().filter(ours).collect();
        assert!(left.is_empty(), "{left:?} left");
        let front = self.model.front;
        let route = self.model.get(front.kind(), "echoserver").unwrap();
        assert_eq!(route["spec"], front.spec());
        assert_eq!(route["metadata"].get("annotations"), None);
        if let Some(spec) = front.destination_rule() {
            assert_eq!(
                self.model.get(Kind::DestinationRule, "echoserver").unwrap()["spec"],
                spec
            );
        }
        let service = self.model.get(Kind::Service, "echoserver").unwrap();
        assert_eq!(service["spec"]["selector"], json!({"app": "echoserver"}));
        let workload = self.model.get(Kind::Deployment, "echoserver").unwrap();
        assert_ne!(workload["spec"].get("paused"), Some(&json!(true)));
        let annotations = workload["metadata"].get("annotations").cloned().unwrap_or(json!({}));
        assert_eq!(annotations, json!({}));
        assert_eq!(
            workload["metadata"]["labels"],
            json!({"rollouts.kruise.io/workload-type": "deployment"})
        );
    }
}

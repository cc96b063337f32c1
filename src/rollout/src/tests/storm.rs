//! Whatever people do in whatever order, wherever the controller is cut off: what must hold at every single write, and that every release can
//! be ended clean.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::{Front, Model, pristine_rules};
use super::walkthrough::{hour, status, weight};
use crate::{Action, Kind, Propagation, Wake, Write};

const GRACE: SignedDuration = SignedDuration::from_secs(3);

/// Something that a person, or the cluster, does.
#[derive(Clone, Debug)]
enum Event {
    Approve,
    Hold(bool),
    Jump(i64),
    Image(&'static str),
    BadImage(Option<&'static str>),
    Scale(i64),
    Disable(bool),
    Traffic(usize, i64),
    /// One of the objects that we made is deleted.
    Lose(Kind),
    /// A GitOps tool writes the rules of the route again, or some of them.
    Rewrite(usize),
    Wait(i64),
    /// The controller is cut off after so many writes of its next plan, and started again.
    Cut(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let image = prop_oneof![Just("v1"), Just("v2"), Just("v3")];
    let ours = prop_oneof![
        Just(Kind::Ingress),
        Just(Kind::Service),
        Just(Kind::Deployment),
        Just(Kind::BatchRelease)
    ];
    prop_oneof![
        5 => Just(Event::Approve),
        4 => (1i64..20).prop_map(Event::Wait),
        4 => (0usize..4).prop_map(Event::Cut),
        3 => image.prop_map(Event::Image),
        1 => any::<bool>().prop_map(Event::Hold),
        1 => (-1i64..6).prop_map(Event::Jump),
        1 => prop_oneof![Just(None), Just(Some("v2")), Just(Some("v3"))].prop_map(Event::BadImage),
        1 => (0i64..9).prop_map(Event::Scale),
        1 => any::<bool>().prop_map(Event::Disable),
        1 => (0usize..4, 1i64..100).prop_map(|(step, share)| Event::Traffic(step, share)),
        1 => ours.prop_map(Event::Lose),
        1 => (1usize..4).prop_map(Event::Rewrite),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Value>> {
    let pause = prop_oneof![
        Just(json!({})),
        Just(json!({"duration": 0})),
        Just(json!({"duration": 7}))
    ];
    let step = (1i64..40, proptest::option::weighted(0.8, 1i64..=120), pause);
    proptest::collection::vec(step, 1..5).prop_map(|steps| {
        let mut percents = 0;
        let steps = steps.into_iter().map(|(more, share, pause)| {
            percents = (percents + more).min(100);
            let mut step = json!({"replicas": format!("{percents}%"), "pause": pause});
            match share {
                Some(share) if share <= 100 => step["traffic"] = json!(format!("{share}%")),
                Some(_) => step["matches"] = json!([{"headers": [{"name": "user", "value": "beta"}]}]),
                None => {}
            }
            step
        });
        steps.collect()
    })
}

/// A model, and what was seen so far.
struct Watched {
    model: Model,
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
    fn new(steps: &[Value]) -> Self {
        Self::behind(Front::Ingress, steps)
    }

    fn behind(front: Front, steps: &[Value]) -> Self {
        let mut model = Model::behind(front, json!(steps));
        model.run(hour());
        Self { model, changed: None }
    }

    /// Applies a write, and judges it.
    fn apply(&mut self, write: &Write) -> bool {
        let before = status(&self.model);
        let (weight_before, selected_before) = (weight(&self.model), self.selected());
        if !self.model.apply(write) {
            return false;
        }
        let now = self.model.now;
        match (&write.action, write.target.kind) {
            (Action::Status { status, .. }, Kind::Rollout) => self.gate(&before, status),
            (_, Kind::Ingress | Kind::HttpRoute) => {
                let after = weight(&self.model);
                let allowed = share_of(&self.model, &before["currentStepIndex"]);
                assert!(
                    after <= allowed.max(weight_before),
                    "{after}% written in a step of {allowed}%"
                );
                if after > weight_before || self.selected() > selected_before {
                    let slice = self.model.get(Kind::EndpointSlice, "echoserver-canary-1").unwrap();
                    let endpoints = slice["endpoints"].as_array().unwrap();
                    assert!(!endpoints.is_empty(), "a route to a Service without ready pods");
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

    /// How many rules of the route lead selected requests to the canary.
    fn selected(&self) -> usize {
        let rules = self
            .model
            .get(Kind::HttpRoute, "echoserver")
            .map(|route| &route["spec"]["rules"]);
        let rules = rules.and_then(Value::as_array).into_iter().flatten();
        rules
            .filter(|rule| rule["backendRefs"][0]["name"] == "echoserver-canary")
            .count()
    }

    /// A step begins only when the one before was approved or over, or somebody asked for another; it counts as reached after the grace.
    fn gate(&self, before: &Value, after: &Value) {
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
            let service = self.model.get(Kind::Service, "echoserver").unwrap();
            let narrow = service["spec"]["selector"].get("pod-template-hash").is_some();
            assert!(narrow, "the stable Service selects the canary's pods");
        }
    }

    fn run(&mut self, until: SignedDuration) {
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

    fn approve(&mut self) {
        let state = status(&self.model)["canaryStatus"]["currentStepState"].clone();
        if state == "StepPaused" {
            self.edit(|rollout| rollout["status"]["canaryStatus"]["currentStepState"] = json!("StepReady"));
        }
    }

    fn happen(&mut self, event: &Event) {
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
            Event::Rewrite(first) => self.model.edit(Kind::HttpRoute, "echoserver", |route| {
                let rules = route["spec"]["rules"].as_array_mut().unwrap();
                for pristine in pristine_rules().as_array().unwrap().iter().take(*first) {
                    let same = |rule: &&mut Value| rule["matches"] == pristine["matches"];
                    rules.iter_mut().filter(same).for_each(|rule| *rule = pristine.clone());
                }
            }),
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

    /// Everybody lets the release go on until it is over.
    fn finish(&mut self) {
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

    fn is_clean(&self) {
        let ours = |(kind, name): &&(Kind, String)| {
            !matches!(kind, Kind::Rollout | Kind::ReplicaSet | Kind::EndpointSlice) && name != "echoserver"
        };
        let left: Vec<_> = self.model.objects.keys().filter(ours).collect();
        assert!(left.is_empty(), "{left:?} left");
        if let Some(route) = self.model.get(Kind::HttpRoute, "echoserver") {
            assert_eq!(route["spec"]["rules"], pristine_rules());
            assert_eq!(route["metadata"].get("annotations"), None);
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

/// A release whose next plan writes the first route, and that write.
fn about_to_route() -> (Watched, Write) {
    let steps = json!([{"replicas": 1, "traffic": "5%", "pause": {}}, {"replicas": 2, "traffic": "50%", "pause": {}}]);
    let mut watched = Watched::new(steps.as_array().unwrap());
    watched.happen(&Event::Image("v2"));
    for _ in 0..100 {
        watched.model.play();
        let plan = watched.model.plan();
        if let Some(route) = plan.writes.iter().find(|write| write.target.kind == Kind::Ingress) {
            return (watched, route.clone());
        }
        for write in &plan.writes {
            watched.apply(write);
        }
        if let (true, Wake::At(moment)) = (plan.writes.is_empty(), plan.wake) {
            watched.model.now = moment;
        }
    }
    panic!("no route");
}

#[test]
#[should_panic(expected = "15% written in a step of 5%")]
fn ten_points_more_are_seen() {
    let (mut watched, mut route) = about_to_route();
    if let Action::Create { object } = &mut route.action {
        object["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = json!("15");
    }
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "the routers had no time to see the pods")]
fn a_grace_that_is_dropped_is_seen() {
    let (mut watched, route) = about_to_route();
    watched.model.now -= SignedDuration::from_millis(1);
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "a route to a Service without ready pods")]
fn a_route_to_nobody_is_seen() {
    let (mut watched, mut route) = about_to_route();
    watched.model.bad_image = Some("v2");
    watched.model.play();
    assert!(!watched.apply(&route), "the evidence is read again");
    route.recheck = None;
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "then")]
fn a_step_that_nobody_opened_is_seen() {
    let (mut watched, _) = about_to_route();
    watched.run(hour());
    let mut next = status(&watched.model);
    next["canaryStatus"]["currentStepIndex"] = json!(2);
    next["canaryStatus"]["nextStepIndex"] = json!(-1);
    watched.gate(&status(&watched.model), &next);
}

/// The routes are written again while the step settles, and the controller is cut off right after it.
#[test]
fn a_grace_that_is_cut_off_begins_anew() {
    let steps = json!([{"replicas": 1, "traffic": "5%", "pause": {}}]);
    let mut watched = Watched::behind(Front::HttpRoute, steps.as_array().unwrap());
    watched.happen(&Event::Image("v2"));
    watched.run(SignedDuration::from_millis(5_000));
    assert_eq!(
        status(&watched.model)["canaryStatus"]["currentStepState"],
        "StepTrafficRouting"
    );
    for event in [Event::Rewrite(3), Event::Cut(1), Event::Cut(1), Event::Wait(10)] {
        watched.happen(&event);
    }
    assert_eq!(status(&watched.model)["canaryStatus"]["currentStepState"], "StepPaused");
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_write_is_safe_and_every_release_can_be_ended(
        steps in steps(),
        events in proptest::collection::vec(event(), 1..24),
        delete in any::<bool>(),
        front in prop::sample::select(vec![Front::Ingress, Front::HttpRoute, Front::Reported]),
    ) {
        let mut watched = Watched::behind(front, &steps);
        watched.happen(&Event::Image("v2"));
        for event in &events {
            watched.happen(event);
        }
        if delete {
            watched.model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
            watched.model.run(hour());
            prop_assert_eq!(watched.model.get(Kind::Rollout, "rollouts-demo"), None);
        } else {
            watched.finish();
            let writes = watched.model.log.len();
            watched.run(hour());
            prop_assert_eq!(watched.model.log.len(), writes, "idle means no writes");
        }
        watched.is_clean();
    }
}

//! A tiny cluster as a map of objects: it holds the world of each key as the controller would, and applies plans with their guards. Just enough
//! world to check the laws of `plan` without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analysis::run::{Measured, Outcome};
use jiff::{SignedDuration, Timestamp};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::front::Front;
use crate::admission::{Admission, deployment};
use crate::{
    Action, Ask, Evidence, Guard, Key, Kind, Object, Op, Plan, Propagation, Read, RouteNames, Wake, World, Write, plan,
    service_of_slice,
};

type Objects = BTreeMap<(Kind, String), Value>;

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) front: Front,
    pub(super) now: Timestamp,
    pub(super) objects: Objects,
    version: u64,
    /// Every write that went through, as a line.
    pub(super) log: Vec<String>,
    /// What each status of the Rollout said, as a few lines.
    pub(super) told: Vec<String>,
    /// Pods of these images never become ready.
    pub(super) bad_image: Option<&'static str>,
    /// As many pods of each canary never become ready.
    pub(super) unready_pods: i64,
    /// What every metric measures.
    pub(super) metric: f64,
    /// How often something was measured.
    pub(super) measured: usize,
    answers: Vec<(String, Measured)>,
    /// What the controller of Deployments complains of, about those whose pods are not ready.
    pub(super) complaint: Option<&'static str>,
}

impl Model {
    /// An echoserver of five pods behind an Ingress, and a Rollout with these steps.
    pub(super) fn new(steps: Value) -> Self {
        Self::behind(Front::Ingress, steps)
    }

    /// An echoserver of five pods, what stands in front of it, and a Rollout with these steps.
    pub(super) fn behind(front: Front, steps: Value) -> Self {
        let mut model = Self::bare();
        model.front = front;
        model.insert(Kind::Service, json!({"metadata": {"name": "echoserver"}, "spec": {"selector": {"app": "echoserver"}, "ports": [{"port": 80, "nodePort": 30080}], "clusterIP": "10.0.0.1"}}));
        model.insert(
            front.kind(),
            json!({"metadata": {"name": "echoserver"}, "spec": front.spec()}),
        );
        if let Some(spec) = front.destination_rule() {
            model.insert(
                Kind::DestinationRule,
                json!({"metadata": {"name": "echoserver"}, "spec": spec}),
            );
        }
        let mut routing = json!({"service": "echoserver", "gracePeriodSeconds": 3});
        json_patch::merge(&mut routing, &front.named());
        let mut canary = json!({"enableExtraWorkloadForCanary": true, "trafficRoutings": [routing]});
        canary["steps"] = steps;
        if front == Front::Subsets {
            canary["disableGenerateCanaryService"] = json!(true);
        }
        let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "echoserver"});
        model.insert(
            Kind::Rollout,
            json!({"metadata": {"name": "rollouts-demo"}, "spec": {"workloadRef": workload, "strategy": {"canary": canary}}}),
        );
        model
    }

    fn bare() -> Self {
        let mut model = Self {
            front: Front::Ingress,
            now: "2026-11-24T08:00:00.25Z".parse().unwrap(),
            objects: BTreeMap::new(),
            version: 0,
            log: Vec::new(),
            told: Vec::new(),
            bad_image: None,
            unready_pods: 0,
            metric: 1.0,
            measured: 0,
            answers: Vec::new(),
            complaint: None,
        };
        model.insert(Kind::Deployment, json!({"metadata": {"name": "echoserver"}, "spec": {
            "replicas": 5, "selector": {"matchLabels": {"app": "echoserver"}},
            "template": {"metadata": {"labels": {"app": "echoserver"}}, "spec": {"containers": [{"name": "main", "image": "v1"}]}}}}));
        model
    }

    pub(super) fn insert(&mut self, kind: Kind, mut object: Value) {
        self.version += 1;
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        object["metadata"]["namespace"] = json!("default");
        object["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        object["metadata"]["creationTimestamp"] =
            json!(Timestamp::from_second(self.now.as_second()).unwrap().to_string());
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert((kind, name), object);
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.objects.get(&(kind, name.to_owned()))
    }

    /// Changes an object as somebody else would.
    pub(super) fn edit(&mut self, kind: Kind, name: &str, change: impl FnOnce(&mut Value)) {
        self.version += 1;
        let version = self.version;
        let Some(object) = self.objects.get_mut(&(kind, name.to_owned())) else {
            return;
        };
        let before = object["spec"].clone();
        change(object);
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        if object["spec"] != before {
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_i64().unwrap() + 1);
        }
        let going = object.pointer("/metadata/deletionTimestamp").is_some();
        if going && object["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty) {
            self.objects.remove(&(kind, name.to_owned()));
        }
    }

    /// The user's update of the image, through the webhook.
    pub(super) fn set_image(&mut self, image: &str) {
        self.set_image_of("echoserver", image);
    }

    /// The same for any workload.
    pub(super) fn set_image_of(&mut self, name: &str, image: &str) {
        let refused = self.update_workload_named(name, |workload| {
            workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
        assert_eq!(refused, None);
    }

    /// The user's update of the workload, through the webhook, which may refuse it and say why.
    pub(super) fn update_workload(&mut self, change: impl FnOnce(&mut Value)) -> Option<String> {
        self.update_workload_named("echoserver", change)
    }

    fn update_workload_named(&mut self, name: &str, change: impl FnOnce(&mut Value)) -> Option<String> {
        let old = self.object(Kind::Deployment, name);
        let mut new = self.get(Kind::Deployment, name).unwrap().clone();
        change(&mut new);
        let read: DynamicObject = serde_json::from_value(new.clone()).unwrap();
        match deployment(&old, &read, &self.all(Kind::Rollout), &self.all(Kind::ReplicaSet)) {
            Admission::Untouched => {}
            Admission::Patched(ops) => patch(&mut new, &ops),
            Admission::Denied(why) => return Some(why),
        }
        self.edit(Kind::Deployment, name, |object| *object = new);
        None
    }

    fn object(&self, kind: Kind, name: &str) -> Object {
        Arc::new(serde_json::from_value(self.get(kind, name).unwrap().clone()).unwrap())
    }

    fn all(&self, kind: Kind) -> Vec<Object> {
        let names = self.objects.keys().filter(|(of, _)| *of == kind);
        names.map(|(_, name)| self.object(kind, name)).collect()
    }

    /// What the controller's observe would hold of a key.
    fn world(&self, key: &Key) -> World {
        let mut world = World::new(self.now, key.clone());
        let of = |kind, selects: &dyn Fn(&DynamicObject) -> bool| {
            let mut found = self.all(kind);
            found.retain(|object| selects(object));
            found
        };
        let rollouts = of(Kind::Rollout, &|object| Key::of_rollout(object).as_ref() == Some(key));
        let named = |object: &DynamicObject| {
            rollouts
                .iter()
                .any(|rollout| rollout.metadata.name == object.metadata.name)
        };
        let releases = of(Kind::BatchRelease, &|object| {
            named(object) || Key::named_by(object).as_ref() == Some(key)
        });
        let deployments = of(Kind::Deployment, &|object| {
            Key::of_deployment(object).as_ref() == Some(key)
        });
        let sets = of(Kind::ReplicaSet, &|object| {
            let owner = &object.metadata.owner_references.as_ref().unwrap()[0].uid;
            deployments
                .iter()
                .any(|deployment| deployment.metadata.uid.as_ref() == Some(owner))
        });
        let names: Vec<RouteNames> = rollouts.iter().map(|rollout| RouteNames::of(rollout)).collect();
        let services = |name: Option<&str>| {
            names
                .iter()
                .any(|of| of.services.iter().any(|one| Some(one.as_str()) == name))
        };
        world.extend(
            Kind::Service,
            of(Kind::Service, &|object| services(object.metadata.name.as_deref())),
        );
        world.extend(
            Kind::EndpointSlice,
            of(Kind::EndpointSlice, &|object| services(service_of_slice(object))),
        );
        for kind in Kind::ALL.into_iter().filter(|kind| kind.route().is_some()) {
            let routes = of(kind, &|object| {
                let name = (kind, object.metadata.name.clone().unwrap());
                names.iter().any(|of| of.routes.contains(&name))
            });
            world.extend(kind, routes);
        }
        let owned = |object: &DynamicObject| {
            let owners = object.metadata.owner_references.iter().flatten();
            owners.into_iter().any(|owner| {
                rollouts
                    .iter()
                    .any(|rollout| rollout.metadata.uid.as_ref() == Some(&owner.uid))
            })
        };
        world.extend(Kind::AnalysisRun, of(Kind::AnalysisRun, &owned));
        for (kind, template) in crate::templates(&rollouts, |kind, name| {
            self.get(kind, name).map(|_| self.object(kind, name))
        }) {
            world.add(kind, template);
        }
        for (run, measured) in &self.answers {
            world.answer(run, measured.clone());
        }
        world.extend(Kind::Rollout, rollouts.clone());
        world.extend(Kind::BatchRelease, releases);
        world.extend(Kind::Deployment, deployments);
        world.extend(Kind::ReplicaSet, sets);
        world
    }

    /// The first plan of any key that writes; when none does, what all of them wait for.
    pub(super) fn plan(&self) -> Plan {
        let rollouts = self.all(Kind::Rollout);
        let workloads = self.all(Kind::Deployment);
        let keys = rollouts.iter().filter_map(|rollout| Key::of_rollout(rollout));
        let keys: BTreeSet<Key> = keys
            .chain(workloads.iter().filter_map(|workload| Key::of_deployment(workload)))
            .collect();
        let mut idle = Plan::default();
        for key in keys {
            let plan = plan(&self.world(&key));
            if !plan.writes.is_empty() {
                return plan;
            }
            idle.wake = idle.wake.sooner(plan.wake);
            idle.asks.extend(plan.asks);
            idle.waiting_on.extend(plan.waiting_on);
        }
        idle
    }

    /// Applies one write as the API server would; false when it is refused.
    pub(super) fn apply(&mut self, write: &Write) -> bool {
        let key = (write.target.kind, write.target.name.clone());
        if let Some(evidence) = &write.recheck
            && !self.holds(evidence)
        {
            return false;
        }
        let fits = |guard: &Guard, object: Option<&Value>| {
            object.is_some_and(|object| {
                object["metadata"]["uid"] == json!(guard.uid)
                    && object["metadata"]["resourceVersion"] == json!(guard.resource_version)
            })
        };
        let target = format!("{} {}", write.target.kind, write.target.name);
        let line = match &write.action {
            Action::Create { object } => {
                if self.objects.contains_key(&key) {
                    return false;
                }
                self.insert(write.target.kind, object.clone());
                format!("create {target}")
            }
            Action::Patch { guard, ops } => {
                if !fits(guard, self.objects.get(&key)) {
                    return false;
                }
                self.edit(write.target.kind, &write.target.name, |object| patch(object, ops));
                format!("patch {target} {}", words(ops))
            }
            Action::Status { guard, status } => {
                if !fits(guard, self.objects.get(&key)) {
                    return false;
                }
                self.edit(write.target.kind, &write.target.name, |object| {
                    object["status"] = status.clone()
                });
                if write.target.kind == Kind::Rollout {
                    self.told.push(telling(status));
                }
                let sub = &status["canaryStatus"];
                let step = sub
                    .get("currentStepState")
                    .or(sub.get("batchState"))
                    .cloned()
                    .unwrap_or_default();
                let at = sub
                    .get("currentStepIndex")
                    .or(sub.get("currentBatch"))
                    .cloned()
                    .unwrap_or_default();
                format!("status {target} {} {at} {step}", status["phase"])
            }
            Action::Delete { guard, propagation } => {
                if !fits(guard, self.objects.get(&key)) {
                    return false;
                }
                self.delete(write.target.kind, &write.target.name, *propagation);
                format!("delete {target}")
            }
        };
        self.log.push(line);
        true
    }

    pub(super) fn delete(&mut self, kind: Kind, name: &str, propagation: Propagation) {
        let now = self.now.to_string();
        self.edit(kind, name, |object| {
            object["metadata"]["deletionTimestamp"] = json!(now);
            if propagation == Propagation::Foreground {
                let mut finalizers = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
                finalizers.push(json!("foregroundDeletion"));
                object["metadata"]["finalizers"] = json!(finalizers);
            }
        });
    }

    fn holds(&self, evidence: &Evidence) -> bool {
        let mut fresh = Vec::new();
        for read in evidence.reads() {
            match read {
                Read::Get(target) if self.get(target.kind, &target.name).is_some() => {
                    fresh.push((target.kind, self.object(target.kind, &target.name)));
                }
                Read::Get(_) => {}
                Read::List { kind, .. } => fresh.extend(self.all(kind).into_iter().map(|object| (kind, object))),
            }
        }
        evidence.still_holds(&fresh)
    }

    /// Measures what a run asks for, once.
    fn answer(&mut self, ask: &Ask) {
        let request = &ask.request;
        let known = self.answers.iter().any(|(run, measured)| {
            *run == ask.uid && measured.metric == request.metric.name && measured.ordinal == request.ordinal
        });
        if known {
            return;
        }
        self.measured += 1;
        let measured = Measured {
            metric: request.metric.name.clone(),
            ordinal: request.ordinal,
            started_at: self.now,
            outcome: Outcome::Value(analysis::value::Value::List(vec![analysis::value::Value::Float(
                self.metric,
            )])),
            warnings: Vec::new(),
            samples: None,
            metadata: BTreeMap::new(),
            about: BTreeMap::new(),
        };
        self.answers.push((ask.uid.clone(), measured));
    }

    /// Decides, applies and plays the controllers, again and again, and lets time pass to each wake, until nothing is left to do by `until`.
    pub(super) fn run(&mut self, until: SignedDuration) {
        let end = self.now + until;
        for _ in 0..500 {
            self.play();
            let plan = self.plan();
            if !plan.writes.is_empty() {
                for write in &plan.writes {
                    if !self.apply(write) {
                        break;
                    }
                }
                continue;
            }
            let asked = self.answers.len();
            for ask in &plan.asks {
                self.answer(ask);
            }
            if self.answers.len() > asked {
                continue;
            }
            match plan.wake {
                Wake::At(moment) if moment <= end => {
                    assert!(moment > self.now, "a wake that is due decides something: {plan:?}");
                    self.now = moment;
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("no rest after 500 decisions:\n{}", self.log.join("\n"));
    }
}

fn telling(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sub = &status["canaryStatus"];
    let conditions = status["conditions"].as_array().into_iter().flatten().map(|condition| {
        let [kind, value, reason, message] =
            ["type", "status", "reason", "message"].map(|field| text(&condition[field]));
        format!("\n  {kind}={value} {reason}: {message}")
    });
    format!(
        "{} {} {} next {} {}: {}{}",
        text(&status["phase"]),
        sub["currentStepIndex"],
        text(&sub["currentStepState"]),
        sub["nextStepIndex"],
        text(&sub["finalisingStep"]),
        text(&status["message"]),
        conditions.collect::<String>()
    )
}

fn words(ops: &[Op]) -> String {
    let words = ops.iter().map(|op| match op {
        Op::Add { path, value } | Op::Replace { path, value }
            if path.ends_with("canary-weight") || path.ends_with("replicas") =>
        {
            format!("{}={value}", path.rsplit('/').next().unwrap())
        }
        Op::Add { path, .. } | Op::Replace { path, .. } => path.rsplit(['/', '1']).next().unwrap().to_owned(),
        Op::Remove { path } => format!("-{}", path.rsplit('/').next().unwrap().rsplit("~1").next().unwrap()),
    });
    words.collect::<Vec<_>>().join(",")
}

fn patch(object: &mut Value, ops: &[Op]) {
    let ops: Vec<Value> = ops
        .iter()
        .map(|op| match op {
            Op::Add { path, value } => json!({"op": "add", "path": path, "value": value}),
            Op::Replace { path, value } => json!({"op": "replace", "path": path, "value": value}),
            Op::Remove { path } => json!({"op": "remove", "path": path}),
        })
        .collect();
    let ops: json_patch::Patch = serde_json::from_value(json!(ops)).unwrap();
    json_patch::patch(object, &ops).unwrap();
}

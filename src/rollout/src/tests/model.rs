//! A tiny cluster as a map of objects: it applies plans with their guards and plays the controllers of Deployments, EndpointSlices and
//! ownership at once. Just enough world to check the laws of `plan` without a server.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::admission::{Admission, deployment};
use crate::{Action, Evidence, Guard, Key, Kind, Object, Op, Plan, Propagation, Read, Wake, World, Write, plan};

type Objects = BTreeMap<(Kind, String), Value>;

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) objects: Objects,
    version: u64,
    /// Every write that went through, as a line.
    pub(super) log: Vec<String>,
    /// Pods of these images never become ready.
    pub(super) bad_image: Option<&'static str>,
}

impl Model {
    /// An echoserver of five pods behind an Ingress, and a Rollout with these steps.
    pub(super) fn new(steps: Value) -> Self {
        let mut model = Self::bare();
        model.insert(Kind::Service, json!({"metadata": {"name": "echoserver"}, "spec": {"selector": {"app": "echoserver"}, "ports": [{"port": 80, "nodePort": 30080}], "clusterIP": "10.0.0.1"}}));
        let path = json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "echoserver", "port": {"number": 80}}}});
        model.insert(Kind::Ingress, json!({"metadata": {"name": "echoserver"}, "spec": {"ingressClassName": "nginx", "rules": [{"host": "echo.example.com", "http": {"paths": [path]}}]}}));
        let mut canary = json!({"enableExtraWorkloadForCanary": true, "trafficRoutings": [
            {"service": "echoserver", "gracePeriodSeconds": 3, "ingress": {"name": "echoserver"}}]});
        canary["steps"] = steps;
        let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "echoserver"});
        model.insert(
            Kind::Rollout,
            json!({"metadata": {"name": "rollouts-demo"}, "spec": {"workloadRef": workload, "strategy": {"canary": canary}}}),
        );
        model
    }

    fn bare() -> Self {
        let mut model = Self {
            now: "2026-11-24T08:00:00.25Z".parse().unwrap(),
            objects: BTreeMap::new(),
            version: 0,
            log: Vec::new(),
            bad_image: None,
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
        let old = self.object(Kind::Deployment, "echoserver");
        let mut new = self.get(Kind::Deployment, "echoserver").unwrap().clone();
        new["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        let read: DynamicObject = serde_json::from_value(new.clone()).unwrap();
        let rollouts = self.all(Kind::Rollout);
        let sets = self.all(Kind::ReplicaSet);
        if let Admission::Patched(ops) = deployment(&old, &read, &rollouts, &sets) {
            patch(&mut new, &ops);
        }
        self.edit(Kind::Deployment, "echoserver", |object| *object = new);
    }

    fn object(&self, kind: Kind, name: &str) -> Object {
        Arc::new(serde_json::from_value(self.get(kind, name).unwrap().clone()).unwrap())
    }

    fn all(&self, kind: Kind) -> Vec<Object> {
        let names = self.objects.keys().filter(|(of, _)| *of == kind);
        names.map(|(_, name)| self.object(kind, name)).collect()
    }

    pub(super) fn world(&self) -> World {
        let mut world = World::new(self.now, Key::deployment("default", "echoserver"));
        for kind in Kind::ALL {
            world.extend(kind, self.all(kind));
        }
        world
    }

    pub(super) fn plan(&self) -> Plan {
        plan(&self.world())
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

    /// The controllers of the cluster, at once.
    pub(super) fn play(&mut self) {
        for _ in 0..20 {
            let before = self.objects.clone();
            self.collect();
            for name in self.names(Kind::Deployment) {
                self.roll(&name);
            }
            self.slices();
            if self.objects == before {
                return;
            }
        }
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.objects
            .keys()
            .filter(|(of, _)| *of == kind)
            .map(|(_, name)| name.clone())
            .collect()
    }

    fn collect(&mut self) {
        let uids: Vec<Value> = self
            .objects
            .values()
            .map(|object| object["metadata"]["uid"].clone())
            .collect();
        for ((kind, name), object) in self.objects.clone() {
            let owners = object["metadata"]["ownerReferences"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let orphan = !owners.is_empty() && owners.iter().all(|owner| !uids.contains(&owner["uid"]));
            if orphan && object.pointer("/metadata/deletionTimestamp").is_none() {
                self.delete(kind, &name, Propagation::Background);
            }
        }
    }

    fn owned(&self, uid: &Value) -> Vec<(String, Value)> {
        let sets = self.objects.iter().filter(|((kind, _), _)| *kind == Kind::ReplicaSet);
        let owned = sets.filter(|(_, set)| set["metadata"]["ownerReferences"][0]["uid"] == *uid);
        owned.map(|((_, name), set)| (name.clone(), set.clone())).collect()
    }

    fn roll(&mut self, name: &str) {
        let deployment = self.get(Kind::Deployment, name).unwrap().clone();
        let uid = deployment["metadata"]["uid"].clone();
        let owned = self.owned(&uid);
        if deployment.pointer("/metadata/deletionTimestamp").is_some() {
            let foreground = json!("foregroundDeletion");
            if deployment["metadata"]["finalizers"]
                .as_array()
                .is_some_and(|all| all.contains(&foreground))
            {
                for (set, _) in &owned {
                    self.delete(Kind::ReplicaSet, set, Propagation::Background);
                }
                self.edit(Kind::Deployment, name, |object| {
                    object["metadata"]["finalizers"]
                        .as_array_mut()
                        .unwrap()
                        .retain(|held| *held != foreground);
                });
            }
            return;
        }
        let replicas = deployment["spec"]["replicas"].clone();
        let hash = api::hash::template_revision(&deployment["spec"]["template"]);
        let current = format!("{name}-{hash}");
        let paused = deployment["spec"]["paused"] == json!(true);
        let mut total = 0;
        let mut updated = 0;
        if !paused && self.get(Kind::ReplicaSet, &current).is_none() {
            let mut template = deployment["spec"]["template"].clone();
            template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
            let labels = template["metadata"]["labels"].clone();
            let owner =
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid, "controller": true});
            self.insert(
                Kind::ReplicaSet,
                json!({"metadata": {"name": current, "labels": labels, "ownerReferences": [owner],
                "annotations": {"deployment.kubernetes.io/revision": (owned.len() + 1).to_string()}},
                "spec": {"replicas": replicas, "template": template}}),
            );
        }
        for (set, object) in self.owned(&uid) {
            let wanted = match (paused, set == current) {
                (true, _) if object["spec"]["replicas"] == json!(0) => json!(0),
                (true, _) | (false, true) => replicas.clone(),
                (false, false) => json!(0),
            };
            if object["spec"]["replicas"] != wanted {
                self.edit(Kind::ReplicaSet, &set, |object| {
                    object["spec"]["replicas"] = wanted.clone()
                });
            }
            total += wanted.as_i64().unwrap();
            if set == current {
                updated = wanted.as_i64().unwrap();
            }
        }
        let image = deployment
            .pointer("/spec/template/spec/containers/0/image")
            .and_then(Value::as_str);
        let available = if self.bad_image.is_some() && self.bad_image == image {
            total - updated
        } else {
            total
        };
        let status = json!({"observedGeneration": deployment["metadata"]["generation"], "replicas": total, "updatedReplicas": updated, "availableReplicas": available});
        if deployment["status"] != status {
            self.edit(Kind::Deployment, name, |object| object["status"] = status);
        }
    }

    fn slices(&mut self) {
        for service in self.names(Kind::Service) {
            let object = self.get(Kind::Service, &service).unwrap().clone();
            let selector = object["spec"]["selector"].as_object().cloned().unwrap_or_default();
            let mut endpoints = Vec::new();
            for set in self.names(Kind::ReplicaSet) {
                let set_object = self.get(Kind::ReplicaSet, &set).unwrap();
                let image = set_object
                    .pointer("/spec/template/spec/containers/0/image")
                    .and_then(Value::as_str);
                let bad = self.bad_image.is_some() && self.bad_image == image;
                let labels = &set_object["metadata"]["labels"];
                if !bad && selector.iter().all(|(key, value)| labels.get(key) == Some(value)) {
                    for pod in 0..set_object["spec"]["replicas"].as_i64().unwrap() {
                        endpoints
                            .push(json!({"targetRef": {"uid": format!("{set}-{pod}")}, "conditions": {"ready": true}}));
                    }
                }
            }
            let owner =
                json!({"kind": "Service", "name": service, "uid": object["metadata"]["uid"], "controller": true});
            let name = format!("{service}-1");
            match self.get(Kind::EndpointSlice, &name) {
                None => self.insert(Kind::EndpointSlice, json!({"metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}, "ownerReferences": [owner]}, "endpoints": endpoints})),
                Some(slice) if slice["endpoints"] != json!(endpoints) => {
                    self.edit(Kind::EndpointSlice, &name, |slice| slice["endpoints"] = json!(endpoints));
                }
                Some(_) => {}
            }
        }
    }
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

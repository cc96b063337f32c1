//! The controllers of the model's cluster, played at once: ownership, Deployments, EndpointSlices.

use serde_json::{Value, json};

use super::model::Model;
use crate::{Kind, Propagation};

impl Model {
    /// The controllers of the cluster, at once.
    pub(super) fn play(&mut self) {
        for _ in 0..20 {
            let before = self.objects.clone();
            self.collect();
            for name in self.names(Kind::Deployment) {
                self.roll(&name);
            }
            self.slices();
            if let Some(kind) = self.front.reported() {
                self.report(kind);
            }
            if self.objects == before {
                return;
            }
        }
    }

    /// The gateway tells which generation of the routes it has taken in.
    pub(super) fn report(&mut self, kind: Kind) {
        for name in self.names(kind) {
            let route = self.get(kind, &name).unwrap();
            let told = |about: &str| json!({"type": about, "status": "True", "observedGeneration": route["metadata"]["generation"]});
            let parents =
                json!([{"parentRef": {"name": "door"}, "conditions": [told("Accepted"), told("ResolvedRefs")]}]);
            if route["status"]["parents"] != parents {
                self.edit(kind, &name, |route| route["status"] = json!({"parents": parents}));
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
        let canary = deployment
            .pointer("/metadata/labels/rollouts.kruise.io~1canary-deployment")
            .is_some();
        let available = if canary {
            (available - self.unready_pods).max(0)
        } else {
            available
        };
        let mut status = json!({"observedGeneration": deployment["metadata"]["generation"], "replicas": total, "updatedReplicas": updated, "availableReplicas": available});
        if let Some(message) = self.complaint.filter(|_| available < total) {
            status["conditions"] = json!([
                {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": "no"},
                {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message},
            ]);
        }
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

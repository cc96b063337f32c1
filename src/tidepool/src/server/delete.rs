//! Delete: preconditions, grace, finalizers, propagation.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::create::refusal;
use super::request::{Answer, Answered, Request};
use super::{Page, Server, Target, Verb};
use crate::admission::{Attributes, Operation};
use crate::object;
use crate::status::Status;
use crate::store::{Place, Refused, Stored};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// What deletion does to an object now.
enum Step {
    Remove,
    Mark(Value),
    Nothing,
}

impl Server {
    pub(super) async fn delete(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let place = &target.place;
        if place.name.is_empty() {
            return Err(Status::method_not_allowed());
        }
        let options = &request.options.delete;
        if let Some(propagation) = &options.propagation
            && !["Background", "Foreground", "Orphan"].contains(&propagation.as_str())
        {
            let message = format!(
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: {propagation:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            let mut status = Status::invalid_kind("meta.k8s.io", "DeleteOptions", "", &[]);
            status.message = message;
            return Err(status);
        }
        if self.strategy(&target.kind).kept.contains(&place.name.as_str()) {
            let why = format!("this {} may not be deleted", target.kind.singular);
            return Err(Status::forbidden(&place.storage, &place.name, &why));
        }
        loop {
            let current = self
                .store()
                .get(place)
                .ok_or_else(|| Status::not_found(&place.storage, &place.name))?;
            self.check_preconditions(request, place, &current)?;
            let old = self
                .convert(&target.kind, current.value.clone(), &target.kind.resource.version)
                .await?;
            let mut attributes = Attributes::new(Operation::Delete, request, &target.kind, &place.name);
            self.0.admission.mutate(self, &mut attributes, Some(&old), None).await?;
            self.0
                .admission
                .validate(self, &mut attributes, Some(&old), None)
                .await?;
            let done = match self.step(request, target, &current) {
                _ if request.options.dry_run => Ok((current.clone(), true)),
                Step::Nothing => Ok((current.clone(), false)),
                Step::Remove => self.store().remove(place, current.version).map(|last| (last, true)),
                Step::Mark(value) => self
                    .store()
                    .replace(place, current.version, value)
                    .map(|marked| (marked, false)),
            };
            let (object, gone) = match done {
                Ok(done) => done,
                Err(Refused::Stale) => continue,
                Err(refused) => return Err(refusal(refused, place)),
            };
            if !request.options.dry_run && object.version != current.version {
                self.note_request(request, &object);
            }
            let warnings = std::mem::take(&mut attributes.warnings);
            let answer = if gone && self.strategy(&target.kind).grace.is_none() {
                success(target, &object)
            } else {
                Answer::Object {
                    kind: target.kind.clone(),
                    object,
                    created: false,
                }
            };
            return Ok(Answered { answer, warnings });
        }
    }

    fn check_preconditions(&self, request: &Request, place: &Place, current: &Stored) -> Result<(), Status> {
        let options = &request.options.delete;
        if let Some(uid) = &options.uid
            && *uid != current.uid
        {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                current.uid
            );
            return Err(Status::conflict(&place.storage, &place.name, &why));
        }
        if let Some(version) = &options.resource_version
            && *version != current.version.to_string()
        {
            let why = format!(
                "Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {}",
                current.version
            );
            return Err(Status::conflict(&place.storage, &place.name, &why));
        }
        Ok(())
    }

    fn step(&self, request: &Request, target: &Target, current: &Arc<Stored>) -> Step {
        let options = &request.options.delete;
        let strategy = self.strategy(&target.kind);
        let mut value = current.value.clone();
        let mut finalizers: Vec<Value> = object::items(&value, &["metadata", "finalizers"])
            .iter()
            .filter(|finalizer| {
                // A policy that was asked for takes the place of an earlier one.
                options.propagation.is_none() || (**finalizer != ORPHAN && **finalizer != FOREGROUND)
            })
            .cloned()
            .collect();
        match options.propagation.as_deref() {
            Some("Orphan") => finalizers.push(json!(ORPHAN)),
            Some("Foreground") => finalizers.push(json!(FOREGROUND)),
            _ => {}
        }
        if !object::is_deleting(&value)
            && let Some(cleanup) = strategy.cleanup
            && !finalizers.iter().any(|finalizer| finalizer == cleanup)
        {
            finalizers.push(json!(cleanup));
        }
        let grace = strategy.grace.map_or(0, |grace| grace(&value, options.grace));
        let held = !finalizers.is_empty()
            || (strategy.spec_finalizers && !object::items(&value, &["spec", "finalizers"]).is_empty());
        let deleting = object::is_deleting(&value);
        let running = object::number(&value, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
        if deleting && strategy.grace.is_some() && options.grace.is_none() && grace >= running && running > 0 {
            return Step::Nothing;
        }
        if grace == 0 && !held {
            return Step::Remove;
        }
        let grace = if deleting { grace.min(running) } else { grace };
        let now = self.env().now();
        let metadata = object::entry(&mut value, &["metadata"]);
        if finalizers.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), Value::Array(finalizers));
        }
        if !deleting || grace < running {
            let ends = now
                .checked_add(Duration::from_secs(u64::try_from(grace).unwrap_or(0)))
                .unwrap_or(now);
            metadata.insert("deletionTimestamp".to_owned(), json!(object::seconds(ends)));
            metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
            if strategy.generation {
                let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0) + 1;
                metadata.insert("generation".to_owned(), json!(generation));
            }
        }
        if strategy.spec_finalizers && !deleting {
            object::entry(&mut value, &["status"]).insert("phase".to_owned(), json!("Terminating"));
        }
        if value == current.value {
            Step::Nothing
        } else {
            Step::Mark(value)
        }
    }

    pub(super) async fn delete_collection(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let selector = self.selector(request, target)?;
        let namespace = (!target.place.namespace.is_empty()).then_some(target.place.namespace.as_str());
        let (revision, objects) = self.store().list(&target.place.storage, namespace);
        let mut items = Vec::new();
        for object in objects {
            if !selector.matches(&object.value) {
                continue;
            }
            let mut one = request.clone();
            one.verb = Verb::Delete;
            one.namespace = object::namespace(&object.value).to_owned();
            one.name = object::name(&object.value).to_owned();
            one.options.delete.uid = Some(object.uid.clone());
            let target = Target {
                kind: target.kind.clone(),
                place: Place {
                    storage: target.place.storage.clone(),
                    namespace: one.namespace.clone(),
                    name: one.name.clone(),
                },
            };
            match self.delete(&one, &target).await {
                Ok(_) => items.push(object),
                Err(status) if status.code == 404 || status.code == 409 => {}
                Err(status) => return Err(status),
            }
        }
        Ok(Answered::from(Answer::List {
            kind: target.kind.clone(),
            page: Page {
                revision,
                items,
                continue_from: String::new(),
                remaining: None,
            },
        }))
    }
}

fn success(target: &Target, object: &Stored) -> Answer {
    let mut details = json!({ "name": target.place.name, "kind": target.place.storage.plural, "uid": object.uid });
    if !target.place.storage.group.is_empty() {
        details["group"] = json!(target.place.storage.group);
    }
    Answer::Other {
        object: json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
        }),
        created: false,
    }
}

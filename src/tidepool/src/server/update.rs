//! Update: replacing a stored object, guarded, from a body or from a patch.

use std::sync::Arc;

use serde_json::{Value, json};

use super::create::{refusal, unstored};
use super::refusal::Cause;
use super::request::{Answer, Answered, Request};
use super::strategy::Preparing;
use super::types::TypeInfo;
use super::{Server, Target, apply, meta};
use crate::admission::{Attributes, Operation};
use crate::object;
use crate::status::Status;
use crate::store::{Refused, Stored};

/// How often a write without a guard is tried again when somebody else was faster.
const ATTEMPTS: usize = 5;

/// What a request makes of the object that is there, in the version of the request.
pub(super) type Change<'a> = dyn Fn(&Value, &mut Vec<String>) -> Result<Value, Status> + Send + Sync + 'a;

impl Server {
    pub(super) async fn update(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        if request.name.is_empty() {
            return Err(Status::method_not_allowed());
        }
        let kind = &target.kind;
        let given = object::name(&request.body);
        if given.is_empty() || given != request.name {
            return Err(Status::bad_request(if given.is_empty() {
                "name is required".to_owned()
            } else {
                format!(
                    "the name of the object ({given}) does not match the name on the URL ({})",
                    request.name
                )
            }));
        }
        if self.store().get(&target.place).is_none()
            && self.strategy(kind).create_on_update
            && request.subresource.is_empty()
        {
            let mut create = request.clone();
            create.name = String::new();
            return self.create(&create, target).await;
        }
        let change = |_: &Value, warnings: &mut Vec<String>| {
            let mut body = request.body.clone();
            meta::accept(request, kind, &mut body)?;
            self.shape(request, kind, &mut body, warnings)?;
            Ok(body)
        };
        self.replace(request, target, self.strategy(kind).unconditional_update, &change)
            .await
    }

    /// Replaces the object by what `change` makes of it, again from the start when it was written in between and the change carries no
    /// resourceVersion. `unguarded` says whether it may carry none.
    pub(super) async fn replace(
        &self,
        request: &Request,
        target: &Target,
        unguarded: bool,
        change: &Change<'_>,
    ) -> Result<Answered, Status> {
        let place = &target.place;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let current = self
                .store()
                .get(place)
                .ok_or_else(|| Status::not_found(&place.storage, &place.name))?;
            // A change that carries a resourceVersion fails its own check the second time.
            match self.replace_once(request, target, unguarded, &current, change).await? {
                Ok(answered) => return Ok(answered),
                Err(Refused::Stale) if attempt < ATTEMPTS => {}
                Err(refused) => return Err(refusal(refused, place)),
            }
        }
    }

    async fn replace_once(
        &self,
        request: &Request,
        target: &Target,
        unguarded: bool,
        current: &Arc<Stored>,
        change: &Change<'_>,
    ) -> Result<Result<Answered, Refused>, Status> {
        let (kind, place) = (&target.kind, &target.place);
        let strategy = self.strategy(kind).clone();
        let old = self
            .convert(kind, current.value.clone(), &kind.resource.version)
            .await?;
        let mut warnings = Vec::new();
        let mut new = change(&old, &mut warnings)?;
        let guard = object::text(&new, &["metadata", "resourceVersion"]).to_owned();
        if guard.is_empty() && !unguarded {
            let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
            return Err(Status::invalid(kind, &place.name, &[cause]));
        }
        if !guard.is_empty() && guard != current.version.to_string() {
            return Err(Status::stale(&place.storage, &place.name));
        }
        let uid = object::uid(&new);
        if !uid.is_empty() && uid != current.uid {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                current.uid
            );
            return Err(Status::conflict(&place.storage, &place.name, &why));
        }
        self.restrict(request, target, &old, &mut new);
        self.own(request, kind, Some(&old), &mut new);
        let mut attributes = Attributes::new(Operation::Update, request, kind, &place.name);
        self.0
            .admission
            .mutate(self, &mut attributes, Some(&old), Some(&mut new))
            .await?;
        self.complete(kind, &mut new);
        self.restrict(request, target, &old, &mut new);
        let now = object::seconds(self.env().now());
        let preparing = Preparing {
            old: Some(&old),
            subresource: &request.subresource,
            now: &now,
        };
        for prepare in strategy.prepare {
            prepare(&preparing, &mut new);
        }
        self.allocate(target, &preparing, &place.name, &mut new)?;
        if strategy.generation && (request.subresource != "status") && differs(kind, &old, &new) {
            let generation = object::generation(&old) + 1;
            object::entry(&mut new, &["metadata"]).insert("generation".to_owned(), json!(generation));
        }
        self.verify(target, &preparing, &place.name, &new)?;
        self.0
            .admission
            .validate(self, &mut attributes, Some(&old), Some(&new))
            .await?;
        warnings.append(&mut attributes.warnings);
        let released = meta::is_released(self, kind, &new);
        let new = self.convert(kind, new, &kind.storage_version).await?;
        let object = if request.options.dry_run {
            unstored(new)
        } else if !released && (new == current.value || apply::only_times_differ(&current.value, &new)) {
            current.clone()
        } else {
            let written = if released {
                self.release(target, current, new)
            } else {
                self.store().replace(place, current.version, new)
            };
            match written {
                Ok(stored) => {
                    self.note_request(request, &stored);
                    stored
                }
                Err(refused) => return Ok(Err(refused)),
            }
        };
        let answer = Answer::Object {
            kind: kind.clone(),
            object,
            created: false,
        };
        Ok(Ok(Answered { answer, warnings }))
    }

    /// Removes an object whose last finalizer this write takes off; its last value is the written one.
    fn release(&self, target: &Target, current: &Stored, new: Value) -> Result<Arc<Stored>, Refused> {
        let removed = self.store().remove(&target.place, current.version)?;
        let mut value = new;
        object::entry(&mut value, &["metadata"])
            .insert("resourceVersion".to_owned(), json!(removed.version.to_string()));
        Ok(Arc::new(Stored {
            uid: removed.uid.clone(),
            version: removed.version,
            value,
        }))
    }

    /// Takes from the new value only what may be written through the request's path.
    fn restrict(&self, request: &Request, target: &Target, old: &Value, new: &mut Value) {
        let kind = &target.kind;
        match request.subresource.as_str() {
            "" => {
                if kind.status {
                    put(new, "status", &old["status"]);
                }
                if self.strategy(kind).spec_finalizers {
                    let finalizers = object::at(old, &["spec", "finalizers"]).clone();
                    put_at(new, &["spec"], "finalizers", &finalizers);
                }
            }
            "status" => {
                let status = new["status"].clone();
                let metadata = new["metadata"].clone();
                *new = old.clone();
                put(new, "status", &status);
                if self.strategy(kind).status_metadata {
                    for field in ["annotations", "labels", "finalizers", "managedFields"] {
                        put_at(new, &["metadata"], field, object::at(&metadata, &[field]));
                    }
                } else {
                    put_at(
                        new,
                        &["metadata"],
                        "managedFields",
                        object::at(&metadata, &["managedFields"]),
                    );
                }
                put_at(new, &["metadata"], "name", &metadata["name"]);
            }
            "finalize" => {
                let finalizers = object::at(new, &["spec", "finalizers"]).clone();
                let owners = object::at(new, &["metadata", "managedFields"]).clone();
                *new = old.clone();
                put_at(new, &["spec"], "finalizers", &finalizers);
                put_at(new, &["metadata"], "managedFields", &owners);
            }
            _ => {}
        }
        meta::keep(old, new);
    }

    /// Refuses a value that breaks its schema or its kind's rules.
    pub(super) fn verify(
        &self,
        target: &Target,
        preparing: &Preparing<'_>,
        name: &str,
        new: &Value,
    ) -> Result<(), Status> {
        let mut causes = meta::check(self, target, preparing.old, new);
        causes.extend(self.misfits(&target.kind, new));
        for check in self.strategy(&target.kind).check {
            causes.extend(check(preparing, new));
        }
        if causes.is_empty() {
            Ok(())
        } else {
            Err(Status::invalid(&target.kind, name, &causes))
        }
    }
}

/// Whether anything but metadata and status differs.
fn differs(kind: &TypeInfo, old: &Value, new: &Value) -> bool {
    let rest = |value: &Value| {
        let mut rest = value.as_object().cloned().unwrap_or_default();
        rest.remove("metadata");
        if kind.status || !kind.custom {
            rest.remove("status");
        }
        rest
    };
    rest(old) != rest(new)
}

fn put(value: &mut Value, field: &str, from: &Value) {
    put_at(value, &[], field, from);
}

fn put_at(value: &mut Value, path: &[&str], field: &str, from: &Value) {
    if from.is_null() && object::at(value, path).get(field).is_none() {
        return;
    }
    let map = object::entry(value, path);
    if from.is_null() {
        map.remove(field);
    } else {
        map.insert(field.to_owned(), from.clone());
    }
}

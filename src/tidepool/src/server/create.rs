//! Create: from a body to a stored object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::request::{Answer, Answered, Request};
use super::strategy::{Answering, Preparing};
use super::{Server, Target, meta};
use crate::admission::{Attributes, Operation};
use crate::object;
use crate::resource::NAMESPACES;
use crate::status::Status;
use crate::store::{Place, Refused, Stored};

/// How often a generated name that is taken is drawn again.
const NAME_ATTEMPTS: usize = 8;

impl Server {
    pub(super) async fn create(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        if !request.name.is_empty() {
            return Err(Status::method_not_allowed());
        }
        if let Some(answering) = self.strategy(&target.kind).answering {
            return self.answer_question(request, target, answering);
        }
        let generated = object::name(&request.body).is_empty();
        let mut attempt = 0;
        loop {
            let answer = self.create_once(request, target).await;
            attempt += 1;
            match answer {
                Err(status) if generated && status.reason == "AlreadyExists" && attempt < NAME_ATTEMPTS => {}
                answer => return answer,
            }
        }
    }

    /// Answers a create that stores nothing.
    fn answer_question(&self, request: &Request, target: &Target, answering: Answering) -> Result<Answered, Status> {
        let mut object = request.body.clone();
        let mut warnings = Vec::new();
        meta::accept(request, &target.kind, &mut object)?;
        self.shape(request, &target.kind, &mut object, &mut warnings)?;
        answering(&request.user, &mut object);
        Ok(Answered {
            answer: Answer::Other { object, created: true },
            warnings,
        })
    }

    async fn create_once(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let kind = &target.kind;
        let mut body = request.body.clone();
        meta::accept(request, kind, &mut body)?;
        let mut warnings = Vec::new();
        self.shape(request, kind, &mut body, &mut warnings)?;
        self.create_shaped(request, target, body, warnings).await
    }

    /// Creates an object from a body that has its kind's shape.
    pub(super) async fn create_shaped(
        &self,
        request: &Request,
        target: &Target,
        mut body: Value,
        mut warnings: Vec<String>,
    ) -> Result<Answered, Status> {
        let kind = &target.kind;
        if !object::text(&body, &["metadata", "resourceVersion"]).is_empty() {
            return Err(Status::unforeseen(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        if object::name(&body).is_empty() {
            let prefix = object::text(&body, &["metadata", "generateName"]).to_owned();
            if prefix.is_empty() {
                let cause = super::refusal::Cause::required("metadata.name", "name or generateName is required");
                return Err(Status::invalid(kind, "", &[cause]));
            }
            object::entry(&mut body, &["metadata"]).insert("name".to_owned(), json!(self.generated(&prefix)));
        }
        let name = object::name(&body).to_owned();
        self.check_namespace(target, &name)?;
        let strategy = self.strategy(kind).clone();
        self.stamp(&mut body, strategy.generation);
        if kind.status
            && kind.custom
            && let Some(body) = body.as_object_mut()
        {
            body.remove("status");
        }
        self.own(request, kind, None, &mut body);
        let mut attributes = Attributes::new(Operation::Create, request, kind, &name);
        self.0
            .admission
            .mutate(self, &mut attributes, None, Some(&mut body))
            .await?;
        self.complete(kind, &mut body);
        let now = object::seconds(self.env().now());
        let preparing = Preparing {
            old: None,
            subresource: "",
            now: &now,
        };
        for prepare in strategy.prepare {
            prepare(&preparing, &mut body);
        }
        self.allocate(target, &preparing, &name, &mut body)?;
        self.verify(target, &preparing, &name, &body)?;
        self.0
            .admission
            .validate(self, &mut attributes, None, Some(&body))
            .await?;
        warnings.append(&mut attributes.warnings);
        let body = self.convert(kind, body, &kind.storage_version).await?;
        let place = Place {
            name: name.clone(),
            ..target.place.clone()
        };
        let object = if request.options.dry_run {
            if self.store().get(&place).is_some() {
                return Err(Status::already_exists(&place.storage, &name));
            }
            unstored(body)
        } else {
            let stored = self
                .store()
                .create(&place, body)
                .map_err(|refused| refusal(refused, &place))?;
            self.note_request(request, &stored);
            stored
        };
        Ok(Answered {
            answer: Answer::Object {
                kind: kind.clone(),
                object,
                created: true,
            },
            warnings,
        })
    }

    /// Refuses objects in namespaces that are not there or are going away.
    fn check_namespace(&self, target: &Target, name: &str) -> Result<(), Status> {
        if !target.kind.resource.namespaced {
            return Ok(());
        }
        let place = Place {
            storage: NAMESPACES.storage(),
            namespace: String::new(),
            name: target.place.namespace.clone(),
        };
        let Some(namespace) = self.store().get(&place) else {
            return Err(Status::not_found(&place.storage, &place.name));
        };
        if object::is_deleting(&namespace.value) {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                place.name
            );
            let message = format!("namespace {} is being terminated", place.name);
            return Err(Status::forbidden(&target.place.storage, name, &why).with_cause(
                "NamespaceTerminating",
                &message,
                "metadata.namespace",
            ));
        }
        Ok(())
    }
}

/// An object that a dry run would have written.
pub(super) fn unstored(value: Value) -> Arc<Stored> {
    let version = object::text(&value, &["metadata", "resourceVersion"])
        .parse()
        .unwrap_or_default();
    Arc::new(Stored {
        uid: object::uid(&value).to_owned(),
        version,
        value,
    })
}

pub(super) fn refusal(refused: Refused, place: &Place) -> Status {
    match refused {
        Refused::Exists => Status::already_exists(&place.storage, &place.name),
        Refused::Missing => Status::not_found(&place.storage, &place.name),
        Refused::Stale => Status::stale(&place.storage, &place.name),
    }
}

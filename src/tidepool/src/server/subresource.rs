//! Subresources: status and finalize are views of the object itself, scale and binding are objects of their own.

use serde_json::{Value, json};

use super::request::{Answer, Answered, PatchKind, Request, Verb};
use super::types::Scale;
use super::update::Change;
use super::{Server, Target};
use crate::object;
use crate::status::Status;
use crate::store::Stored;

/// The subresources that are served, beside `scale`; the others are known, and refused.
pub(crate) const SERVED: [&str; 5] = ["binding", "eviction", "finalize", "log", "status"];

impl Server {
    pub(super) async fn subresource(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        if request.name.is_empty() {
            return Err(Status::no_such_path());
        }
        let kind = &target.kind;
        let known = ["status", "scale"].contains(&request.subresource.as_str())
            || kind.subresources.iter().any(|known| known.name == request.subresource);
        if !known {
            return Err(Status::no_such_path());
        }
        match (request.subresource.as_str(), request.verb) {
            ("status", _) if !kind.status => Err(Status::no_such_path()),
            ("status", Verb::Get) => self.get(request, target).await,
            ("status", Verb::Update) => self.update(request, target).await,
            ("status", Verb::Patch(how)) => self.patch(request, target, how).await,
            ("finalize", Verb::Update) if self.strategy(kind).spec_finalizers => self.update(request, target).await,
            ("scale", verb) => match &kind.scale {
                Some(scale) => self.scale(request, target, scale, verb).await,
                None => Err(Status::no_such_path()),
            },
            ("log", Verb::Get) => self.log(request, target),
            ("binding", Verb::Create) => self.bind(request, target).await,
            ("eviction", Verb::Create) => self.evict(request, target).await,
            (name, _) if SERVED.contains(&name) => Err(Status::method_not_allowed()),
            (name, _) => Err(Status::not_implemented(format!(
                "{}/{name} is not served here: behind the objects of this cluster are no processes, files or tokens",
                target.place.storage
            ))),
        }
    }

    async fn scale(&self, request: &Request, target: &Target, scale: &Scale, verb: Verb) -> Result<Answered, Status> {
        let place = &target.place;
        let view = |stored: &Stored| scale_of(scale, &stored.value);
        match verb {
            Verb::Get => {
                let stored = self
                    .store()
                    .get(place)
                    .ok_or_else(|| Status::not_found(&place.storage, &place.name))?;
                Ok(Answered::from(Answer::Other {
                    object: view(&stored),
                    created: false,
                }))
            }
            Verb::Update | Verb::Patch(_) => {
                let change = |old: &Value, _: &mut Vec<String>| {
                    let mut wanted = scale_of(scale, old);
                    match verb {
                        Verb::Patch(PatchKind::Json) => {
                            let patch: json_patch::Patch = serde_json::from_value(request.body.clone())
                                .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
                            json_patch::patch(&mut wanted, &patch)
                                .map_err(|error| Status::unprocessable(&error.to_string()))?;
                        }
                        Verb::Patch(_) if !request.body.is_object() => {
                            return Err(Status::bad_request("Invalid JSON Patch"));
                        }
                        Verb::Patch(_) => json_patch::merge(&mut wanted, &request.body),
                        _ => wanted = request.body.clone(),
                    }
                    let replicas = object::number(&wanted, &["spec", "replicas"]).unwrap_or(0);
                    if replicas < 0 {
                        let cause = super::refusal::Cause::invalid(
                            "spec.replicas",
                            &json!(replicas),
                            "must be greater than or equal to 0",
                        );
                        return Err(Status::invalid_kind("autoscaling", "Scale", &place.name, &[cause]));
                    }
                    let mut new = old.clone();
                    let guard = wanted["metadata"]["resourceVersion"].clone();
                    let metadata = object::entry(&mut new, &["metadata"]);
                    if guard.is_string() {
                        metadata.insert("resourceVersion".to_owned(), guard);
                    } else {
                        metadata.remove("resourceVersion");
                    }
                    set(&mut new, &scale.spec, json!(replicas));
                    Ok(new)
                };
                let change: &Change<'_> = &change;
                let answered = self.replace(request, target, true, change).await?;
                let Answer::Object { object, .. } = &answered.answer else {
                    return Ok(answered);
                };
                Ok(Answered {
                    answer: Answer::Other {
                        object: view(object),
                        created: false,
                    },
                    warnings: answered.warnings,
                })
            }
            _ => Err(Status::method_not_allowed()),
        }
    }

    /// Puts a pod on a node.
    async fn bind(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let node = object::text(&request.body, &["target", "name"]).to_owned();
        let place = &target.place;
        let change = |old: &Value, _: &mut Vec<String>| {
            if !object::text(old, &["spec", "nodeName"]).is_empty() {
                let why = format!(
                    "pod {} is already assigned to node {:?}",
                    place.name,
                    object::text(old, &["spec", "nodeName"])
                );
                return Err(Status::conflict(&place.storage, &place.name, &why));
            }
            let mut new = old.clone();
            object::entry(&mut new, &["spec"]).insert("nodeName".to_owned(), json!(node));
            Ok(new)
        };
        self.replace(request, target, true, &change).await?;
        Ok(Answered::from(Answer::Other {
            object: json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
            created: true,
        }))
    }

    /// Deletes a pod on behalf of somebody who drains a node.
    async fn evict(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let mut delete = request.clone();
        delete.verb = Verb::Delete;
        delete.subresource = String::new();
        delete.options.delete.grace = object::number(&request.body, &["deleteOptions", "gracePeriodSeconds"]);
        self.delete(&delete, target).await?;
        Ok(Answered::from(Answer::Other {
            object: json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
            created: true,
        }))
    }
}

fn scale_of(scale: &Scale, value: &Value) -> Value {
    let number = |path: &str| {
        let path: Vec<&str> = path.split('.').collect();
        object::number(value, &path).unwrap_or(0)
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(known) = value["metadata"].get(field) {
            metadata[field] = known.clone();
        }
    }
    let mut status = json!({ "replicas": number(&scale.status) });
    if let Some(path) = &scale.selector {
        let path: Vec<&str> = path.split('.').collect();
        status["selector"] = json!(selector_text(object::at(value, &path)));
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": { "replicas": number(&scale.spec) }, "status": status,
    })
}

/// A selector in its text form; a text is its own.
fn selector_text(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let labels = object::at(selector, &["matchLabels"]).as_object();
    let pairs = labels.into_iter().flatten();
    let texts: Vec<String> = pairs
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    texts.join(",")
}

fn set(value: &mut Value, path: &str, to: Value) {
    let mut keys: Vec<&str> = path.split('.').collect();
    if let Some(last) = keys.pop() {
        object::entry(value, &keys).insert(last.to_owned(), to);
    }
}

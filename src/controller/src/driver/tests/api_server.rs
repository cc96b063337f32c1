//! A scripted API server: an ordered store behind an HTTP service, whose watches can be held and whose writes can be made to fail.
//!
//! Just enough for the driver: list, watch, get, create, JSON Patch, delete, and discovery of the kinds that come and go. Real semantics are
//! tidepool's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use env::watch;
use env::{Body, HttpService, full, read_all};
use futures::StreamExt;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use parking_lot::Mutex;
use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct ApiServer {
    state: Arc<Mutex<State>>,
    /// The revision up to which watches deliver.
    shown: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct State {
    revision: u64,
    objects: BTreeMap<String, Value>,
    log: Vec<(u64, &'static str, String, Value)>,
    requests: Vec<String>,
    answers: VecDeque<Option<u16>>,
    held: bool,
    /// The collections of groups that are not built in, as far as they are served.
    served: BTreeSet<String>,
    /// The collections that may not be read.
    forbidden: BTreeSet<String>,
    /// How often it was asked what is served.
    asked: usize,
}

impl State {
    /// How a request for what is in `resource` is refused, if it is.
    fn refusal(&self, resource: &str) -> Option<Response<Body>> {
        let ours = ["gateway.networking.k8s.io", "networking.istio.io"];
        let optional = resource.split('/').nth(2).is_some_and(|group| ours.contains(&group));
        if self.forbidden.contains(resource) {
            return Some(status(403, "user \"test\" cannot list resource"));
        }
        (optional && !self.served.contains(resource))
            .then(|| status(404, "the server could not find the requested resource"))
    }

    /// What discovery answers at `path`, if that is what it is for.
    fn discovery(&self, path: &str) -> Option<Response<Body>> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let served = self.served.iter().filter_map(|resource| {
            let mut parts = resource.split('/').skip(2);
            Some((parts.next()?, parts.next()?, parts.next()?))
        });
        match parts.as_slice() {
            ["apis"] => {
                let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
                for (group, version, _) in served {
                    groups.entry(group).or_default().insert(version);
                }
                let version = |group: &str, version: &str| json!({ "groupVersion": format!("{group}/{version}"), "version": version });
                let groups: Vec<Value> = groups
                    .iter()
                    .map(|(group, versions)| {
                        let versions: Vec<Value> = versions.iter().map(|name| version(group, name)).collect();
                        json!({ "name": group, "versions": versions })
                    })
                    .collect();
                Some(reply(
                    200,
                    &json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }),
                ))
            }
            ["apis", group, version] => {
                let resources: Vec<Value> = served
                    .filter(|(of, at, _)| of == group && at == version)
                    .map(|(_, _, plural)| json!({ "name": plural, "singularName": "", "namespaced": true, "kind": plural, "verbs": ["list"] }))
                    .collect();
                if resources.is_empty() {
                    return Some(status(404, "the server could not find the requested resource"));
                }
                let group_version = format!("{group}/{version}");
                Some(reply(
                    200,
                    &json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources }),
                ))
            }
            _ => None,
        }
    }
}

/// `/apis/apps/v1/namespaces/ns/deployments/x` as (`/apis/apps/v1/deployments`, `ns/x`).
fn split(path: &str) -> (String, Option<String>) {
    let Some((prefix, rest)) = path.split_once("/namespaces/") else {
        return (path.to_owned(), None);
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let key = parts.get(2).map(|name| format!("{}/{name}", parts[0]));
    (format!("{prefix}/{}", parts[1]), key)
}

impl ApiServer {
    pub(super) fn new() -> Self {
        Self {
            state: Arc::default(),
            shown: Arc::new(watch::channel(0).0),
        }
    }

    /// Stores an object as somebody else, at `/apis/…/plural`.
    pub(super) fn put(&self, resource: &str, mut object: Value) {
        let mut state = self.state.lock();
        let key = format!(
            "{resource} {}/{}",
            object["metadata"]["namespace"].as_str().expect("a namespace"),
            object["metadata"]["name"].as_str().expect("a name")
        );
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{key}"));
        }
        self.store(&mut state, key, object);
    }

    fn store(&self, state: &mut State, key: String, mut object: Value) -> Value {
        state.revision += 1;
        object["metadata"]["resourceVersion"] = json!(state.revision.to_string());
        let what = if state.objects.contains_key(&key) {
            "MODIFIED"
        } else {
            "ADDED"
        };
        state.log.push((state.revision, what, key.clone(), object.clone()));
        state.objects.insert(key, object.clone());
        self.show(state);
        object
    }

    fn show(&self, state: &State) {
        if !state.held {
            self.shown.send_replace(state.revision);
        }
    }

    /// Watches say nothing from now on, until they are let go.
    pub(super) fn hold_watches(&self, held: bool) {
        let mut state = self.state.lock();
        state.held = held;
        self.show(&state);
    }

    /// The next writes are answered with these codes; `None` lets one through.
    pub(super) fn answer_writes(&self, answers: impl IntoIterator<Item = Option<u16>>) {
        self.state.lock().answers.extend(answers);
    }

    /// Serves the collection `resource` of a group that is not built in, or stops serving it, with all that is in it.
    pub(super) fn serve(&self, resource: &str, served: bool) {
        let mut state = self.state.lock();
        if served {
            state.served.insert(resource.to_owned());
        } else {
            state.served.remove(resource);
            let of = format!("{resource} ");
            state.objects.retain(|key, _| !key.starts_with(&of));
        }
        self.show(&state);
    }

    /// Whether the collection `resource` may be read.
    pub(super) fn allow(&self, resource: &str, allowed: bool) {
        let mut state = self.state.lock();
        if allowed {
            state.forbidden.remove(resource);
        } else {
            state.forbidden.insert(resource.to_owned());
        }
        self.show(&state);
    }

    /// How often it was asked what is served, since the last call.
    pub(super) fn asked(&self) -> usize {
        std::mem::take(&mut self.state.lock().asked)
    }

    /// A stored object, by its collection and `namespace/name`.
    pub(super) fn object(&self, resource: &str, name: &str) -> Value {
        self.state.lock().objects[&format!("{resource} {name}")].clone()
    }

    /// The requests since the last call; watches and discovery left out.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().requests)
    }

    pub(super) fn service(&self) -> HttpService {
        let server = self.clone();
        HttpService::new(move |request| {
            let server = server.clone();
            async move { Ok(server.answer(request).await) }
        })
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = read_all(body, 1 << 20).await.expect("a short body");
        let query = parts.uri.query().unwrap_or_default();
        let path = parts.uri.path().trim_end_matches("/status").to_owned();
        let (resource, name) = split(&path);
        if query.contains("watch=true") {
            let from = query
                .split('&')
                .find_map(|part| part.strip_prefix("resourceVersion=")?.parse().ok())
                .unwrap_or_default();
            return self.watch(resource, from);
        }
        let mut state = self.state.lock();
        if let Some(found) = state.discovery(&path) {
            state.asked += 1;
            return found;
        }
        if resource.ends_with("/events") {
            // Events are nobody's concern here but the log's.
            let note = serde_json::from_slice::<Value>(&body).unwrap_or_default()["message"].to_string();
            state.requests.push(format!("EVENT {note}"));
            return reply(201, &serde_json::from_slice(&body).unwrap_or_default());
        }
        state.requests.push(format!("{} {}", parts.method, parts.uri.path()));
        if parts.method != Method::GET
            && let Some(Some(code)) = state.answers.pop_front()
        {
            return status(code, "scripted");
        }
        if let Some(refusal) = state.refusal(&resource) {
            return refusal;
        }
        let key = format!("{resource} {}", name.clone().unwrap_or_default());
        match (parts.method, name) {
            (Method::GET, None) => {
                let items: Vec<Value> = state
                    .objects
                    .iter()
                    .filter(|(key, _)| key.starts_with(&format!("{resource} ")))
                    .map(|(_, object)| object.clone())
                    .collect();
                let version = state.revision.to_string();
                reply(
                    200,
                    &json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": version }, "items": items }),
                )
            }
            (Method::GET, Some(_)) => match state.objects.get(&key) {
                Some(object) => reply(200, object),
                None => status(404, "not found"),
            },
            (Method::POST, _) => {
                let mut object: Value = serde_json::from_slice(&body).expect("an object");
                let key = format!(
                    "{resource} {}/{}",
                    parts.uri.path().split('/').rev().nth(1).expect("a namespace"),
                    object["metadata"]["name"].as_str().expect("a name")
                );
                if state.objects.contains_key(&key) {
                    return status(409, "already exists");
                }
                object["metadata"]["uid"] = json!(format!("uid-{key}"));
                let stored = self.store(&mut state, key, object);
                reply(201, &stored)
            }
            (Method::PATCH, Some(_)) => {
                let Some(mut object) = state.objects.get(&key).cloned() else {
                    return status(404, "not found");
                };
                let patch: Vec<Value> = serde_json::from_slice(&body).expect("a JSON Patch");
                for op in patch {
                    let path = op["path"].as_str().expect("a path");
                    match op["op"].as_str() {
                        Some("test") if object.pointer(path) != Some(&op["value"]) => {
                            return status(422, "testing value failed");
                        }
                        Some("test") => {}
                        _ => {
                            let (parent, member) = path.rsplit_once('/').expect("a member");
                            object.pointer_mut(parent).expect("a parent")[member] = op["value"].clone();
                        }
                    }
                }
                let stored = self.store(&mut state, key, object);
                reply(200, &stored)
            }
            (Method::DELETE, Some(_)) => {
                let Some(mut object) = state.objects.remove(&key) else {
                    return status(404, "not found");
                };
                state.revision += 1;
                object["metadata"]["resourceVersion"] = json!(state.revision.to_string());
                let entry = (state.revision, "DELETED", key, object);
                state.log.push(entry);
                self.show(&state);
                reply(
                    200,
                    &json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" }),
                )
            }
            _ => status(405, "not scripted"),
        }
    }

    fn watch(&self, resource: String, from: u64) -> Response<Body> {
        let state = self.state.clone();
        if let Some(refusal) = state.lock().refusal(&resource) {
            return refusal;
        }
        let lines = futures::stream::unfold((from, self.shown.subscribe()), move |(seen, mut shown)| {
            let (state, resource) = (state.clone(), resource.clone());
            async move {
                loop {
                    let until = *shown.borrow_and_update();
                    if state.lock().refusal(&resource).is_some() {
                        return None;
                    }
                    let next = state
                        .lock()
                        .log
                        .iter()
                        .find(|(revision, _, key, _)| {
                            *revision > seen && *revision <= until && key.starts_with(&format!("{resource} "))
                        })
                        .cloned();
                    if let Some((revision, what, _, object)) = next {
                        let line = format!("{}\n", json!({ "type": what, "object": object }));
                        let frame: Result<_, env::BoxError> = Ok(Frame::data(Bytes::from(line)));
                        return Some((frame, (revision, shown)));
                    }
                    shown.changed().await.ok()?;
                }
            }
        });
        Response::new(StreamBody::new(lines.boxed()).boxed_unsync())
    }
}

fn reply(code: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(full(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).expect("a status code");
    response
}

fn status(code: u16, message: &str) -> Response<Body> {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        _ => "",
    };
    reply(
        code,
        &json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message }),
    )
}

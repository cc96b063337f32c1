//! Events: the notes of a plan, as `v1` Events that `kubectl describe` and `kubectl events` show.
//!
//! Best effort: an Event that cannot be written is forgotten, and that none may be written is told to the caller. Names are computed from what an Event says about whom, so that the
//! same note again counts up instead of adding one more.

use std::time::Duration;

use env::Env;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, ObjectMeta, PostParams};
use rollout::{EventNote, EventType, World};
use sha2::{Digest, Sha256};
use tracing::debug;

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Who reports.
const COMPONENT: &str = "rollout-controller";
/// The longest message that an Event may have.
const LONGEST_MESSAGE: usize = 1024;

/// Turns the notes of a decision on `world` into Events. The object that a note is about gives uid and version.
pub(crate) fn compose(world: &World, notes: &[EventNote], instance: &str) -> Vec<Event> {
    let now = Time(world.now);
    notes
        .iter()
        .map(|note| {
            let target = &note.regarding;
            let about = world
                .of_kind(target.kind)
                .iter()
                .find(|object| object.metadata.name.as_deref() == Some(target.name.as_str()));
            let uid = about.and_then(|about| about.metadata.uid.clone());
            // The version that it was read in, which need not be the preferred one.
            let read = about.and_then(|about| about.types.as_ref());
            let api_version = read.map_or_else(|| target.kind.gvk().api_version(), |types| types.api_version.clone());
            let message: String = note.message.chars().take(LONGEST_MESSAGE).collect();
            Event {
                metadata: ObjectMeta {
                    name: Some(name(&target.name, uid.as_deref(), note)),
                    namespace: Some(target.namespace.clone()),
                    ..ObjectMeta::default()
                },
                involved_object: ObjectReference {
                    api_version: Some(api_version),
                    kind: Some(target.kind.name().to_owned()),
                    name: Some(target.name.clone()),
                    namespace: Some(target.namespace.clone()),
                    resource_version: about.and_then(|about| about.metadata.resource_version.clone()),
                    uid,
                    field_path: None,
                },
                type_: Some(type_name(note.event_type).to_owned()),
                reason: Some(note.reason.to_owned()),
                message: Some(message),
                count: Some(1),
                first_timestamp: Some(now.clone()),
                last_timestamp: Some(now.clone()),
                source: Some(EventSource {
                    component: Some(COMPONENT.to_owned()),
                    host: None,
                }),
                reporting_component: Some(COMPONENT.to_owned()),
                reporting_instance: Some(instance.to_owned()),
                ..Event::default()
            }
        })
        .collect()
}

/// What became of some Events.
#[derive(Debug)]
pub(crate) enum Published {
    /// There were none, or they were lost on the way.
    Nothing,
    /// At least one was written, and none was refused.
    All,
    /// This account may not write them: what the API server said, and what to do.
    Refused(String),
}

/// Publishes `events`, one after the other.
pub(crate) async fn publish(env: &Env, client: kube::Client, events: Vec<Event>) -> Published {
    let mut published = Published::Nothing;
    for event in events {
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        match env.clock().timeout(LIMIT, one(&api, &event)).await {
            Ok(Ok(())) => published = Published::All,
            // Authorisers say `cannot <verb> resource`; a namespace that is going has other words.
            Ok(Err(kube::Error::Api(status))) if status.code == 403 && status.message.contains(" cannot ") => {
                return Published::Refused(format!(
                    "write Events: {}; releases go on without them; give the controller's account this right, \
                     `tidegate manifests` lists what it needs",
                    status.message
                ));
            }
            Ok(Err(error)) => debug!(%error, message = event.message, "event not written"),
            Err(elapsed) => debug!(%elapsed, message = event.message, "event not written"),
        }
    }
    published
}

async fn one(api: &Api<Event>, event: &Event) -> Result<(), kube::Error> {
    let params = PostParams {
        field_manager: Some(api::names::FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    match api.create(&params, event).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        created => return created.map(|_| ()),
    }
    let name = event.metadata.name.as_deref().unwrap_or_default();
    let Some(mut seen) = api.get_opt(name).await? else {
        return Ok(());
    };
    seen.count = Some(seen.count.unwrap_or(1).saturating_add(1));
    seen.last_timestamp = event.last_timestamp.clone();
    match api.replace(name, &params, &seen).await {
        // Another count came between; the note is there.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        replaced => replaced.map(|_| ()),
    }
}

fn type_name(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    }
}

/// `<object>.<16 hex digits of what is said about it>`.
fn name(object: &str, uid: Option<&str>, note: &EventNote) -> String {
    let mut hash = Sha256::new();
    for part in [
        uid.unwrap_or_default(),
        type_name(note.event_type),
        note.reason,
        &note.message,
    ] {
        hash.update(part);
        hash.update([0]);
    }
    let digits: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let object: String = object.chars().take(230).collect();
    format!("{object}.{digits}")
}

//! The end of a type: when its definition is deleted, its objects are deleted first, then the definition lets go.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::object;
use crate::resource::DEFINITIONS;
use crate::server::strategy::CLEANUP;
use crate::server::{Request, Server, User, Verb};
use crate::store::Stored;

/// Cleans up after definitions that are being deleted, until the server closes.
pub(super) async fn run(server: Server) {
    let user = User::named("system:apiserver");
    let (mut changes, mut closing) = (server.store().changes(), server.closing());
    loop {
        if *closing.borrow() {
            return;
        }
        changes.mark_unchanged();
        for definition in terminating(&server) {
            finish(&server, &user, &definition).await;
        }
        tokio::select! {
            biased;
            moved = changes.changed() => if moved.is_err() { return; },
            _ = closing.changed() => return,
        }
    }
}

fn terminating(server: &Server) -> Vec<Arc<Stored>> {
    let (_, mut definitions) = server.store().list(&DEFINITIONS.storage(), None);
    definitions.retain(|definition| {
        object::is_deleting(&definition.value)
            && object::items(&definition.value, &["metadata", "finalizers"]).contains(&json!(CLEANUP))
    });
    definitions
}

async fn finish(server: &Server, user: &User, definition: &Stored) {
    let name = object::name(&definition.value);
    let kind = server
        .types()
        .all()
        .into_iter()
        .find(|kind| kind.custom && kind.resource.storage().to_string() == name);
    if let Some(kind) = kind {
        let request = Request::new(Verb::DeleteCollection, &kind.resource, user.clone());
        if let Err(status) = server.call(request).await {
            tracing::warn!(definition = name, error = %status, "objects of a type that goes away stay");
        }
        if !server.store().list(&kind.resource.storage(), None).1.is_empty() {
            return;
        }
    }
    let mut request = Request::new(Verb::Update, &DEFINITIONS, user.clone());
    name.clone_into(&mut request.name);
    request.body = definition.value.clone();
    let finalizers: Vec<Value> = object::items(&request.body, &["metadata", "finalizers"])
        .iter()
        .filter(|finalizer| **finalizer != CLEANUP)
        .cloned()
        .collect();
    object::entry(&mut request.body, &["metadata"]).insert("finalizers".to_owned(), Value::Array(finalizers));
    if let Err(status) = server.call(request).await
        && status.code != 404
        && status.code != 409
    {
        tracing::warn!(definition = name, error = %status, "a definition without objects stays");
    }
}

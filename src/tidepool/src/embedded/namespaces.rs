//! The end of a namespace: its content is deleted, and when nothing is left the namespace lets go of its own finalizer.
//!
//! Works on all types by discovery, as the real controller does; knows none by name but the namespace itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::object;
use crate::resource::{NAMESPACES, StorageName};
use crate::server::{Request, Server, TypeInfo, User, Verb};
use crate::store::Stored;

/// How long the controller takes to notice that a namespace is going away: least and most.
const LAG: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// Empties namespaces that are being deleted, until the server closes.
pub(super) async fn run(server: Server) {
    let user = User::named("system:serviceaccount:kube-system:namespace-controller");
    let chance = server.env().chance("namespace-controller");
    let (mut changes, mut closing) = (server.store().changes(), server.closing());
    loop {
        if *closing.borrow() {
            return;
        }
        changes.mark_unchanged();
        for namespace in terminating(&server) {
            server.env().sleep(chance.duration(LAG.0, LAG.1)).await;
            finish(&server, &user, &namespace).await;
        }
        tokio::select! {
            biased;
            moved = changes.changed() => if moved.is_err() { return; },
            _ = closing.changed() => return,
        }
    }
}

fn terminating(server: &Server) -> Vec<Arc<Stored>> {
    let (_, mut namespaces) = server.store().list(&NAMESPACES.storage(), None);
    namespaces.retain(|namespace| {
        object::is_deleting(&namespace.value) && !object::items(&namespace.value, &["spec", "finalizers"]).is_empty()
    });
    namespaces
}

async fn finish(server: &Server, user: &User, namespace: &Stored) {
    let name = object::name(&namespace.value);
    for kind in content(server, name) {
        let mut request = Request::new(Verb::DeleteCollection, &kind.resource, user.clone());
        name.clone_into(&mut request.namespace);
        if let Err(status) = server.call(request).await {
            tracing::warn!(namespace = name, resource = %kind.resource.storage(), error = %status, "content of a namespace stays");
        }
    }
    let left = content(server, name);
    let mut request = Request::new(Verb::Update, &NAMESPACES, user.clone());
    name.clone_into(&mut request.name);
    request.body = namespace.value.clone();
    if let Some(metadata) = request.body["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    if left.is_empty() {
        "finalize".clone_into(&mut request.subresource);
        object::entry(&mut request.body, &["spec"]).insert("finalizers".to_owned(), json!([]));
    } else {
        "status".clone_into(&mut request.subresource);
        let conditions = conditions(server, &namespace.value, &left);
        object::entry(&mut request.body, &["status"]).insert("conditions".to_owned(), conditions);
    }
    if let Err(status) = server.call(request).await
        && status.code != 404
    {
        tracing::warn!(namespace = name, error = %status, "a namespace that is empty stays");
    }
}

/// The types of which a namespace holds anything, one version of each.
fn content(server: &Server, namespace: &str) -> Vec<Arc<TypeInfo>> {
    let held: BTreeSet<StorageName> = server
        .store()
        .collections()
        .into_iter()
        .filter(|storage| !server.store().list(storage, Some(namespace)).1.is_empty())
        .collect();
    let types = server.types().all().into_iter();
    types
        .filter(|kind| {
            kind.resource.namespaced
                && kind.resource.version == kind.storage_version
                && held.contains(&kind.resource.storage())
        })
        .collect()
}

fn conditions(server: &Server, namespace: &Value, left: &[Arc<TypeInfo>]) -> Value {
    let names: Vec<String> = left.iter().map(|kind| kind.resource.storage().to_string()).collect();
    let message = format!("Some resources are remaining: {}", names.join(", "));
    let old = object::items(namespace, &["status", "conditions"]);
    if let Some(same) = old.iter().find(|condition| condition["message"] == json!(message)) {
        return json!([same]);
    }
    json!([{
        "type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain", "message": message,
        "lastTransitionTime": object::seconds(server.env().now()),
    }])
}

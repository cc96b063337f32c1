//! Tells each scenario's namespace that something in it changed, from one watch per kind over the whole cluster. Used by [`super::ground`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, watch};
use futures::{StreamExt, pin_mut};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt};
use parking_lot::Mutex;
use tokio::task::JoinSet;

/// How long to wait before a broken watch is begun again.
const RETRY: Duration = Duration::from_secs(1);

/// What scenarios wait for: a change of one of these lets them look again.
const WATCHED: [(&str, &str, &str, &str); 6] = [
    ("", "v1", "Pod", "pods"),
    ("", "v1", "Service", "services"),
    ("apps", "v1", "Deployment", "deployments"),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    ("networking.k8s.io", "v1", "Ingress", "ingresses"),
    ("rollouts.kruise.io", "v1beta1", "Rollout", "rollouts"),
];

/// The namespaces that somebody follows. Clones are the same set.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed(Arc<Mutex<BTreeMap<String, watch::Sender<u64>>>>);

impl Followed {
    /// Follows a namespace from now on.
    pub(super) fn begin(&self, namespace: &str) -> watch::Receiver<u64> {
        let mut followed = self.0.lock();
        let sender = followed
            .entry(namespace.to_owned())
            .or_insert_with(|| watch::Sender::new(0));
        sender.subscribe()
    }

    /// Follows it no more.
    pub(super) fn end(&self, namespace: &str) {
        self.0.lock().remove(namespace);
    }

    fn tell(&self, namespace: &str) {
        if let Some(changes) = self.0.lock().get(namespace) {
            let next = changes.borrow().wrapping_add(1);
            changes.send_replace(next);
        }
    }
}

/// Watches until the tasks are dropped.
pub(super) fn start(env: &Env, client: &Client, followed: &Followed, tasks: &mut JoinSet<()>) {
    for (group, version, kind, plural) in WATCHED {
        let kind = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, plural);
        tasks.spawn(follow(env.clone(), client.clone(), resource, followed.clone()));
    }
}

async fn follow(env: Env, client: Client, resource: ApiResource, followed: Followed) {
    let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client, &resource);
    let events = watcher::watcher(api, watcher::Config::default());
    pin_mut!(events);
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::Delete(object)) => {
                followed.tell(&object.namespace().unwrap_or_default());
            }
            Ok(Event::Init | Event::InitApply(_) | Event::InitDone) => {}
            // Scenarios look again now and then without being told, too.
            Err(error) => {
                tracing::debug!(%error, kind = resource.kind, "watch the cluster");
                env.sleep(RETRY).await;
            }
        }
    }
}

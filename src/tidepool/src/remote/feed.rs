//! One task for each cached collection, which lists and watches it; and one that starts them as collections are wanted.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use futures::StreamExt;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::TypeMeta;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::task::JoinSet;

use super::cache::Cache;
use super::discovery;
use crate::resource::{DEFINITIONS, Resource};

/// How soon a list or watch that failed is tried again, doubled for each further failure.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Starts a feed for each collection that is wanted, now or later. Never ends by itself.
pub(super) async fn keep(env: Env, client: kube::Client, cache: Arc<Cache>) {
    let mut feeds = JoinSet::new();
    let mut fed = BTreeSet::new();
    let mut wanted = cache.wanted();
    loop {
        let new: Vec<Resource> = wanted.borrow_and_update().difference(&fed).cloned().collect();
        for resource in new {
            fed.insert(resource.clone());
            feeds.spawn(feed(env.clone(), client.clone(), cache.clone(), resource));
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

async fn feed(env: Env, client: kube::Client, cache: Arc<Cache>, resource: Resource) {
    let api_resource = ApiResource {
        group: resource.group.to_string(),
        version: resource.version.to_string(),
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
        plural: resource.plural.to_string(),
    };
    let types = TypeMeta {
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
    };
    let collection = resource.storage();
    let chance = env.chance(&format!("remote/{collection}"));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &api_resource);
    let mut events = pin!(watcher::watcher(api, watcher::Config::default()));
    let mut list: Vec<Value> = Vec::new();
    let mut failures: u32 = 0;
    while let Some(event) = events.next().await {
        let mut is_news = true;
        match event {
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%collection, %error, "watch failed, trying again");
                }
                let most = FIRST_RETRY.saturating_mul(1 << failures.min(10)).min(LAST_RETRY);
                failures = failures.saturating_add(1);
                env.sleep(chance.duration(most / 2, most)).await;
                continue;
            }
            Ok(Event::Init) => {
                list.clear();
                cache.list_begins(&resource);
                is_news = false;
            }
            Ok(Event::InitApply(object)) => {
                list.extend(value(object, &types));
                is_news = false;
            }
            Ok(Event::InitDone) => cache.listed(&resource, std::mem::take(&mut list)),
            Ok(Event::Apply(object)) => {
                if let Some(value) = value(object, &types) {
                    cache.applied(&resource, value);
                }
            }
            Ok(Event::Delete(object)) => {
                if let Some(value) = value(object, &types) {
                    cache.deleted(&resource, value);
                }
            }
        }
        failures = 0;
        if resource == DEFINITIONS && is_news {
            learn(&client, &cache).await;
        }
    }
}

/// Reads anew what is served; whoever watches everything watches that as well.
async fn learn(client: &kube::Client, cache: &Cache) {
    match discovery::read(client).await {
        Ok(served) => {
            cache.set_served(served);
            cache.want_what_is_new();
        }
        Err(error) => tracing::warn!(%error, "what the API server serves could not be read"),
    }
}

/// An object as a tree. Items of a list come without their kind.
fn value(mut object: DynamicObject, types: &TypeMeta) -> Option<Value> {
    object.types = Some(types.clone());
    serde_json::to_value(object).ok()
}

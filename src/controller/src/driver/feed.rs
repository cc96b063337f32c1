//! One watch per kind: a task that turns kube's `watcher()` into deliveries, with a backoff of our own.
//!
//! The only thing it knows is where to send them. A list is sent as one delivery when it is complete, so that the caches never show half of it.

use std::time::Duration;

use env::{Env, Moment};
use futures::{StreamExt, pin_mut};
use kube::api::{Api, DynamicObject};
use kube::core::TypeMeta;
use kube::runtime::watcher::{self, Event};
use rollout::Kind;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::cache::Delivery;
use crate::explain::explain_watch;
use crate::telemetry::Telemetry;

/// After this time without a failure the next one is a first one again. Longer than a try may take.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Watches `kind` in all namespaces until the receiver is gone or the task is stopped.
pub(crate) async fn feed(
    env: Env,
    client: kube::Client,
    kind: Kind,
    deliveries: mpsc::Sender<(Kind, Delivery)>,
    telemetry: Telemetry,
) {
    let resource = kind.api_resource();
    let name = resource.plural.as_str();
    let types = TypeMeta {
        api_version: resource.api_version.clone(),
        kind: resource.kind.clone(),
    };
    // Items of a list come without their kind.
    let typed = |mut object: DynamicObject| {
        object.types = Some(types.clone());
        object
    };
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let chance = env.chance(&format!("watch/{}", name));
    let events = watcher::watcher(api, watcher::Config::default());
    pin_mut!(events);
    let (mut failures, mut failed) = (0, Moment::default());
    let mut list: Vec<DynamicObject> = Vec::new();
    let mut began = Moment::default();
    while let Some(event) = events.next().await {
        let delivery = match event {
            Ok(Event::Init) => {
                list.clear();
                began = env.clock().elapsed();
                continue;
            }
            Ok(Event::InitApply(object)) => {
                list.push(typed(object));
                continue;
            }
            Ok(Event::InitDone) => {
                debug!(kind = name, objects = list.len(), "listed");
                Delivery::Replaced {
                    objects: std::mem::take(&mut list),
                    began,
                }
            }
            Ok(Event::Apply(object)) => Delivery::Applied(typed(object)),
            Ok(Event::Delete(object)) => Delivery::Deleted(typed(object)),
            // The server has forgotten the version that the watch stood at, as it does after a while: a new list follows.
            Err(watcher::Error::WatchError(status)) if status.code == 410 => {
                debug!(kind = name, message = status.message, "watch expired, listing anew");
                env.sleep(Backoff::WATCH.delay(0, &chance)).await;
                continue;
            }
            Err(error) => {
                telemetry.watch_failed(name);
                // A watch that is back says so only when something happens; one that has been silent for long enough was back.
                let now = env.clock().elapsed();
                if now.since(failed) > FORGOTTEN {
                    failures = 0;
                }
                failed = now;
                let delay = Backoff::WATCH.delay(failures, &chance);
                // One line when a watch begins to fail; a control plane that is away for an hour must not fill the log.
                if failures == 0 {
                    let advice = advice(&error);
                    warn!(
                        kind = name,
                        error = explain_watch(&error),
                        "watch failed, trying again{advice}"
                    );
                } else {
                    debug!(
                        kind = name,
                        error = explain_watch(&error),
                        failures,
                        "watch still fails"
                    );
                }
                failures = failures.saturating_add(1);
                env.sleep(delay).await;
                continue;
            }
        };
        if failures > 0 {
            info!(kind = name, "watching again");
            failures = 0;
        }
        if deliveries.send((kind, delivery)).await.is_err() {
            return;
        }
    }
}

/// What to do about a watch that fails, where it is known.
fn advice(error: &watcher::Error) -> &'static str {
    use watcher::Error as Watch;
    let code = match error {
        Watch::InitialListFailed(kube::Error::Api(status))
        | Watch::WatchStartFailed(kube::Error::Api(status))
        | Watch::WatchError(status) => status.code,
        _ => return "",
    };
    match code {
        403 => "; give the controller's account the rights that `tidegate manifests` lists",
        404 => "; the API server does not know the kind, run once with --install",
        _ => "",
    }
}

//! One feed per kind: a task that turns kube's `watcher()` into deliveries, with a backoff of our own.
//!
//! The only thing it knows is where to send them. A list is sent as one delivery when it is complete, so that the caches never show half of it.
//! A kind that the cluster may do without is looked for first, in a calm rhythm, and again when the API server does not know it any more.

use std::time::Duration;

use env::{Chance, Env, Moment};
use futures::{StreamExt, pin_mut};
use kube::api::{Api, DynamicObject};
use kube::core::TypeMeta;
use kube::runtime::watcher::{self, Event};
use rollout::Kind;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use super::backoff::{Backoff, Trouble};
use super::cache::{Delivery, Failure};
use super::served::served;
use crate::explain::{explain, explain_watch};
use crate::telemetry::Telemetry;

/// How often a kind that is not served is looked for.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How long the API server may take to say what it serves.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Nobody takes deliveries any more: the task has nothing left to do.
struct Closed;

/// What one feed needs and remembers.
struct Feed {
    env: Env,
    client: kube::Client,
    kind: Kind,
    deliveries: mpsc::Sender<(Kind, Delivery)>,
    telemetry: Telemetry,
    chance: Chance,
    trouble: Trouble,
    /// Whether the caches have been told that the kind may not be read.
    refused: bool,
}

/// Feeds the objects of `kind` in all namespaces until the receiver is gone or the task is stopped.
pub(crate) async fn feed(
    env: Env,
    client: kube::Client,
    kind: Kind,
    deliveries: mpsc::Sender<(Kind, Delivery)>,
    telemetry: Telemetry,
) {
    let mut feed = Feed {
        chance: env.chance(&format!("watch/{}", kind.plural())),
        env,
        client,
        kind,
        deliveries,
        telemetry,
        trouble: Trouble::default(),
        refused: false,
    };
    loop {
        let version = if kind.optional() {
            feed.look().await
        } else {
            Ok(kind.preferred())
        };
        let over = match version {
            Ok(version) => feed.watch(version).await,
            Err(closed) => Err(closed),
        };
        if let Err(Closed) = over {
            return;
        }
    }
}

impl Feed {
    fn now(&self) -> Moment {
        self.env.clock().elapsed()
    }

    async fn send(&self, delivery: Delivery) -> Result<(), Closed> {
        let sent = self.deliveries.send((self.kind, delivery)).await;
        sent.map_err(|_| Closed)
    }

    /// Looks for the kind until the API server serves it, and says in which version.
    async fn look(&mut self) -> Result<&'static str, Closed> {
        let kind = self.kind.plural();
        let mut absent = false;
        loop {
            let began = self.now();
            let asked = self.env.clock().timeout(LOOK_LIMIT, served(&self.client, self.kind));
            match asked.await {
                Ok(Ok(Some(version))) => {
                    if absent {
                        info!(kind, version, "the API server serves this kind from now on");
                    }
                    return Ok(version);
                }
                Ok(Ok(None)) => {
                    self.trouble = Trouble::default();
                    self.refused = false;
                    if !absent {
                        absent = true;
                        info!(
                            kind,
                            "the API server does not serve this kind, looking for it every {} s",
                            LOOK_AGAIN.as_secs()
                        );
                        self.send(Delivery::Unserved { began }).await?;
                    }
                    self.env.sleep(LOOK_AGAIN).await;
                }
                Ok(Err(kube::Error::Api(status))) if status.code == 403 => {
                    absent = false;
                    self.refuse(&format!("discovery: {}", status.message)).await?;
                }
                Ok(Err(error)) => {
                    let code = match &error {
                        kube::Error::Api(status) => Some(status.code),
                        _ => None,
                    };
                    self.fail(&format!("discovery: {}", explain(&error)), code).await?;
                }
                Err(elapsed) => self.fail(&format!("discovery: {elapsed}"), None).await?,
            }
        }
    }

    /// Watches the kind in `version` until the API server does not know it any more.
    async fn watch(&mut self, version: &'static str) -> Result<(), Closed> {
        let resource = self.kind.api_resource_in(version);
        let types = TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        };
        // Items of a list come without their kind.
        let typed = |mut object: DynamicObject| {
            object.types = Some(types.clone());
            object
        };
        let kind = self.kind.plural();
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let events = watcher::watcher(api, watcher::Config::default());
        pin_mut!(events);
        let mut list: Vec<DynamicObject> = Vec::new();
        let mut began = Moment::default();
        while let Some(event) = events.next().await {
            let delivery = match event {
                Ok(Event::Init) => {
                    list.clear();
                    began = self.now();
                    continue;
                }
                Ok(Event::InitApply(object)) => {
                    list.push(typed(object));
                    continue;
                }
                Ok(Event::InitDone) => {
                    debug!(kind, version, objects = list.len(), "listed");
                    Delivery::Replaced {
                        objects: std::mem::take(&mut list),
                        began,
                        version,
                    }
                }
                Ok(Event::Apply(object)) => Delivery::Applied(typed(object)),
                Ok(Event::Delete(object)) => Delivery::Deleted(typed(object)),
                // The server has forgotten the version that the watch stood at, as it does after a while: a new list follows.
                Err(watcher::Error::WatchError(status)) if status.code == 410 => {
                    debug!(kind, message = status.message, "watch expired, listing anew");
                    self.env.sleep(Backoff::WATCH.delay(0, &self.chance)).await;
                    continue;
                }
                Err(error) => {
                    match code(&error) {
                        Some(404) if self.kind.optional() => {
                            debug!(kind, version, "not known any more, looking for it");
                            let delay = Backoff::WATCH.delay(self.trouble.next(self.now()), &self.chance);
                            self.env.sleep(delay).await;
                            return Ok(());
                        }
                        Some(403) if self.kind.optional() => self.refuse(&explain_watch(&error)).await?,
                        code => self.fail(&explain_watch(&error), code).await?,
                    }
                    continue;
                }
            };
            self.recovered();
            self.send(delivery).await?;
        }
        Ok(())
    }

    /// It did not work, and the API server answered with `code` if it did: says what the API server refuses when it begins to, and waits for a
    /// while. An API server that is away is the driver's to tell, once for all kinds.
    async fn fail(&mut self, error: &str, code: Option<u16>) -> Result<(), Closed> {
        let kind = self.kind.plural();
        self.telemetry.watch_failed(kind);
        let failures = self.trouble.next(self.now());
        let failure = match code {
            None | Some(429 | 500..) => Failure::Unanswered(format!("{kind}: {error}")),
            Some(_) => Failure::Refused,
        };
        if failure == Failure::Refused && failures == 0 {
            warn!(kind, error, "watch failed, trying again{}", advice(code));
        } else {
            debug!(kind, error, failures, "watch failed, trying again");
        }
        self.send(Delivery::Failed(failure)).await?;
        self.env.sleep(Backoff::WATCH.delay(failures, &self.chance)).await;
        Ok(())
    }

    /// This account may not read the kind. The rest goes on without it; what needs it waits.
    async fn refuse(&mut self, error: &str) -> Result<(), Closed> {
        let kind = self.kind.plural();
        self.telemetry.watch_failed(kind);
        let failures = self.trouble.next(self.now());
        if self.refused {
            debug!(kind, error, failures, "still not allowed");
            self.send(Delivery::Failed(Failure::Refused)).await?;
        } else {
            self.refused = true;
            warn!(
                kind,
                error,
                "not allowed to read this kind, trying again{}",
                advice(Some(403))
            );
            let why = error.to_owned();
            self.send(Delivery::Unreadable { why }).await?;
        }
        self.env.sleep(Backoff::REFUSED.delay(failures, &self.chance)).await;
        Ok(())
    }

    fn recovered(&mut self) {
        if self.trouble.over() || self.refused {
            self.refused = false;
            debug!(kind = self.kind.plural(), "watching again");
        }
    }
}

/// The code of the API server's refusal, if it is one.
fn code(error: &watcher::Error) -> Option<u16> {
    use watcher::Error as Watch;
    match error {
        Watch::InitialListFailed(kube::Error::Api(status))
        | Watch::WatchStartFailed(kube::Error::Api(status))
        | Watch::WatchError(status) => Some(status.code),
        _ => None,
    }
}

/// What to do about a watch that fails, where it is known.
fn advice(code: Option<u16>) -> &'static str {
    match code {
        Some(403) => "; give the controller's account the rights that `tidegate manifests` lists",
        Some(404) => "; the API server does not know the kind, run once with --install",
        _ => "",
    }
}

//! One work queue for all controllers: keyed, without duplicates, in a fixed order, on the cluster's clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use futures::future::BoxFuture;

use crate::cluster::{Cluster, Delivered};
use crate::object;
use crate::resource::Resource;
use crate::status::Status;

/// How soon a reconcile that lost a race is tried again, doubled for each further failure.
const FIRST_RETRY: Duration = Duration::from_millis(5);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Namespace and name of what is reconciled.
pub(crate) type Key = (String, String);

/// One controller.
pub(crate) trait Controller: Send + Sync + 'static {
    /// What it watches.
    fn watched(&self) -> Vec<Resource>;

    /// How long after a change it acts: the lag of a real one. Drawn once per change.
    fn lag(&self) -> (Duration, Duration) {
        (Duration::ZERO, Duration::ZERO)
    }

    /// What a change concerns.
    fn keys(&self, cluster: &dyn Cluster, delivered: &Delivered) -> Vec<Key>;

    /// Brings one object nearer to what is wanted; the answer is when to look again by itself.
    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>>;
}

/// The key of a controller that watches its own kind first and then what that kind controls: the object itself, or its controller when that is of
/// `kind`.
pub(super) fn keys_of_owner(delivered: &Delivered, kind: &str) -> Vec<Key> {
    let object = &delivered.object.value;
    let name = match delivered.resource {
        0 => object::name(object),
        _ => match object::controller_of(object) {
            Some(owner) if owner["kind"] == kind => object::text(owner, &["name"]),
            _ => return Vec::new(),
        },
    };
    vec![(object::namespace(object).to_owned(), name.to_owned())]
}

/// Runs a controller until the cluster is gone.
pub(crate) async fn run(cluster: Arc<dyn Cluster>, controller: impl Controller) {
    let env = cluster.env().clone();
    let lags = env.chance(&format!("controller-lag/{}", controller.watched()[0].plural));
    let mut changes = cluster.watch(&controller.watched());
    let mut due: BTreeMap<Key, Moment> = BTreeMap::new();
    let mut failures: BTreeMap<Key, u32> = BTreeMap::new();
    loop {
        let now = env.clock().elapsed();
        let next = due
            .iter()
            .min_by_key(|(key, at)| (**at, (*key).clone()))
            .map(|(key, at)| (key.clone(), *at));
        if let Some((key, at)) = &next
            && *at <= now
        {
            due.remove(key);
            match controller.reconcile(cluster.as_ref(), key).await {
                Ok(again) => {
                    failures.remove(key);
                    if let Some(again) = again {
                        sooner(&mut due, key.clone(), env.clock().elapsed().after(again));
                    }
                }
                Err(status) => {
                    let failed = failures.entry(key.clone()).or_default();
                    *failed += 1;
                    let wait = FIRST_RETRY.saturating_mul(1 << (*failed).min(16)).min(LAST_RETRY);
                    tracing::debug!(?key, %status, "reconcile is tried again");
                    sooner(&mut due, key.clone(), env.clock().elapsed().after(wait));
                }
            }
            continue;
        }
        let wait = async {
            match &next {
                Some((_, at)) => env.clock().sleep_until(*at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            delivered = changes.next() => {
                if delivered.is_empty() {
                    return;
                }
                let now = env.clock().elapsed();
                for delivered in &delivered {
                    for key in controller.keys(cluster.as_ref(), delivered) {
                        let (least, most) = controller.lag();
                        sooner(&mut due, key, now.after(lags.duration(least, most)));
                    }
                }
            }
            () = wait => {}
        }
    }
}

fn sooner(due: &mut BTreeMap<Key, Moment>, key: Key, at: Moment) {
    let known = due.entry(key).or_insert(at);
    *known = (*known).min(at);
}

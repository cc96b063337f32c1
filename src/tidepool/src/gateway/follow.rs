//! How the gateway's configuration follows the cluster: with the lag and the pace of ingress-nginx.
//!
//! A reading takes what the cluster shows at that moment and is in force some time later; until then requests go where they went. Readings keep
//! a distance, so a change that comes soon after another waits for the next one, for seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use parking_lot::Mutex;
use serde_json::Value;

use super::config::{Config, compile};
use crate::cluster::Cluster;
use crate::resource::{ENDPOINT_SLICES, INGRESS_CLASSES, INGRESSES, Resource, SERVICES};

const FOLLOWED: [Resource; 4] = [INGRESSES, INGRESS_CLASSES, SERVICES, ENDPOINT_SLICES];

/// How long after a change the gateway acts on it.
#[derive(Clone, Copy, Debug)]
pub struct Lag {
    /// The soonest that a reading is in force.
    pub least: Duration,
    /// The latest; each is drawn between the two.
    pub most: Duration,
    /// How far apart readings are at least.
    pub between: Duration,
}

impl Default for Lag {
    /// What was measured on ingress-nginx: a lone write takes 0.5 to 0.9 s; a second one within 0.3 s of it takes 3.3 to 4.0 s, since there are
    /// 0.3 readings a second.
    fn default() -> Self {
        Self {
            least: Duration::from_millis(500),
            most: Duration::from_millis(900),
            between: Duration::from_millis(3_334),
        }
    }
}

/// Keeps `config` at what the cluster showed a while ago, until the cluster is gone.
pub(super) async fn follow(cluster: Arc<dyn Cluster>, lag: Lag, config: Arc<Mutex<Arc<Config>>>) {
    let env = cluster.env().clone();
    let lags = env.chance("gateway/lag");
    let mut changes = cluster.watch(&FOLLOWED);
    if changes.next().await.is_empty() {
        return;
    }
    // Who starts reads at once, and has nothing to be compared with.
    *config.lock() = read(cluster.as_ref());
    let mut unread = false;
    let mut next_reading = Moment::default();
    let mut on_the_way: VecDeque<(Moment, Arc<Config>)> = VecDeque::new();
    loop {
        let now = env.clock().elapsed();
        while on_the_way.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, arrived)) = on_the_way.pop_front() {
                *config.lock() = arrived;
            }
        }
        if unread && next_reading <= now {
            unread = false;
            next_reading = now.after(lag.between);
            let latest = on_the_way.back().map_or(now, |(at, _)| *at);
            let at = now.after(lags.duration(lag.least, lag.most)).max(latest);
            on_the_way.push_back((at, read(cluster.as_ref())));
            continue;
        }
        let arrival = on_the_way.front().map(|(at, _)| *at);
        let due = arrival.into_iter().chain(unread.then_some(next_reading)).min();
        let wait = async {
            match due {
                Some(due) => env.clock().sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            delivered = changes.next() => {
                if delivered.is_empty() {
                    return;
                }
                unread = true;
            }
            () = wait => {}
        }
    }
}

fn read(cluster: &dyn Cluster) -> Arc<Config> {
    let lists = FOLLOWED.each_ref().map(|resource| -> Vec<Value> {
        cluster
            .list(resource, None)
            .iter()
            .map(|stored| stored.value.clone())
            .collect()
    });
    Arc::new(compile(&lists[0], &lists[1], &lists[2], &lists[3]))
}

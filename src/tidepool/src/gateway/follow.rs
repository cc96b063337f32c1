//! How the gateway's configuration follows the cluster: each dialect with the lag and the pace of what speaks it for real.
//!
//! A reading takes what the cluster shows at that moment and is in force some time later; until then requests go where they went. Readings keep
//! a distance, so a change that comes soon after another waits for the next one, for seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::{Chance, Env, Moment, watch};
use parking_lot::Mutex;

use super::config::{Config, Part};
use super::kinds::{Dialect, Kind, Objects, followed};
use super::report::Reports;
use crate::cluster::{Cluster, Delivered, Watched};
use crate::object;
use crate::resource::{DEFINITIONS, Resource};
use crate::store::Change;

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

impl Lag {
    /// What was measured on Traefik, which speaks the Gateway API: a lone write takes 5 to 170 ms, one in a burst up to two seconds.
    const GATEWAY_API: Self = Self {
        least: Duration::from_millis(5),
        most: Duration::from_millis(170),
        between: Duration::from_secs(2),
    };
    /// What istiod takes to gather changes and push them: 0.1 to 1 s.
    const ISTIO: Self = Self {
        least: Duration::from_millis(100),
        most: Duration::from_millis(900),
        between: Duration::from_millis(100),
    };
}

/// The state of one dialect: what it has not read yet, and what it has read and does not follow yet.
struct Pace {
    dialect: Dialect,
    lag: Lag,
    /// What counts in place of `lag` once somebody has said so.
    said: Arc<Mutex<Option<Lag>>>,
    lags: Chance,
    is_first: bool,
    unread: bool,
    next_reading: Moment,
    on_the_way: VecDeque<(Moment, Part)>,
}

impl Pace {
    fn new(env: &Env, dialect: Dialect, ingress: Lag, said: &Arc<Mutex<Option<Lag>>>) -> Self {
        let (lag, purpose) = match dialect {
            Dialect::Ingress => (ingress, "gateway/lag"),
            Dialect::GatewayApi => (Lag::GATEWAY_API, "gateway/lag/gateway-api"),
            Dialect::Istio => (Lag::ISTIO, "gateway/lag/istio"),
        };
        Self {
            dialect,
            lag,
            said: said.clone(),
            lags: env.chance(purpose),
            is_first: true,
            unread: false,
            next_reading: Moment::default(),
            on_the_way: VecDeque::new(),
        }
    }

    /// What is in force by now.
    fn arrived(&mut self, now: Moment) -> Option<Part> {
        let mut latest = None;
        while self.on_the_way.front().is_some_and(|(at, _)| *at <= now) {
            latest = self.on_the_way.pop_front().map(|(_, part)| part);
        }
        latest
    }

    fn read(&mut self, now: Moment, part: Part) {
        let lag = self.said.lock().unwrap_or(self.lag);
        self.unread = false;
        self.next_reading = now.after(lag.between);
        let latest = self.on_the_way.back().map_or(now, |(at, _)| *at);
        let at = now.after(self.lags.duration(lag.least, lag.most)).max(latest);
        self.on_the_way.push_back((at, part));
    }

    fn due(&self) -> Option<Moment> {
        let arrival = self.on_the_way.front().map(|(at, _)| *at);
        arrival
            .into_iter()
            .chain(self.unread.then_some(self.next_reading))
            .min()
    }
}

/// What is followed now.
struct Sight {
    kinds: Arc<[(Kind, Resource)]>,
    changes: Box<dyn Watched>,
}

impl Sight {
    fn open(cluster: &dyn Cluster) -> Self {
        let kinds = followed(cluster);
        // The definitions come first, so that the index of a kind is one more.
        let resources: Vec<Resource> = std::iter::once(DEFINITIONS)
            .chain(kinds.iter().map(|(_, resource)| resource.clone()))
            .collect();
        Self {
            changes: cluster.watch(&resources),
            kinds: kinds.into(),
        }
    }

    fn kind(&self, delivered: &Delivered) -> Option<Kind> {
        let index = delivered.resource.checked_sub(1)?;
        self.kinds.get(index).map(|(kind, _)| *kind)
    }
}

/// Keeps `config` at what the cluster showed a while ago, and tells what is in force, until the cluster is gone. `lag` is that of Ingresses; what is
/// `said` later counts for every dialect.
pub(super) async fn follow(
    cluster: Arc<dyn Cluster>,
    lag: Lag,
    said: Arc<Mutex<Option<Lag>>>,
    config: Arc<Mutex<Arc<Config>>>,
    told: watch::Sender<Reports>,
) {
    let env = cluster.env().clone();
    let mut paces = Dialect::ALL.map(|dialect| Pace::new(&env, dialect, lag, &said));
    let mut sight = Sight::open(cluster.as_ref());
    loop {
        let now = env.clock().elapsed();
        for pace in &mut paces {
            if let Some(part) = pace.arrived(now) {
                put(&config, &told, &sight, &part);
            }
            if pace.unread && pace.next_reading <= now {
                let part = compile(cluster.as_ref(), &sight, pace.dialect);
                pace.read(now, part);
            }
        }
        let due = paces.iter().filter_map(Pace::due).min();
        let wait = async {
            match due {
                Some(due) => env.clock().sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            delivered = sight.changes.next() => {
                if delivered.is_empty() {
                    return;
                }
                if delivered.iter().any(|one| one.resource == 0) && *sight.kinds != *followed(cluster.as_ref()) {
                    // Everything is delivered once more.
                    sight = Sight::open(cluster.as_ref());
                    continue;
                }
                for pace in &mut paces {
                    if !pace.dialect.is_spoken(&sight.kinds) || !delivered.iter().any(|one| touches(&sight, pace.dialect, one)) {
                        continue;
                    }
                    if pace.is_first {
                        // Who starts reads at once, and has nothing to be compared with.
                        pace.is_first = false;
                        let part = compile(cluster.as_ref(), &sight, pace.dialect);
                        put(&config, &told, &sight, &part);
                    } else {
                        pace.unread = true;
                    }
                }
            }
            () = wait => {}
        }
    }
}

fn compile(cluster: &dyn Cluster, sight: &Sight, dialect: Dialect) -> Part {
    Part::compile(dialect, &Objects::read(cluster, &sight.kinds, dialect))
}

fn put(config: &Mutex<Arc<Config>>, told: &watch::Sender<Reports>, sight: &Sight, part: &Part) {
    let mut config = config.lock();
    *config = Arc::new(config.with(part));
    if let Part::GatewayApi(_, reports) = part {
        told.send_replace(Reports {
            reports: reports.clone(),
            resources: sight.kinds.clone(),
        });
    }
}

/// Whether a change can make a difference to the routes of a dialect.
fn touches(sight: &Sight, dialect: Dialect, delivered: &Delivered) -> bool {
    let Some(kind) = sight.kind(delivered).filter(|kind| dialect.reads(*kind)) else {
        return false;
    };
    let Some(before) = delivered
        .before
        .as_ref()
        .filter(|_| delivered.change == Change::Modified)
    else {
        return true;
    };
    let (before, after) = (&before.value, &delivered.object.value);
    match kind {
        Kind::Pod | Kind::Namespace => before["metadata"]["labels"] != after["metadata"]["labels"],
        // Only their status differs, which this gateway wrote itself.
        Kind::GatewayClass | Kind::Gateway | Kind::HttpRoute | Kind::GrpcRoute => {
            object::generation(before) != object::generation(after)
        }
        _ => true,
    }
}

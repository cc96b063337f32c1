//! The driver: one loop for all controllers, the same in simulation and in the released binary.
//!
//! The loop owns the caches, the queue and what is remembered for convenience; nothing is shared, so there is no lock. It takes deliveries in,
//! maps them to keys, and for each due key observes, decides and hands the plan to a task that applies it. Decisions take microseconds and are
//! made in the loop; only requests run beside it, at most [`crate::Options::concurrency`] keys at a time.

mod apply;
mod awaited;
mod backoff;
mod cache;
mod feed;
mod index;
mod journal;
mod measurements;
mod observe;
mod outage;
mod queue;
mod relation;
mod served;
mod stall;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use env::watch;
use env::{Chance, Env, Moment};
use jiff::Timestamp;
use rollout::{Key, Kind, Plan, Wake, World};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, info, warn};

use self::apply::Writer;
use self::awaited::Ledger;
use self::backoff::Backoff;
use self::cache::{Caches, Delivery, Knowledge};
use self::journal::Journal;
use self::measurements::Measurements;
use self::outage::Outage;
use self::queue::Queue;
use self::work::{Finished, Work, carry_out};
use crate::Options;
use crate::events::Published;
use crate::lease::Standing;

/// How many deliveries may wait for the loop before the watches do.
const CHANNEL: usize = 1024;
/// How long writes that are under way get to end when the process stops.
const GRACE: Duration = Duration::from_secs(5);
/// The longest time without a look at a key that waits for a moment: the moment is one of the wall clock, which may be set.
const LONGEST_WAKE: Duration = Duration::from_secs(60);
/// A plan that asks to be looked at again at once and writes nothing gets this instead, so that a defect cannot spin.
const LEAST_WAKE: Duration = Duration::from_millis(100);

/// The rules: from a world to a plan. [`rollout::plan`] outside of tests.
pub(crate) type Decide = fn(&World) -> Plan;

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was asked to.
    Stopped,
    /// This replica may not write any more.
    LeaseLost,
}

struct Driver {
    options: Options,
    decide: Decide,
    writer: Writer,
    chance: Chance,
    caches: Caches,
    queue: Queue<Key>,
    ledger: Ledger,
    journal: Journal,
    /// The last failure that was logged for a key, so that it is logged once.
    failures: BTreeMap<Key, String>,
    outage: Outage,
    /// Whether the last Events were refused, which is logged once.
    events_refused: bool,
    feeds: JoinSet<()>,
    watches: BTreeMap<Kind, AbortHandle>,
    sender: mpsc::Sender<(Kind, Delivery)>,
    running: JoinSet<Finished>,
    measurements: Measurements,
}

/// Drives all keys by `decide` until `stop` resolves or the lease is lost. Every task that it started has ended when it returns.
pub(crate) async fn drive(
    env: Env,
    client: kube::Client,
    options: Options,
    decide: Decide,
    mut standing: watch::Receiver<Standing>,
    stop: impl Future<Output = ()> + Send,
) -> Ended {
    let (sender, mut deliveries) = mpsc::channel(CHANNEL);
    let mut driver = Driver {
        measurements: Measurements::new(env.clone(), client.clone()),
        writer: Writer {
            env: env.clone(),
            client,
            standing: standing.clone(),
            telemetry: options.telemetry.clone(),
            versions: BTreeMap::new(),
        },
        chance: env.chance("driver/backoff"),
        options,
        decide,
        caches: Caches::new(),
        queue: Queue::new(Backoff::RECONCILE),
        ledger: Ledger::default(),
        journal: Journal::default(),
        failures: BTreeMap::new(),
        outage: Outage::default(),
        events_refused: false,
        feeds: JoinSet::new(),
        watches: BTreeMap::new(),
        sender,
        running: JoinSet::new(),
    };
    for kind in Kind::ALL {
        driver.watch(kind);
    }
    let mut stop = pin!(stop);
    let ended = loop {
        driver.relist_overdue();
        let now = *standing.borrow_and_update();
        match now {
            Standing::Lost => break Ended::LeaseLost,
            Standing::Leading { .. } if now.may_write(env.clock().elapsed()) => driver.start_due(),
            Standing::Leading { .. } | Standing::Waiting => {}
        }
        let wake = driver.next_wake(now);
        tokio::select! {
            biased;
            () = &mut stop => break Ended::Stopped,
            Some(finished) = driver.running.join_next(), if !driver.running.is_empty() => match finished {
                Ok(finished) => driver.finished(finished),
                // The panic has been reported where it happened; the whole process starts anew rather than go on with a key held.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => debug!(%error, "a reconcile was stopped"),
            },
            Some(answered) = driver.measurements.next(), if !driver.measurements.is_idle() => match answered {
                Ok(key) => {
                    let now = driver.now();
                    driver.queue.add(key, now);
                }
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => debug!(%error, "a measurement was stopped"),
            },
            Ok(()) = standing.changed() => {}
            Some((kind, delivery)) = deliveries.recv() => {
                driver.deliver(kind, delivery);
                // What has arrived together is decided on together.
                while let Ok((kind, delivery)) = deliveries.try_recv() {
                    driver.deliver(kind, delivery);
                }
            }
            () = until(&env, wake) => {}
        }
    };
    driver.end(&env, ended).await;
    ended
}

async fn until(env: &Env, moment: Option<Moment>) {
    match moment {
        Some(moment) => env.clock().sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Driver {
    fn now(&self) -> Moment {
        self.writer.env.clock().elapsed()
    }

    /// Starts the watch of `kind`, or starts it anew.
    fn watch(&mut self, kind: Kind) {
        if let Some(old) = self.watches.remove(&kind) {
            old.abort();
        }
        let feed = feed::feed(
            self.writer.env.clone(),
            self.writer.client.clone(),
            kind,
            self.sender.clone(),
            self.writer.telemetry.clone(),
        );
        self.watches.insert(kind, self.feeds.spawn(feed));
        // Tasks that have been stopped are taken out as they end.
        while self.feeds.try_join_next().is_some() {}
    }

    /// Lists a kind anew when its watch has not shown one of our own writes for too long.
    fn relist_overdue(&mut self) {
        let now = self.now();
        for kind in self.ledger.overdue(now) {
            // The feed that fails lists by itself as soon as it can.
            if self.outage.is_failing(kind, now) {
                continue;
            }
            warn!(%kind, "the watch does not show a write of ours, listing anew");
            self.writer.telemetry.failed("watch-behind");
            self.watch(kind);
        }
    }

    fn deliver(&mut self, kind: Kind, delivery: Delivery) {
        let now = self.now();
        self.outage.hear(kind, &delivery, now);
        let began = delivery.began();
        let was_synced = self.caches.synced();
        let known = self.caches.knowledge(kind).clone();
        for change in self.caches.take(kind, delivery) {
            for key in relation::keys(&change, &self.caches) {
                self.queue.add(key, now);
            }
        }
        for key in self.ledger.delivered(kind, began, &self.caches) {
            self.queue.add(key, now);
        }
        if known != *self.caches.knowledge(kind) {
            self.learned(kind, now);
        }
        if !was_synced && self.caches.synced() {
            info!("caches are filled, reconciling");
            self.writer.telemetry.set_synced();
        }
    }

    /// What is known of `kind` as a whole has changed: what rests on it is looked at again, whether or not an object came or went.
    fn learned(&mut self, kind: Kind, now: Moment) {
        match self.caches.knowledge(kind) {
            Knowledge::Served(_) => self.writer.telemetry.serves(kind.plural(), true),
            Knowledge::Unserved => self.writer.telemetry.serves(kind.plural(), false),
            Knowledge::Unlisted | Knowledge::Unreadable(_) => {}
        }
        self.writer.versions = self.caches.versions();
        for key in relation::naming(kind, &self.caches) {
            self.queue.add(key, now);
        }
    }

    /// Reconciles what is due, as far as there is room.
    fn start_due(&mut self) {
        if !self.caches.synced() {
            return;
        }
        let now = self.now();
        while self.running.len() < self.options.concurrency.max(1) {
            let Some(key) = self.queue.take(now) else { break };
            if self.ledger.waits(&key, &self.caches) {
                // It comes back when its own writes have been seen.
                self.queue.finish(&key);
            } else {
                self.reconcile(key);
            }
        }
        self.writer.telemetry.depth(self.queue.depth(now));
    }

    /// Observe and decide here, apply in a task when there is something to apply.
    fn reconcile(&mut self, key: Key) {
        let env = self.writer.env.clone();
        let mut world = observe::observe(&self.caches, &key, env.now());
        let considered = self.measurements.consider(&key, &mut world);
        let plan = match stall::unreadable(&world, &self.caches) {
            Some(held) => held,
            None => {
                let mut plan = (self.decide)(&world);
                if plan.writes.is_empty() {
                    // Nothing is left that could be refused.
                    plan.writes = stall::clear(&world);
                }
                plan
            }
        };
        self.writer.telemetry.reconciled();
        let news = self.journal.note(&env, &key, &world, &plan);
        if plan.writes.is_empty() && (plan.events.is_empty() || !news) {
            self.queue.finish(&key);
            self.queue.succeeded(&key);
            self.failures.remove(&key);
            self.measurements.recorded(considered, &BTreeSet::new());
            self.measurements.start(&key, plan.asks);
            self.wake(key, plan.wake);
            return;
        }
        self.running.spawn(carry_out(
            self.writer.clone(),
            self.options.identity.clone(),
            Work {
                told: self.failures.get(&key).cloned(),
                key,
                world,
                plan,
                considered,
            },
        ));
    }

    fn finished(&mut self, finished: Finished) {
        let Finished {
            key,
            applied,
            published,
            wake,
            asks,
            considered,
            kept,
        } = finished;
        let now = self.now();
        self.heard_of_events(published);
        self.queue.finish(&key);
        self.ledger.wait(&key, applied.awaited, now);
        match applied.stop {
            None => {
                self.queue.succeeded(&key);
                self.failures.remove(&key);
                self.measurements.recorded(considered, &kept);
                self.measurements.start(&key, asks);
                self.wake(key.clone(), wake);
                if !self.ledger.waits(&key, &self.caches) {
                    self.queue.add(key, now);
                }
            }
            Some(stop) => {
                self.writer.telemetry.failed(stop.category());
                let delay = self.queue.retry(key.clone(), now, &self.chance);
                if stop.is_ordinary() {
                    debug!(%key, %stop, ?delay, "deciding again");
                    return;
                }
                let text = stop.to_string();
                if stop.is_unanswered() {
                    self.outage.unanswered(&text, now);
                    return;
                }
                if self.failures.get(&key) != Some(&text) {
                    warn!(%key, "{text}");
                    self.failures.insert(key, text);
                }
            }
        }
    }

    fn heard_of_events(&mut self, published: Published) {
        match published {
            Published::Nothing => {}
            Published::All => self.events_refused = false,
            Published::Refused(why) => {
                if !std::mem::replace(&mut self.events_refused, true) {
                    warn!("{why}");
                }
            }
        }
    }

    fn wake(&mut self, key: Key, wake: Wake) {
        if let Wake::At(at) = wake {
            let after = between(self.writer.env.now(), at).clamp(LEAST_WAKE, LONGEST_WAKE);
            self.queue.add(key, self.now().after(after));
        }
    }

    /// When the loop has something to do of its own accord.
    fn next_wake(&self, standing: Standing) -> Option<Moment> {
        let ready = self.caches.synced()
            && self.running.len() < self.options.concurrency.max(1)
            && standing.may_write(self.now());
        let due = if ready { self.queue.next() } else { None };
        [due, self.ledger.deadline()].into_iter().flatten().min()
    }

    async fn end(mut self, env: &Env, ended: Ended) {
        self.feeds.shutdown().await;
        self.measurements.shutdown().await;
        if ended == Ended::Stopped {
            let rest = async { while self.running.join_next().await.is_some() {} };
            if env.clock().timeout(GRACE, rest).await.is_err() {
                warn!("stopped while writes were still under way");
            }
        }
        self.running.shutdown().await;
    }
}

fn between(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

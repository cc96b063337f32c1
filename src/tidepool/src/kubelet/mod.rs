//! The kubelets of three nodes: pods that start, become ready, answer HTTP, drain and stop, without containers.
//!
//! Works through [`Cluster`] and a [`PodNetwork`], so that it serves the embedded cluster and a real control plane alike. What a container does
//! is told from its image's name ([`image`]). How long pods take is drawn from the seed, by the pod's uid, so that one pod's times depend on no
//! other pod. A pod that is told to end goes on serving while it drains: for `lifecycle.preStop.sleep`, then for the seconds in its annotation
//! `tidepool.dev/drain-seconds` (8 when there is none, what ingress-nginx needs in order to lose nothing), within its grace; then whoever still
//! comes is refused.

mod echo;
pub mod image;
mod nodes;
mod pen;
mod pod_status;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use env::Moment;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::cluster::{Cluster, DeleteOptions, Delivered};
use crate::controllers::driver::{self, Controller, Key};
use crate::events::{Recorder, Reporter};
use crate::network::{Listening, PodNetwork};
use crate::object;
use crate::resource::{PODS, Resource};
use crate::status::Status;
use crate::store::Stored;
use image::{Behaviour, behaviour};
pub use nodes::NODE_NAMES;
use pen::Pen;
use pod_status::{Stage, status};

/// The annotation that says for how many seconds a pod serves on after it was told to end.
pub const DRAIN_ANNOTATION: &str = "tidepool.dev/drain-seconds";

/// Ports on which a container listens beside those it declares: images listen where they like.
const USUAL_PORTS: [i64; 2] = [80, 8080];

/// The first and the longest wait before a container that ended is started again.
const FIRST_BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// How long pods take; each is drawn between the two.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From being bound to running: pulling and starting.
    pub start: (Duration, Duration),
    /// From running to ready, after the probe's initial delay, where there is a readiness probe.
    pub ready: (Duration, Duration),
    /// How long a pod serves on when it is told to end and says nothing about it.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: (Duration::from_millis(50), Duration::from_millis(800)),
            ready: (Duration::from_millis(50), Duration::from_millis(300)),
            drain: Duration::from_secs(8),
        }
    }
}

/// Starts the kubelets; their tasks end with the cluster's watches.
pub fn start(cluster: Arc<dyn Cluster>, network: Arc<dyn PodNetwork>, options: Options, tasks: &mut JoinSet<()>) {
    let kubelet = Kubelet {
        network,
        options,
        state: Mutex::default(),
        events: Recorder::of(Reporter::Kubelet),
    };
    tasks.spawn(driver::run(cluster.clone(), kubelet));
    tasks.spawn(nodes::register(cluster));
}

struct Kubelet {
    network: Arc<dyn PodNetwork>,
    options: Options,
    state: Mutex<State>,
    events: Recorder,
}

#[derive(Default)]
struct State {
    pods: BTreeMap<Key, Running>,
    next: [usize; 3],
}

/// What the kubelet knows of one pod beyond its object.
struct Running {
    uid: String,
    ip: String,
    starts: Moment,
    ready: Option<Moment>,
    stops: Option<Moment>,
    listening: Vec<Box<dyn Listening>>,
    /// The stage of which the pod's Events have told.
    told: Option<Stage>,
}

impl State {
    /// Takes a pod out: it answers no more, and its lines go with it.
    fn take(&mut self, cluster: &dyn Cluster, key: &Key) {
        if let Some(running) = self.pods.remove(key) {
            cluster.logs().forget(&running.uid);
        }
    }
}

impl Controller for Kubelet {
    fn watched(&self) -> Vec<Resource> {
        vec![PODS]
    }

    fn keys(&self, _: &dyn Cluster, delivered: &Delivered) -> Vec<Key> {
        let pod = &delivered.object.value;
        let ours = nodes::index(object::text(pod, &["spec", "nodeName"])).is_some() || object::is_deleting(pod);
        ours.then(|| (object::namespace(pod).to_owned(), object::name(pod).to_owned()))
            .into_iter()
            .collect()
    }

    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>> {
        Box::pin(async move {
            let Some(pod) = cluster.get(&PODS, &key.0, &key.1) else {
                self.state.lock().take(cluster, key);
                return Ok(None);
            };
            let node = object::text(&pod.value, &["spec", "nodeName"]);
            match (nodes::index(node), object::is_deleting(&pod.value)) {
                (Some(_), true) => self.end(cluster, key, &pod).await,
                (Some(node), false) => self.advance(cluster, key, &pod, node).await,
                // Nobody runs it, so nothing has to end before it goes.
                (None, true) if node.is_empty() => remove(cluster, key, &pod).await.map(|()| None),
                (None, _) => Ok(None),
            }
        })
    }
}

impl Kubelet {
    /// Brings a pod that shall run one stage further.
    async fn advance(
        &self,
        cluster: &dyn Cluster,
        key: &Key,
        pod: &Stored,
        node: usize,
    ) -> Result<Option<Duration>, Status> {
        let env = cluster.env();
        let now = env.clock().elapsed();
        let (stage, ip, wait, listens) = {
            let mut state = self.state.lock();
            let known = state.pods.get(key).is_some_and(|running| running.uid == pod.uid);
            if !known {
                state.take(cluster, key);
                let running = self.admit(cluster, &mut state, pod, node)?;
                state.pods.insert(key.clone(), running);
            }
            let Some(running) = state.pods.get_mut(key) else {
                return Ok(None);
            };
            let (stage, until) = running.stage(&pod.value, now);
            let listens = matches!(stage, Stage::Running { .. }) && running.listening.is_empty();
            (stage, running.ip.clone(), until.map(|until| until.since(now)), listens)
        };
        if listens {
            let listening = self.listen(cluster, pod, &ip).await?;
            if let Some(running) = self.state.lock().pods.get_mut(key) {
                running.listening = listening;
            }
        }
        let wanted = status(&pod.value, stage, &ip, &nodes::address(node), env);
        if wanted != pod.value["status"] {
            let mut changed = pod.value.clone();
            changed["status"] = wanted;
            cluster.update_status(&PODS, changed).await?;
            self.tell(cluster, key, pod, stage).await;
        }
        Ok(wait)
    }

    /// Says what there is to say of a pod that came to a stage, once.
    async fn tell(&self, cluster: &dyn Cluster, key: &Key, pod: &Stored, stage: Stage) {
        let before = match self.state.lock().pods.get_mut(key) {
            Some(running) => running.told.replace(stage),
            None => return,
        };
        // Ready after a while of running is no event.
        let only_ready = matches!(before, Some(Stage::Running { .. })) && matches!(stage, Stage::Running { .. });
        if before == Some(stage) || only_ready {
            return;
        }
        if matches!(stage, Stage::Crashed { .. }) {
            for container in object::items(&pod.value, &["spec", "containers"]) {
                Pen::new(cluster, &pod.uid, object::name_of_part(container)).write("Ending with exit code 1");
            }
        }
        let node = object::text(&pod.value, &["spec", "nodeName"]);
        for note in told::of_stage(&pod.value, stage) {
            self.events.note(cluster, &pod.value, node, note).await;
        }
    }

    /// Draws a new pod's address and times.
    fn admit(&self, cluster: &dyn Cluster, state: &mut State, pod: &Stored, node: usize) -> Result<Running, Status> {
        let env = cluster.env();
        let now = env.clock().elapsed();
        let pods = cluster.list(&PODS, None);
        let mut taken: BTreeSet<String> = pods
            .iter()
            .filter(|other| other.uid != pod.uid)
            .map(|other| object::text(&other.value, &["status", "podIP"]).to_owned())
            .collect();
        taken.extend(state.pods.values().map(|running| running.ip.clone()));
        let reported = object::text(&pod.value, &["status", "podIP"]);
        let ip = if reported.is_empty() {
            let (number, ip) = nodes::free_address(node, state.next[node], &taken)
                .ok_or_else(|| Status::bad_request(format!("node {}: no address is free", NODE_NAMES[node])))?;
            state.next[node] = number + 1;
            ip
        } else {
            reported.to_owned()
        };
        let chance = env.chance(&format!("pod-start/{}", pod.uid));
        let starts = now.after(chance.duration(self.options.start.0, self.options.start.1));
        let containers = object::items(&pod.value, &["spec", "containers"]);
        let never = containers
            .iter()
            .any(|container| behaviour(object::text(container, &["image"])) == Behaviour::NeverReady);
        let probed = containers
            .iter()
            .filter(|container| container["readinessProbe"].is_object());
        let delay = probed
            .map(|container| {
                let initial = object::number(container, &["readinessProbe", "initialDelaySeconds"]).unwrap_or_default();
                Duration::from_secs(initial.try_into().unwrap_or(0))
                    + chance.duration(self.options.ready.0, self.options.ready.1)
            })
            .max()
            .unwrap_or_default();
        Ok(Running {
            uid: pod.uid.clone(),
            ip,
            starts,
            ready: (!never).then(|| starts.after(delay)),
            stops: None,
            listening: Vec::new(),
            told: None,
        })
    }

    /// Puts the pod's containers behind its address: all of its ports or none.
    async fn listen(&self, cluster: &dyn Cluster, pod: &Stored, ip: &str) -> Result<Vec<Box<dyn Listening>>, Status> {
        let mut listening = Vec::new();
        let mut bound = BTreeSet::new();
        for container in object::items(&pod.value, &["spec", "containers"]) {
            let declared = object::items(container, &["ports"]).iter();
            let declared = declared.filter_map(|port| port["containerPort"].as_i64());
            let chance = cluster.env().chance(&format!("pod-answers/{}", pod.uid));
            let pen = Pen::new(cluster, &pod.uid, object::name_of_part(container));
            pen.write(&format!("Listening on {ip}"));
            let service = echo::service(&pod.value, container, ip, chance, pen);
            for port in declared.chain(USUAL_PORTS) {
                if bound.insert(port) {
                    let place = format!("{ip}:{port}");
                    let served = self.network.listen(&place, service.clone()).await;
                    listening.push(served.map_err(|error| {
                        tracing::error!(pod = object::name(&pod.value), %error, "start pod");
                        Status::internal(error)
                    })?);
                }
            }
        }
        Ok(listening)
    }

    /// Lets a pod drain, then stops and removes it.
    async fn end(&self, cluster: &dyn Cluster, key: &Key, pod: &Stored) -> Result<Option<Duration>, Status> {
        let now = cluster.env().clock().elapsed();
        let (stops, begins) = {
            let mut state = self.state.lock();
            match state.pods.get_mut(key).filter(|running| running.uid == pod.uid) {
                // It never started here, so there is nothing to drain.
                None => (now, false),
                Some(running) if running.listening.is_empty() => (now, running.told.is_some()),
                Some(running) => {
                    let drained = now.after(drain(&pod.value, self.options.drain));
                    let begins = running.stops.is_none();
                    (*running.stops.get_or_insert(drained), begins)
                }
            }
        };
        if begins {
            let node = object::text(&pod.value, &["spec", "nodeName"]);
            for note in told::of_end(&pod.value) {
                self.events.note(cluster, &pod.value, node, note).await;
            }
        }
        // A second deletion may have shortened the grace: no grace is no drain.
        let grace = object::number(&pod.value, &["metadata", "deletionGracePeriodSeconds"]);
        if stops > now && grace != Some(0) {
            return Ok(Some(stops.since(now)));
        }
        self.state.lock().take(cluster, key);
        if grace == Some(0) {
            // Only a finalizer of somebody else's keeps it.
            return Ok(None);
        }
        remove(cluster, key, pod).await.map(|()| None)
    }
}

impl Running {
    /// Where the pod is at `now`, and when that changes by itself.
    fn stage(&self, pod: &Value, now: Moment) -> (Stage, Option<Moment>) {
        if now < self.starts {
            return (Stage::Creating, Some(self.starts));
        }
        let containers = object::items(pod, &["spec", "containers"]);
        let crashes = containers
            .iter()
            .any(|container| behaviour(object::text(container, &["image"])) == Behaviour::Crash);
        if crashes {
            let (restarts, backoff, until) = crashed(self.starts, now);
            return (Stage::Crashed { restarts, backoff }, Some(until));
        }
        match self.ready {
            Some(ready) if now >= ready => (Stage::Running { ready: true }, None),
            ready => (Stage::Running { ready: false }, ready),
        }
    }
}

/// How often a container that started at `starts` and ends at once was started again until `now`, how long it waits, and until when.
fn crashed(starts: Moment, now: Moment) -> (u64, Duration, Moment) {
    let (mut restarts, mut backoff, mut until) = (0, FIRST_BACKOFF, starts.after(FIRST_BACKOFF));
    while until <= now {
        restarts += 1;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
        until = until.after(backoff);
    }
    (restarts, backoff, until)
}

/// How long a pod serves after it was told to end, within its grace.
fn drain(pod: &Value, usual: Duration) -> Duration {
    let sleeps = object::items(pod, &["spec", "containers"])
        .iter()
        .filter_map(|container| object::number(container, &["lifecycle", "preStop", "sleep", "seconds"]))
        .filter_map(|seconds| u64::try_from(seconds).ok())
        .max();
    let said = object::annotation(pod, DRAIN_ANNOTATION).and_then(|text| text.parse().ok());
    let drain = match (sleeps, said) {
        (None, None) => usual,
        (sleeps, said) => Duration::from_secs(sleeps.unwrap_or(0)) + Duration::from_secs(said.unwrap_or(0)),
    };
    let grace = object::number(pod, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(30);
    drain.min(Duration::from_secs(grace.try_into().unwrap_or(0)))
}

/// Takes a pod that has ended out of the cluster.
async fn remove(cluster: &dyn Cluster, key: &Key, pod: &Stored) -> Result<(), Status> {
    let options = DeleteOptions {
        uid: Some(pod.uid.clone()),
        grace: Some(0),
        ..DeleteOptions::default()
    };
    match cluster.delete(&PODS, &key.0, &key.1, options).await {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}

//! The ground that all local beds stand on: one control plane, tidegate beside it, tidepool's scheduler and kubelet on it, and a gateway: tidepool's
//! own or a real proxy.
//!
//! Scenarios run on it at the same time, each in a namespace of its own. Made and taken down by [`super::play`]; needs [`super::prepare`] first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::{Env, HttpService, watch};
use http::Request;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::metrics::Query;
use suites::{Check, Failure, Kubernetes, ObjectRef, Question, Share};
use tidepool::gateway::Lag;
use tidepool::network::SocketNetwork;
use tidepool::remote::Part;
use tidepool::resource::{DEPLOYMENTS, ENDPOINT_SLICES, INGRESSES, PODS, Resource, SERVICES};
use tidepool::transport::{Transport, Write};
use tidepool::{Cluster, Remote, remote};
use tokio::task::JoinSet;

use crate::embedded::{Care, Controllers};
use crate::gateway::{DataPlane, Gateway};
use crate::installation;
use crate::metric_server::WINDOW;
use crate::metric_servers::Metrics;

use super::bed::shortened;
use super::installed;
use super::prometheus::Prometheus;
use super::proxy::{self, Proxy};
use super::{ControlPlane, Tools, uninstall};

/// How long each part of the installation may take.
const INSTALLED_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The largest body that the controller may send.
const LARGEST_REQUEST: usize = 4 << 20;

const ROLLOUTS: Resource = Resource::of("rollouts.kruise.io", "v1beta1", "rollouts", "Rollout", true);
/// What scenarios wait for: a change of one of these lets them look again.
const WATCHED: [Resource; 6] = [PODS, DEPLOYMENTS, SERVICES, INGRESSES, ENDPOINT_SLICES, ROLLOUTS];

/// A running cluster with the controller in it.
pub(super) struct Ground {
    pub(super) env: Env,
    client: kube::Client,
    remote: Remote,
    network: Arc<SocketNetwork>,
    /// Ended before anything else.
    controllers: Option<Controllers>,
    /// What forwards requests; its place in the list of gateways, and the process when it is none of this program's.
    gateway: Gateway,
    /// What scrapes that process.
    prometheus: Option<Prometheus>,
    proxy: Option<Proxy>,
    namespaces: Arc<Mutex<BTreeMap<String, watch::Sender<u64>>>>,
    pub(super) metrics: Metrics,
    /// Tells the webhook server to end.
    close: watch::Sender<bool>,
    tasks: JoinSet<()>,
    // Last, so that everything above is gone before what it talks to.
    plane: ControlPlane,
}

impl Ground {
    /// Starts everything and waits until a bad Rollout is refused: then the webhooks are in their place.
    ///
    /// # Errors
    /// What did not start, and why.
    pub(super) async fn start(env: &Env, tools: &Tools, gateway: Gateway) -> Result<Self> {
        let env = env.clone();
        let plane = ControlPlane::start(&env, tools).await?;
        let client = plane.client();
        let mut tasks = JoinSet::new();
        let close = watch::Sender::new(false);
        let person = Kubernetes::new(client.clone());
        installed::apply(&person).await?;
        let account = installed::account(&plane).await?;
        let serving = installed::serve_webhooks(&env, &account, close.subscribe(), &mut tasks);
        within("the installation", &env, serving).await?;
        install_gateway(&env, &person, gateway).await?;
        let proxy = Proxy::start(&env, &plane, tools, gateway).await?;
        let prometheus = match &proxy {
            Some(proxy) => Some(Prometheus::start(&env, &plane, tools, proxy.endpoint()).await?),
            None => None,
        };
        wait_for(&env, "the custom resources", || rollouts_are_served(&person)).await?;

        let network = Arc::new(SocketNetwork::default());
        let mut watched = WATCHED.to_vec();
        watched.extend(proxy::route_kinds(gateway));
        let mut parts: BTreeSet<Part> = [Part::Scheduler, Part::Kubelet].into();
        if gateway.data_plane() == DataPlane::Tidepool {
            parts.insert(Part::Gateway);
        }
        let options = remote::Options {
            parts,
            resources: watched.clone(),
            gateway_lag: Lag {
                // One gateway stands here for many, one behind each scenario: what others write must not keep it from reading.
                between: Duration::ZERO,
                ..Lag::default()
            },
            ..remote::Options::default()
        };
        let remote = Remote::start(&env, client.clone(), options, network.clone())
            .await
            .context("serve pods and traffic of the local cluster")?;
        let namespaces = Arc::default();
        tasks.spawn(tell_namespaces(remote.cluster(), watched, Arc::clone(&namespaces)));
        let way = account;
        let connect = move |_: &str| Transport::new(over(way.clone()));
        let metrics = Metrics::start(&env, Ipv4Addr::LOCALHOST, shortened(WINDOW)).await?;
        let ground = Self {
            controllers: Some(Controllers::start(env.clone(), connect, Care::default())),
            env,
            client,
            remote,
            network,
            gateway,
            prometheus,
            proxy,
            namespaces,
            metrics,
            close,
            tasks,
            plane,
        };
        wait_for(&ground.env, "the webhooks", || bad_rollout_is_refused(&person)).await?;
        Ok(ground)
    }

    /// A person's client.
    pub(super) fn person(&self) -> kube::Client {
        self.client.clone()
    }

    /// Which gateway it is.
    pub(super) fn gateway(&self) -> Gateway {
        self.gateway
    }

    /// The gateway, as a browser reaches it.
    pub(super) fn service(&self) -> HttpService {
        match &self.proxy {
            Some(proxy) => proxy.service(),
            None => self.remote.gateway(),
        }
    }

    /// What a real metric server knows of a namespace's requests, when one scrapes the gateway.
    pub(super) fn measured(&self, namespace: &str) -> Option<Query> {
        let scraped = self.prometheus.as_ref()?.scraped(self.gateway)?;
        Some(scraped.success_rate(namespace))
    }

    /// The exact split of a route; a real proxy tells nobody.
    pub(super) fn split(&self, question: &Question) -> Option<Vec<Share>> {
        if self.proxy.is_some() {
            return None;
        }
        let shares = self.remote.route(&question.host, &question.path, &question.headers);
        Some(installation::shares(shares))
    }

    /// Makes a namespace for a scenario, and a cursor over what changes in it.
    ///
    /// # Errors
    /// When the API server refuses, or the cluster's controllers do not furnish it.
    pub(super) async fn namespace(&self, name: &str) -> Result<watch::Receiver<u64>> {
        let person = Kubernetes::new(self.person());
        let changes = {
            let mut namespaces = self.namespaces.lock();
            namespaces
                .entry(name.to_owned())
                .or_insert_with(|| watch::Sender::new(0))
                .subscribe()
        };
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        person
            .create(&object)
            .await
            .context("make a namespace for a scenario")?;
        // What the control plane puts into each namespace is there before the inventory is taken.
        for (kind, name_of_it) in [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")] {
            let furniture = ObjectRef::namespaced("v1", kind, name, name_of_it);
            wait_for(&self.env, &furniture.to_string(), || async {
                Ok(person.get(&furniture).await?.is_some())
            })
            .await?;
        }
        Ok(changes)
    }

    /// Takes a scenario's namespace away; what is in it goes in its own time.
    pub(super) async fn leave(&self, name: &str) {
        self.namespaces.lock().remove(name);
        self.metrics.forget(name);
        let namespace = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        // A leftover ends with the run.
        if let Err(error) = Kubernetes::new(self.person()).delete(&namespace).await {
            tracing::warn!(%error, "leave a scenario's namespace");
        }
    }

    /// What the controller has written into a namespace so far.
    pub(super) fn writes(&self, namespace: &str) -> Vec<Write> {
        let mut writes: Vec<Write> = self
            .controllers
            .iter()
            .flat_map(Controllers::writes)
            .flatten()
            .collect();
        writes.retain(|write| write.namespace == namespace);
        writes
    }

    /// Whether the control plane and the proxy still run, and no controller has panicked.
    ///
    /// # Errors
    /// Which process ended, with the end of its log; or the words of the panic.
    pub(super) fn check(&self) -> Result<()> {
        self.plane.check()?;
        if let Some(proxy) = &self.proxy {
            proxy.check()?;
        }
        if let Some(prometheus) = &self.prometheus {
            prometheus.check()?;
        }
        match self.controllers.iter().flat_map(Controllers::panics).next() {
            Some(said) => bail!("the controller panicked: {said}"),
            None => Ok(()),
        }
    }

    /// Kills the controller as a crash does, and starts another.
    ///
    /// # Errors
    /// When nobody supervises it any more.
    pub(super) async fn restart_controller(&self) -> Result<(), Failure> {
        match &self.controllers {
            Some(controllers) => controllers.restart().await,
            None => Err(Failure::new(Check::Cluster, "the controller has been ended".to_owned())),
        }
    }

    /// Releases a last workload, ends the controller and takes tidegate off the cluster; then ends everything.
    ///
    /// # Errors
    /// What stayed of tidegate, or what became of the workload.
    pub(super) async fn take_off(mut self) -> Result<()> {
        let person = Kubernetes::new(self.person());
        let mut outcome = uninstall::release(&self.env, &person).await;
        self.stop_controllers().await;
        if outcome.is_ok() {
            outcome = uninstall::remove(&self.env, &person).await;
        }
        self.stop().await;
        outcome
    }

    async fn stop_controllers(&mut self) {
        if let Some(controllers) = self.controllers.take() {
            controllers.stop().await;
        }
        self.close.send_replace(true);
    }

    /// Ends everything in order: who depends on another goes first. Where the control plane has lost a part, everything is dropped as it is: an
    /// orderly end would wait for answers that do not come.
    pub(super) async fn stop(mut self) {
        if self.plane.check().is_err() {
            return;
        }
        self.stop_controllers().await;
        drop(self.prometheus);
        drop(self.proxy);
        self.remote.stop().await;
        self.network.stop().await;
        drop(self.metrics);
        self.tasks.shutdown().await;
        drop(self.plane);
    }
}

/// A client's connection to its API server as a service, so that what goes through it can be seen and cut.
fn over(client: kube::Client) -> HttpService {
    HttpService::new(move |request| {
        let client = client.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = kube::client::Body::from(env::read_all(body, LARGEST_REQUEST).await?);
            let response = client.send(Request::from_parts(parts, body)).await?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        }
    })
}

/// Creates what the gateway reads.
async fn install_gateway(env: &Env, person: &Kubernetes, gateway: Gateway) -> Result<()> {
    for definition in proxy::definitions(gateway).context("read the definitions of routes")? {
        person
            .create(&definition)
            .await
            .context("install the kinds of routes")?;
    }
    for object in proxy::objects(gateway) {
        // A kind is served a moment after its definition was created.
        wait_for(env, "what the gateway reads", || async {
            match person.create(&object).await {
                Ok(_) => Ok(true),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
    }
    Ok(())
}

/// Looks until it is so.
pub(super) async fn wait_for<F>(env: &Env, what: &str, look: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let looking = async {
        while !look().await? {
            env.sleep(LOOK).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    within(what, env, looking).await
}

/// Bounds what is awaited of the installation.
async fn within(what: &str, env: &Env, awaited: impl Future<Output = Result<()>>) -> Result<()> {
    match env.clock().timeout(INSTALLED_WITHIN, awaited).await {
        Ok(outcome) => outcome.with_context(|| format!("wait for {what}")),
        Err(env::Elapsed) => bail!("{what} of the local cluster did not come within {INSTALLED_WITHIN:?}"),
    }
}

async fn rollouts_are_served(person: &Kubernetes) -> Result<bool> {
    match person.resource("rollouts.kruise.io/v1beta1", "Rollout").await {
        Ok(resource) => Ok(person.list(&resource, None).await.is_ok()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether the API server asks the webhooks: a Rollout that its schema allows and that we refuse is refused. Nothing is stored in any case.
async fn bad_rollout_is_refused(person: &Kubernetes) -> Result<bool> {
    let rollout = json!({
        "apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout",
        "metadata": { "name": "refused", "namespace": "default" },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody" },
            "strategy": { "canary": { "steps": [] } },
        },
    });
    let request = Request::post("/apis/rollouts.kruise.io/v1beta1/namespaces/default/rollouts?dryRun=All")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(rollout.to_string().into_bytes())?;
    match person.client().request::<Value>(request).await {
        Ok(_) => Ok(false),
        Err(kube::Error::Api(status)) => Ok(status.message.contains("admission webhook")),
        Err(error) => Err(error.into()),
    }
}

/// Tells each namespace of the changes in it.
async fn tell_namespaces(
    cluster: Arc<dyn Cluster>,
    kinds: Vec<Resource>,
    namespaces: Arc<Mutex<BTreeMap<String, watch::Sender<u64>>>>,
) {
    let mut watched = cluster.watch(&kinds);
    loop {
        let delivered = watched.next().await;
        if delivered.is_empty() {
            return;
        }
        let namespaces = namespaces.lock();
        for change in delivered {
            let namespace = change.object.value["metadata"]["namespace"]
                .as_str()
                .unwrap_or_default();
            if let Some(changes) = namespaces.get(namespace) {
                let next = changes.borrow().wrapping_add(1);
                changes.send_replace(next);
            }
        }
    }
}

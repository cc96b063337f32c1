//! The ground that all local beds stand on: one control plane, tidegate beside it, and tidepool's scheduler, kubelet and gateway on it.
//!
//! Scenarios run on it at the same time, each in a namespace of its own. Made and taken down by [`super::play`]; needs [`super::prepare`] first.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use controller::install::{self, Endpoint};
use controller::serve::{Certificate, Listener, serve};
use controller::{Options, webhooks};
use env::{Env, HttpService, watch};
use http::Request;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::{Kubernetes, ObjectRef};
use tidepool::gateway::Lag;
use tidepool::network::SocketNetwork;
use tidepool::resource::{DEPLOYMENTS, ENDPOINT_SLICES, INGRESSES, PODS, Resource, SERVICES};
use tidepool::transport::{Transport, Write};
use tidepool::{Cluster, Remote, remote};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::{ControlPlane, Tools};

/// How long each part of the installation may take.
const INSTALLED_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The largest body that the controller may send.
const LARGEST_REQUEST: usize = 4 << 20;
/// Where the controller would live in a cluster.
const HOME: &str = "tidegate";

const ROLLOUTS: Resource = Resource::of("rollouts.kruise.io", "v1beta1", "rollouts", "Rollout", true);
/// What scenarios wait for: a change of one of these lets them look again.
const WATCHED: [Resource; 6] = [PODS, DEPLOYMENTS, SERVICES, INGRESSES, ENDPOINT_SLICES, ROLLOUTS];

/// One controller process: its way to the API, and how to stop it.
struct Process {
    transport: Transport,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A running cluster with the controller in it.
pub(super) struct Ground {
    pub(super) env: Env,
    client: kube::Client,
    remote: Remote,
    network: Arc<SocketNetwork>,
    process: Mutex<Option<Process>>,
    /// The ways of all controller processes that there were, with their writes.
    ways: Mutex<Vec<Transport>>,
    namespaces: Arc<Mutex<BTreeMap<String, watch::Sender<u64>>>>,
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
    pub(super) async fn start(env: &Env, tools: &Tools) -> Result<Self> {
        let env = env.clone();
        let plane = ControlPlane::start(&env, tools).await?;
        let client = plane.client();
        let mut tasks = JoinSet::new();
        let close = watch::Sender::new(false);
        let (address, authority) = serve_webhooks(&env, &client, close.subscribe(), &mut tasks).await?;
        let person = Kubernetes::new(client.clone());
        install(&person, address, &authority).await?;
        wait_for(&env, "the custom resources", || rollouts_are_served(&person)).await?;

        let network = Arc::new(SocketNetwork::default());
        let options = remote::Options {
            resources: WATCHED.to_vec(),
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
        tasks.spawn(tell_namespaces(remote.cluster(), Arc::clone(&namespaces)));
        let ground = Self {
            env,
            client,
            remote,
            network,
            process: Mutex::default(),
            ways: Mutex::default(),
            namespaces,
            close,
            tasks,
            plane,
        };
        ground.start_controller();
        wait_for(&ground.env, "the webhooks", || bad_rollout_is_refused(&person)).await?;
        Ok(ground)
    }

    /// A person's client.
    pub(super) fn person(&self) -> kube::Client {
        self.client.clone()
    }

    /// The gateway.
    pub(super) fn remote(&self) -> &Remote {
        &self.remote
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

    /// What the controller has written into a namespace so far, without Events and leases.
    pub(super) fn writes(&self, namespace: &str) -> Vec<Write> {
        let counts =
            |write: &Write| write.namespace == namespace && write.resource != "events" && write.resource != "leases";
        let mut writes: Vec<Write> = self.ways.lock().iter().flat_map(Transport::writes).collect();
        writes.retain(counts);
        writes
    }

    /// Whether the control plane still runs.
    ///
    /// # Errors
    /// Which process ended, with the end of its log.
    pub(super) fn check(&self) -> Result<()> {
        Ok(self.plane.check()?)
    }

    /// Kills the controller as a crash does, and starts another.
    pub(super) async fn restart_controller(&self) {
        self.kill_controller().await;
        self.start_controller();
    }

    /// Ends everything in order: who depends on another goes first.
    pub(super) async fn stop(mut self) {
        self.kill_controller().await;
        self.close.send_replace(true);
        self.remote.stop().await;
        self.network.stop().await;
        self.tasks.shutdown().await;
        drop(self.plane);
    }

    fn start_controller(&self) {
        let number = self.ways.lock().len() + 1;
        let identity = format!("tidegate-{number}");
        let transport = Transport::new(over(self.client.clone()));
        self.ways.lock().push(transport.clone());
        let (stop, stopped) = oneshot::channel();
        let client = kube::Client::new(transport.service(), "default");
        let run = controller::run(self.env.clone(), client, Options::new(identity), async {
            // A dropped sender stops the controller as well.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            if let Err(error) = run.await {
                tracing::error!(%error, "the controller ended");
            }
        });
        *self.process.lock() = Some(Process { transport, stop, task });
    }

    async fn kill_controller(&self) {
        let process = self.process.lock().take();
        if let Some(process) = process {
            process.transport.kill();
            drop(process.stop);
            process.task.abort();
            // An aborted task ends with the error that says so.
            let _ = process.task.await;
        }
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

/// Serves the webhooks over TLS on loopback; where, and by which authority they are trusted.
async fn serve_webhooks(
    env: &Env,
    client: &kube::Client,
    mut closed: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(SocketAddr, Vec<u8>)> {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), "webhooks").await?;
    let address = listener.address();
    let certificate = Certificate::make(&["127.0.0.1".to_owned()])?;
    let authority = certificate.authority().to_vec();
    let service = webhooks(env, client.clone());
    tasks.spawn(serve(env.clone(), listener, Some(certificate), service, async move {
        // A sender that is gone ends it, too.
        let _ = closed.wait_for(|closed| *closed).await;
    }));
    Ok((address, authority))
}

/// Creates what the controller and an nginx-class gateway need.
async fn install(person: &Kubernetes, webhooks: SocketAddr, authority: &[u8]) -> Result<()> {
    let mut objects = vec![
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": { "name": "nginx" }, "spec": { "controller": "k8s.io/ingress-nginx" },
        }),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": HOME } }),
    ];
    objects.extend(install::objects(
        &Endpoint::Url(format!("https://{webhooks}")),
        authority,
    ));
    for object in objects {
        person.create(&object).await.context("install tidegate")?;
    }
    Ok(())
}

/// Looks until it is so.
async fn wait_for<F>(env: &Env, what: &str, look: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let looking = async {
        while !look().await? {
            env.sleep(LOOK).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    match env.clock().timeout(INSTALLED_WITHIN, looking).await {
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
async fn tell_namespaces(cluster: Arc<dyn Cluster>, namespaces: Arc<Mutex<BTreeMap<String, watch::Sender<u64>>>>) {
    let mut watched = cluster.watch(&WATCHED);
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

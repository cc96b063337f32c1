//! The embedded bed: tidepool, tidegate and a person in one thread, on virtual time.
//!
//! One seed, one runtime, one cluster and one controller per scenario, so that a run is repeated to the byte by its seed.

use std::collections::BTreeSet;
use std::time::Duration;

use controller::install::{self, Endpoint};
use controller::{Options, webhooks};
use env::sim::{Served, SimEnv};
use env::{Env, HttpService, Trace};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::{Bed, Changes, Check, Failure, Feature, Kubernetes, Question, Report, Scenario, Share, Write, runner};
use tidepool::Embedded;
use tidepool::transport::Transport;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Where the controller's webhooks are in the cluster's network.
const WEBHOOKS: (&str, &str, u16) = ("tidegate", "tidegate-webhook", 443);

/// One controller process: its way to the API, and how to stop it.
struct Process {
    transport: Transport,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A cluster in this process with the controller in it.
pub(crate) struct EmbeddedBed {
    env: Env,
    cluster: Embedded,
    process: Mutex<Option<Process>>,
    written: Mutex<Vec<Write>>,
    processes: Mutex<usize>,
    _webhooks: Served,
}

impl EmbeddedBed {
    /// Starts the cluster, installs the controller and starts it.
    async fn start(world: &SimEnv) -> Result<Self, Failure> {
        let cluster = Embedded::start(&world.env, &world.network, tidepool::Options::default()).await;
        let (namespace, name, port) = WEBHOOKS;
        let served = world.network.serve(
            format!("{name}.{namespace}.svc:{port}"),
            webhooks(&world.env, client(cluster.transport("tidegate-webhooks").service())),
        );
        let person = Kubernetes::new(client(cluster.api()));
        for object in class_and_namespace() {
            create(&person, object).await?;
        }
        let endpoint = Endpoint::Service {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            port,
        };
        for object in install::objects(&endpoint, &[]) {
            create(&person, object).await?;
        }
        let bed = Self {
            env: world.env.clone(),
            cluster,
            process: Mutex::new(None),
            written: Mutex::default(),
            processes: Mutex::new(0),
            _webhooks: served,
        };
        bed.start_controller();
        Ok(bed)
    }

    fn start_controller(&self) {
        let number = {
            let mut processes = self.processes.lock();
            *processes += 1;
            *processes
        };
        let identity = format!("tidegate-{number}");
        let transport = self.cluster.transport(&identity);
        let (stop, stopped) = oneshot::channel();
        let run = controller::run(
            self.env.clone(),
            client(transport.service()),
            Options::new(identity),
            async {
                // A dropped sender stops the controller as well.
                let _ = stopped.await;
            },
        );
        let task = tokio::spawn(async move {
            if let Err(error) = run.await {
                tracing::error!(%error, "the controller ended");
            }
        });
        *self.process.lock() = Some(Process { transport, stop, task });
    }

    /// Kills the controller as a crash does: its network is gone first, then the process.
    async fn kill_controller(&self) {
        let process = self.process.lock().take();
        if let Some(process) = process {
            process.transport.kill();
            self.written.lock().extend(writes(&process.transport));
            drop(process.stop);
            process.task.abort();
            // An aborted task ends with the error that says so.
            let _ = process.task.await;
        }
    }
}

/// A client over a service in this process.
fn client(service: HttpService) -> kube::Client {
    kube::Client::new(service, "default")
}

/// What a cluster with ingress-nginx and a namespace for the controller holds.
fn class_and_namespace() -> [Value; 2] {
    [
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": { "name": "nginx" }, "spec": { "controller": "k8s.io/ingress-nginx" },
        }),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": WEBHOOKS.0 } }),
    ]
}

async fn create(person: &Kubernetes, object: Value) -> Result<(), Failure> {
    let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
    person
        .create(&object)
        .await
        .map(|_| ())
        .map_err(|error| Failure::new(Check::Cluster, format!("install {what}: {error}")))
}

/// The writes that count: Events and leases are left out.
fn writes(transport: &Transport) -> Vec<Write> {
    let counted = |write: &tidepool::transport::Write| write.resource != "events" && write.resource != "leases";
    transport
        .writes()
        .into_iter()
        .filter(counted)
        .map(|write| Write {
            verb: write.verb.to_owned(),
            resource: match write.subresource.as_str() {
                "" => write.resource,
                subresource => format!("{}/{subresource}", write.resource),
            },
            name: write.name,
        })
        .collect()
}

impl Bed for EmbeddedBed {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn person(&self) -> kube::Client {
        client(self.cluster.api())
    }

    fn gateway(&self) -> HttpService {
        self.cluster.gateway()
    }

    fn namespace(&self) -> &str {
        "default"
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn features(&self) -> BTreeSet<Feature> {
        [
            Feature::IngressNginx,
            Feature::VirtualTime,
            Feature::ExactSplit,
            Feature::RestartController,
            Feature::CountWrites,
            Feature::Admission,
        ]
        .into()
    }

    fn changes(&self) -> Changes {
        Changes::new(self.env.clone(), self.cluster.changes())
    }

    fn split(&self, question: &Question) -> Option<Vec<Share>> {
        let shares = self.cluster.route(&question.host, &question.path, &question.headers);
        let share = |(pod, probability): (tidepool::PodName, f64)| Share {
            pod: pod.name,
            probability,
        };
        Some(shares.into_iter().map(share).collect())
    }

    fn pause(&self, asked: Duration) -> Duration {
        asked
    }

    fn gateway_lag(&self) -> Duration {
        // Twice the gateway's own: a change that comes during one lag waits for the next.
        Duration::from_millis(1_800)
    }

    fn writes(&self) -> Vec<Write> {
        let mut all = self.written.lock().clone();
        if let Some(process) = &*self.process.lock() {
            all.extend(writes(&process.transport));
        }
        all
    }

    fn restart_controller(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            self.kill_controller().await;
            self.start_controller();
            Ok(())
        })
    }
}

/// Runs one scenario in a world of its own; the answer holds its report and its trace.
pub(crate) fn play(scenario: &Scenario, seed: u64, trace: Trace) -> Report {
    env::sim::run(seed, trace, |world| async move {
        let bed = match EmbeddedBed::start(&world).await {
            Ok(bed) => std::sync::Arc::new(bed),
            Err(failure) => return runner::could_not_start(&scenario.id, failure),
        };
        let report = runner::run(scenario, bed.clone()).await;
        bed.kill_controller().await;
        report
    })
}

//! The embedded bed: tidepool, tidegate and a person in one thread, on virtual time.
//!
//! One seed, one runtime, one cluster and one controller per scenario, so that a run is repeated to the byte by its seed.

mod controllers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use controller::install::Endpoint;
use controller::webhooks;
use env::sim::{Served, SimEnv};
use env::{Env, HttpService, Trace, TraceRecord};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use suites::metrics::{self, Answers};
use suites::routes::Family;
use suites::{
    Bed, Changes, Check, Failure, Feature, Kubernetes, Question, Report, Scenario, Share, Verdict, Write, runner,
};
use tidepool::gateway::Lag;
use tidepool::{Embedded, transport};

use crate::doors;
use crate::installation;
use crate::metric_server::{self, MetricServer};

#[cfg(test)]
pub(crate) use controllers::Layer;
pub(crate) use controllers::{Care, Controllers, Strike};

/// Where the controller's webhooks are in the cluster's network.
const WEBHOOKS: (&str, &str, u16) = ("tidegate", "tidegate-webhook", 443);

/// How one scenario is played.
#[derive(Clone, Default)]
pub(crate) struct Play {
    /// The seed.
    pub(crate) seed: u64,
    /// Whether a trace is kept.
    pub(crate) is_traced: bool,
    /// How the controller is run.
    pub(crate) care: Care,
    /// In which family of objects its routes are said.
    pub(crate) family: Family,
}

impl Play {
    /// With this seed, no trace, and a controller that is alone and unharmed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// The same with a trace, or without one.
    pub(crate) fn traced(mut self, is_traced: bool) -> Self {
        self.is_traced = is_traced;
        self
    }

    /// The same with its routes in that family.
    pub(crate) fn through(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// The same with a controller that is run so.
    pub(crate) fn with(mut self, care: Care) -> Self {
        self.care = care;
        self
    }
}

/// What a play leaves.
#[derive(Debug)]
pub(crate) struct Played {
    /// How it went.
    pub(crate) report: Report,
    /// The trace; empty when none was asked for.
    pub(crate) trace: Vec<TraceRecord>,
    /// The writes of each controller process, all of them.
    pub(crate) writes: Vec<Vec<transport::Write>>,
}

impl Played {
    /// A report of which nothing else is left.
    pub(crate) fn only(report: Report) -> Self {
        Self {
            report,
            trace: Vec::new(),
            writes: Vec::new(),
        }
    }
}

/// Plays one scenario in a world of its own, on this thread.
pub(crate) fn play(scenario: &Scenario, how: &Play) -> Played {
    let trace = if how.is_traced {
        Trace::in_memory()
    } else {
        Trace::off()
    };
    let lines = trace.clone();
    let mut played = env::sim::run(how.seed, trace, |world| async move {
        let bed = match EmbeddedBed::start(&world, how.care.clone(), how.family).await {
            Ok(bed) => Arc::new(bed),
            Err(failure) => return Played::only(runner::could_not_start(&scenario.id, failure)),
        };
        let mut report = runner::run(scenario, bed.clone()).await;
        let writes = bed.controllers.writes();
        for said in bed.controllers.panics() {
            blame(&mut report, format!("the controller panicked: {said}"));
        }
        if let Ok(bed) = Arc::try_unwrap(bed) {
            bed.stop().await;
        }
        Played {
            writes,
            ..Played::only(report)
        }
    });
    played.trace = lines.take();
    played
}

/// Adds a failure to a report.
pub(crate) fn blame(report: &mut Report, message: String) {
    let failure = Failure::new(Check::Cluster, message);
    match &mut report.verdict {
        Verdict::Failed(failures) => failures.push(failure),
        verdict => *verdict = Verdict::Failed(vec![failure]),
    }
}

/// A cluster in this process with the controller in it.
pub(crate) struct EmbeddedBed {
    env: Env,
    family: Family,
    /// How late the gateway is, once it has been made slow.
    lag: Mutex<Option<Lag>>,
    cluster: Arc<Embedded>,
    controllers: Controllers,
    webhooks: Served,
    prometheus: MetricServer,
    _asked: Served,
}

impl EmbeddedBed {
    /// Starts the cluster, installs the controller and starts it.
    ///
    /// # Errors
    /// When the installation is refused.
    pub(crate) async fn start(world: &SimEnv, care: Care, family: Family) -> Result<Self, Failure> {
        let cluster = Arc::new(Embedded::start(&world.env, &world.network, tidepool::Options::default()).await);
        let person = Kubernetes::new(client(cluster.api()));
        let door = doors::door(family, tidepool::gateway::GATEWAY_CONTROLLER);
        for object in doors::definitions(family).into_iter().chain(door) {
            create(&person, object).await?;
        }
        let webhooks = install(world, &cluster).await?;
        let prometheus = MetricServer::new(&world.env, metric_server::WINDOW);
        let way = cluster.clone();
        let controllers = Controllers::start(world.env.clone(), move |identity| way.transport(identity), care);
        Ok(Self {
            env: world.env.clone(),
            _asked: world.network.serve(metrics::AUTHORITY, prometheus.service()),
            prometheus,
            family,
            lag: Mutex::default(),
            cluster,
            controllers,
            webhooks,
        })
    }

    /// Ends controller and cluster, and waits for them.
    pub(crate) async fn stop(self) {
        self.controllers.stop().await;
        drop(self.webhooks);
        if let Ok(cluster) = Arc::try_unwrap(self.cluster) {
            cluster.stop().await;
        }
    }
}

/// A client over a service in this process.
pub(crate) fn client(service: HttpService) -> kube::Client {
    kube::Client::new(service, "default")
}

/// Creates what a cluster with ingress-nginx and an installed controller holds, and serves the webhooks until the returned value is dropped.
///
/// # Errors
/// When the installation is refused.
pub(crate) async fn install(world: &SimEnv, cluster: &Embedded) -> Result<Served, Failure> {
    let (namespace, name, port) = WEBHOOKS;
    let served = world.network.serve(
        format!("{name}.{namespace}.svc:{port}"),
        webhooks(&world.env, client(cluster.transport("tidegate-webhooks").service())),
    );
    let person = &Kubernetes::new(client(cluster.api()));
    let endpoint = Endpoint::Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port,
    };
    for object in installation::objects(&endpoint, &[]) {
        create(person, object).await?;
    }
    Ok(served)
}

async fn create(person: &Kubernetes, object: Value) -> Result<(), Failure> {
    let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
    person
        .create(&object)
        .await
        .map(drop)
        .map_err(|error| Failure::new(Check::Cluster, format!("install {what}: {error}")))
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
        self.prometheus.watching(self.cluster.gateway())
    }

    fn family(&self) -> Family {
        self.family
    }

    fn namespace(&self) -> &'static str {
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
            Feature::RoutesApart,
            Feature::RestartController,
            Feature::CountWrites,
            Feature::Admission,
            Feature::SlowGateway,
            Feature::Metrics,
        ]
        .into_iter()
        .chain(self.family.features().iter().copied())
        .chain((self.family != Family::Ingress).then_some(Feature::IngressBeside))
        .collect()
    }

    fn changes(&self) -> Changes {
        Changes::new(self.env.clone(), self.cluster.changes())
    }

    fn split(&self, question: &Question) -> Option<Vec<Share>> {
        let shares = self.cluster.route(&question.host, &question.path, &question.headers);
        Some(installation::shares(shares))
    }

    fn pause(&self, asked: Duration) -> Duration {
        asked
    }

    fn gateway_lag(&self) -> Duration {
        // A change that comes right after another waits for the gateway's next reading.
        let lag = (*self.lag.lock()).unwrap_or_default();
        lag.between + lag.most
    }

    fn slow_gateway(&self, least: Duration, most: Duration) {
        let between = Duration::ZERO;
        let lag = Lag { least, most, between };
        self.cluster.slow_gateway(lag);
        *self.lag.lock() = Some(lag);
    }

    fn metrics(&self, answers: Answers) {
        self.prometheus.answer(answers);
    }

    fn queries(&self) -> usize {
        self.prometheus.queries()
    }

    fn writes(&self) -> Vec<Write> {
        self.controllers
            .writes()
            .into_iter()
            .flatten()
            .filter_map(installation::counted)
            .collect()
    }

    fn restart_controller(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.controllers.restart())
    }
}

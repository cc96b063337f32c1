//! What a cluster offers to a scenario: the bed it lies in.
//!
//! Implemented by the binaries that run the suite (embedded, local, a stranger's cluster); everything else in this library takes a [`Bed`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use env::watch;
use env::{Env, HttpService};
use futures::future::BoxFuture;

use crate::Failure;
use crate::metrics::{Answers, Query};
use crate::routes::{Door, Family};

/// Something that a cluster or an implementation may have; a scenario that needs one that is missing is skipped, and the report says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// An nginx-class gateway routes by Ingress.
    IngressNginx,
    /// Hours pass at once.
    VirtualTime,
    /// The gateway can tell the exact probability of each backend.
    ExactSplit,
    /// The gateway splits the routes of a release alone, and not what else leads to the same Service.
    RoutesApart,
    /// The controller can be killed and started again.
    RestartController,
    /// The controller's own requests can be seen, so that its writes can be counted.
    CountWrites,
    /// The controller refuses a bad Rollout when it is written.
    Admission,
    /// A release splits the user's route object itself: HTTPRoutes, VirtualServices.
    SplitInPlace,
    /// The gateway routes by the Gateway API, and reports in a route's status what it has taken in.
    GatewayApi,
    /// The gateway tells pods of one Service apart by the subsets of a DestinationRule.
    Subsets,
    /// The gateway routes by Ingresses of the class nginx beside the family's routes.
    IngressBeside,
    /// The gateway can be made slow.
    SlowGateway,
    /// There is a metric server whose answers can be chosen.
    Metrics,
    /// A real metric server scrapes the gateway.
    ScrapedGateway,
}

impl Feature {
    /// The name under which reports know it.
    pub fn id(self) -> &'static str {
        match self {
            Self::IngressNginx => "ingress-nginx",
            Self::VirtualTime => "virtual time",
            Self::ExactSplit => "exact split",
            Self::RoutesApart => "routes apart",
            Self::RestartController => "restart of the controller",
            Self::CountWrites => "count of writes",
            Self::Admission => "admission",
            Self::SplitInPlace => "routes that are split in place",
            Self::GatewayApi => "Gateway API",
            Self::Subsets => "subsets of a Service",
            Self::IngressBeside => "Ingresses beside other routes",
            Self::SlowGateway => "slow gateway",
            Self::Metrics => "metric server",
            Self::ScrapedGateway => "real metric server that scrapes the gateway",
        }
    }
}

/// One write that the controller sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Write {
    /// `create`, `update`, `patch`, `apply`, `delete`.
    pub verb: String,
    /// The resource in the plural, with its subresource (`rollouts/status`).
    pub resource: String,
    /// The object's name.
    pub name: String,
}

/// The exact share of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The pod's name.
    pub pod: String,
    /// The probability with which a request reaches it.
    pub probability: f64,
}

/// What a request asks a gateway for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The Host header.
    pub host: String,
    /// The path.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// A cursor over "something in the cluster changed".
#[derive(Debug)]
pub struct Changes {
    env: Env,
    revision: watch::Receiver<u64>,
}

impl Changes {
    /// A cursor that begins now.
    pub fn new(env: Env, revision: watch::Receiver<u64>) -> Self {
        Self { env, revision }
    }

    /// Returns when anything has changed since the last call, and after `at_most` in any case.
    pub async fn next(&mut self, at_most: Duration) {
        let changed = async {
            if self.revision.changed().await.is_err() {
                // The cluster is gone: only time goes on.
                std::future::pending::<()>().await;
            }
        };
        // A limit that passes is as good as a change: the caller looks again either way.
        let _ = self.env.clock().timeout(at_most, changed).await;
    }
}

/// A cluster with a controller in it.
pub trait Bed: Send + Sync {
    /// The cluster's name: `embedded`, `local`, …
    fn name(&self) -> &'static str;

    /// Its time, chance and trace.
    fn env(&self) -> &Env;

    /// The API as a person reaches it.
    fn person(&self) -> kube::Client;

    /// The gateway, as a browser reaches it.
    fn gateway(&self) -> HttpService;

    /// The namespace that the scenario has for itself.
    fn namespace(&self) -> &str;

    /// Whether nothing else runs in the cluster, so that cluster-scoped objects and other namespaces can be compared too.
    fn is_exclusive(&self) -> bool;

    /// What it has.
    fn features(&self) -> BTreeSet<Feature>;

    /// A cursor over its changes.
    fn changes(&self) -> Changes;

    /// The exact split of a route, where the gateway can tell it.
    fn split(&self, question: &Question) -> Option<Vec<Share>>;

    /// The family of route objects that the gateway is led by.
    fn family(&self) -> Family {
        Family::Ingress
    }

    /// The Gateway that routes are bound to, in families that have one.
    fn door(&self) -> Door {
        Door::default()
    }

    /// The name under which the gateway knows a manifest's host: one of the scenario's own where several share a gateway.
    fn host(&self, written: &str) -> String {
        written.to_owned()
    }

    /// How long a pause of `asked` in a manifest, or a watch of that time, is to be in this cluster: shorter where time is real.
    fn pause(&self, asked: Duration) -> Duration;

    /// How long the gateway may take until it follows a change of its objects.
    fn gateway_lag(&self) -> Duration;

    /// Lets the gateway follow every change only after a time from `least` to `most`; where it cannot be told, [`Feature::SlowGateway`] is missing.
    fn slow_gateway(&self, least: Duration, most: Duration) {
        let _ = (least, most);
    }

    /// Lets the metric server answer so from now on; where there is none, [`Feature::Metrics`] is missing.
    fn metrics(&self, answers: Answers) {
        let _ = answers;
    }

    /// What a real metric server that scrapes the gateway knows of the scenario's requests; where there is none, [`Feature::ScrapedGateway`] is missing.
    fn measured(&self) -> Option<Query> {
        None
    }

    /// Where the metric server is.
    fn metric_server(&self) -> String {
        crate::metrics::address()
    }

    /// How many queries the metric server has had.
    fn queries(&self) -> usize {
        0
    }

    /// How long a change may be on its way to whoever watches: so much may two moments of the history be nearer to each other than the writes were.
    fn delivery(&self) -> Duration {
        Duration::ZERO
    }

    /// What the controller has written so far, without Events and leases; empty where nobody can count.
    fn writes(&self) -> Vec<Write>;

    /// Kills the controller and starts another.
    fn restart_controller(&self) -> BoxFuture<'_, Result<(), Failure>>;
}

/// A bed that is shared by a stage and its watchers.
pub type SharedBed = Arc<dyn Bed>;

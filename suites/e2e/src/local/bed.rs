//! The local bed: one scenario's namespace on a real control plane, in real time. Used by [`super::play`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, watch};
use futures::future::BoxFuture;
use suites::metrics::{Answers, Query};
use suites::routes::Family;
use suites::{Bed, Changes, Failure, Feature, Question, Share, Write};

use crate::gateway::{DataPlane, Gateway};
use crate::installation;
use crate::metric_server::MetricServer;

use super::ground::Ground;

/// The name under which reports and expectations know it.
pub(super) const CLUSTER: &str = "local";
/// A pause or a watch is not made shorter than this.
const SHORT: Duration = Duration::from_secs(2);
/// Of what is longer, this part is added, so that a longer pause stays longer.
const PART: u32 = 100;

/// What a scenario knows of the cluster.
pub(super) struct LocalBed {
    ground: Arc<Ground>,
    namespace: String,
    metrics: MetricServer,
    changes: watch::Receiver<u64>,
}

impl LocalBed {
    /// Makes the namespace.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(super) async fn make(ground: Arc<Ground>, namespace: &str) -> anyhow::Result<Self> {
        let changes = ground.namespace(namespace).await?;
        Ok(Self {
            metrics: ground.metrics.of(namespace),
            ground,
            namespace: namespace.to_owned(),
            changes,
        })
    }

    /// What a local cluster has behind that gateway.
    pub(super) fn features(gateway: Gateway) -> BTreeSet<Feature> {
        let mut features: BTreeSet<Feature> = [
            Feature::IngressNginx,
            Feature::RestartController,
            Feature::CountWrites,
            Feature::Admission,
        ]
        .into();
        if gateway.data_plane() == DataPlane::Tidepool {
            features.insert(Feature::ExactSplit);
            // What is judged by chosen answers is the same behind every proxy, and takes its time.
            features.insert(Feature::Metrics);
        } else {
            features.insert(Feature::ScrapedGateway);
        }
        let family = gateway.family();
        features.extend(family.features());
        if gateway.data_plane() == DataPlane::Tidepool && family != Family::Ingress {
            features.insert(Feature::IngressBeside);
        }
        // Traefik asks which Service an Ingress leads to, and splits every way to it.
        if gateway != Gateway::TraefikIngress {
            features.insert(Feature::RoutesApart);
        }
        features
    }
}

/// How long `asked` is here, where time is real.
pub(super) fn shortened(asked: Duration) -> Duration {
    asked.min(SHORT + asked / PART)
}

impl Bed for LocalBed {
    fn name(&self) -> &'static str {
        CLUSTER
    }

    fn env(&self) -> &Env {
        &self.ground.env
    }

    fn person(&self) -> kube::Client {
        self.ground.person()
    }

    fn gateway(&self) -> HttpService {
        self.metrics.watching(self.ground.service())
    }

    fn metrics(&self, answers: Answers) {
        self.metrics.answer(answers);
    }

    fn metric_server(&self) -> String {
        self.ground.metrics.address(&self.namespace)
    }

    fn measured(&self) -> Option<Query> {
        self.ground.measured(&self.namespace)
    }

    fn queries(&self) -> usize {
        self.metrics.queries()
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn features(&self) -> BTreeSet<Feature> {
        Self::features(self.ground.gateway())
    }

    fn changes(&self) -> Changes {
        Changes::new(self.ground.env.clone(), self.changes.clone())
    }

    fn split(&self, question: &Question) -> Option<Vec<Share>> {
        self.ground.split(question)
    }

    /// One gateway serves all namespaces, and one host belongs to one of them.
    fn host(&self, written: &str) -> String {
        format!("{}.{written}", self.namespace)
    }

    fn family(&self) -> Family {
        self.ground.gateway().family()
    }

    fn pause(&self, asked: Duration) -> Duration {
        shortened(asked)
    }

    fn gateway_lag(&self) -> Duration {
        self.ground.gateway().lag()
    }

    fn delivery(&self) -> Duration {
        // Watches of several kinds on two busy processors.
        Duration::from_millis(250)
    }

    fn writes(&self) -> Vec<Write> {
        let writes = self.ground.writes(&self.namespace).into_iter();
        writes.filter_map(installation::counted).collect()
    }

    fn restart_controller(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.ground.restart_controller())
    }
}

//! The remote bed: one scenario's namespace on a cluster behind a kubeconfig, in real time. Used by [`super::play`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, watch};
use futures::future::BoxFuture;
use suites::metrics::{Answers, Query};
use suites::routes::{Door, Family};
use suites::{Bed, Changes, Check, Failure, Feature, Question, Share, Write};

use super::ground::{Entrance, Ground};
use crate::metric_server::MetricServer;

/// A pause or a watch is not made shorter than this: longer than it takes to count a thousand answers on a busy machine, twice.
const SHORT: Duration = Duration::from_secs(20);
/// Of what is longer, this part is added, so that a longer pause stays longer.
const PART: u32 = 100;

/// How long `asked` is here, where time is real.
pub(crate) fn shortened(asked: Duration) -> Duration {
    asked.min(SHORT + asked / PART)
}

/// What a scenario knows of the cluster.
pub(super) struct RemoteBed {
    ground: Arc<Ground>,
    entrance: Entrance,
    namespace: String,
    metrics: Option<MetricServer>,
    changes: watch::Receiver<u64>,
}

impl RemoteBed {
    /// Makes the namespace.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(super) async fn make(ground: Arc<Ground>, entrance: Entrance, scenario: &str) -> anyhow::Result<Self> {
        let (namespace, changes) = ground.namespace(scenario).await?;
        Ok(Self {
            metrics: ground.site.metrics.as_ref().map(|metrics| metrics.of(&namespace)),
            ground,
            entrance,
            namespace,
            changes,
        })
    }

    /// What a remote cluster has: weights are counted there, and nobody sees the controller's requests.
    pub(super) fn features_of(ground: &Ground, entrance: &Entrance) -> BTreeSet<Feature> {
        let mut features = ground.site.features.clone();
        features.insert(Feature::IngressNginx);
        features.extend(entrance.family.features());
        if ground.site.controller.is_some() {
            features.insert(Feature::RestartController);
        }
        if ground.site.metrics.is_some() {
            features.insert(Feature::Metrics);
        }
        if entrance.scraped.is_some() {
            features.insert(Feature::ScrapedGateway);
        }
        // Traefik's nginx dialect does not, and which gateway of the dialect it is does not show.
        if entrance.family != Family::Ingress {
            features.insert(Feature::RoutesApart);
        }
        features
    }
}

impl Bed for RemoteBed {
    fn name(&self) -> &'static str {
        self.ground.site.cluster
    }

    fn env(&self) -> &Env {
        &self.ground.env
    }

    fn person(&self) -> kube::Client {
        self.ground.site.client.clone()
    }

    fn gateway(&self) -> HttpService {
        let gateway = self.entrance.gateway.clone();
        match &self.metrics {
            Some(metrics) => metrics.watching(gateway),
            None => gateway,
        }
    }

    fn metrics(&self, answers: Answers) {
        if let Some(metrics) = &self.metrics {
            metrics.answer(answers);
        }
    }

    fn metric_server(&self) -> String {
        let metrics = self.ground.site.metrics.as_ref();
        metrics.map_or_else(suites::metrics::address, |metrics| metrics.address(&self.namespace))
    }

    fn measured(&self) -> Option<Query> {
        let scraped = self.entrance.scraped.as_ref()?;
        Some(scraped.success_rate(&self.namespace))
    }

    fn queries(&self) -> usize {
        self.metrics.as_ref().map_or(0, MetricServer::queries)
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn features(&self) -> BTreeSet<Feature> {
        Self::features_of(&self.ground, &self.entrance)
    }

    fn changes(&self) -> Changes {
        Changes::new(self.ground.env.clone(), self.changes.clone())
    }

    fn split(&self, _: &Question) -> Option<Vec<Share>> {
        None
    }

    fn family(&self) -> Family {
        self.entrance.family
    }

    fn door(&self) -> Door {
        self.entrance.door.clone()
    }

    /// One gateway serves all namespaces, and one host belongs to one of them.
    fn host(&self, written: &str) -> String {
        format!("{}.{written}", self.namespace)
    }

    fn pause(&self, asked: Duration) -> Duration {
        shortened(asked)
    }

    fn gateway_lag(&self) -> Duration {
        self.entrance.lag
    }

    fn delivery(&self) -> Duration {
        // Watches of several kinds, over a network, on busy processors.
        Duration::from_millis(500)
    }

    fn writes(&self) -> Vec<Write> {
        Vec::new()
    }

    fn restart_controller(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async {
            let restarted = self.ground.restart_controller().await;
            restarted.map_err(|error| Failure::new(Check::Cluster, format!("{error:#}")))
        })
    }
}

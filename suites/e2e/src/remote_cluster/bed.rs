//! The remote bed: one scenario's namespace on a cluster behind a kubeconfig, in real time. Used by [`super::play`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, watch};
use futures::future::BoxFuture;
use suites::{Bed, Changes, Check, Failure, Feature, Question, Share, Write};

use super::ground::Ground;
use crate::local::shortened;

/// What a scenario knows of the cluster.
pub(super) struct RemoteBed {
    ground: Arc<Ground>,
    namespace: String,
    changes: watch::Receiver<u64>,
}

impl RemoteBed {
    /// Makes the namespace.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(super) async fn make(ground: Arc<Ground>, scenario: &str) -> anyhow::Result<Self> {
        let (namespace, changes) = ground.namespace(scenario).await?;
        Ok(Self {
            ground,
            namespace,
            changes,
        })
    }

    /// What a remote cluster has: weights are counted there, and nobody sees the controller's requests.
    pub(super) fn features_of(ground: &Ground) -> BTreeSet<Feature> {
        let mut features = BTreeSet::from([Feature::IngressNginx, Feature::Admission]);
        if ground.site.controller.is_some() {
            features.insert(Feature::RestartController);
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
        self.ground.gateway()
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn features(&self) -> BTreeSet<Feature> {
        Self::features_of(&self.ground)
    }

    fn changes(&self) -> Changes {
        Changes::new(self.ground.env.clone(), self.changes.clone())
    }

    fn split(&self, _: &Question) -> Option<Vec<Share>> {
        None
    }

    /// One gateway serves all namespaces, and one host belongs to one of them.
    fn host(&self, written: &str) -> String {
        format!("{}.{written}", self.namespace)
    }

    fn pause(&self, asked: Duration) -> Duration {
        shortened(asked)
    }

    fn gateway_lag(&self) -> Duration {
        self.ground.site.gateway_lag
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

//! The cluster that all remote beds stand on: its API, its gateway, and its controller as a Deployment. Made by whoever knows the cluster.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::{Env, HttpService, watch};
use http::HeaderValue;
use http::header::CONNECTION;
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::routes::{Door, Family};
use suites::{Feature, Kubernetes, ObjectRef};
use tokio::task::JoinSet;

use crate::metric_servers::Metrics;
use crate::scraped::Scraped;

use super::watches::{self, Followed};

/// How long a namespace may take to be furnished, and a controller to come back.
const WITHIN: Duration = Duration::from_secs(90);
/// How long the namespaces of a run may take to go: their pods drain.
const GONE_WITHIN: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(200);
/// The longest name of a namespace.
const LONGEST: usize = 63;
/// Found on every namespace of ours, so that leftovers can be found by hand as well.
const LABEL: &str = "tidegate.dev/e2e";

/// What is known of a cluster before anything runs on it.
#[derive(Clone)]
pub(crate) struct Site {
    /// The name under which reports and expectations know it.
    pub(crate) cluster: &'static str,
    /// A person's way to its API.
    pub(crate) client: kube::Client,
    /// The controller's Deployment, when it may be restarted.
    pub(crate) controller: Option<ObjectRef>,
    /// What the controller there can do beyond releasing.
    pub(crate) features: BTreeSet<Feature>,
    /// The metric servers of scenarios, where pods can reach this machine.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

/// One of a cluster's gateways.
#[derive(Clone)]
pub(crate) struct Entrance {
    /// The family of route objects that leads it.
    pub(crate) family: Family,
    /// How long it may take to follow a change of its objects.
    pub(crate) lag: Duration,
    /// The Gateway that routes are bound to, in families that have one.
    pub(crate) door: Door,
    /// The real metric server that scrapes it, if one does.
    pub(crate) scraped: Option<Scraped>,
    /// Sends requests through it.
    pub(super) gateway: HttpService,
}

/// A cluster with a controller in it.
pub(crate) struct Ground {
    pub(crate) env: Env,
    pub(super) site: Site,
    followed: Followed,
    /// The namespaces that were made here, or may have been, and are not known to be gone.
    made: Mutex<BTreeSet<String>>,
    /// The watches; they end with the ground.
    _tasks: JoinSet<()>,
}

impl Ground {
    /// Begins to watch the cluster.
    pub(crate) fn start(env: &Env, site: Site) -> Arc<Self> {
        let followed = Followed::default();
        let mut tasks = JoinSet::new();
        watches::start(env, &site.client, &followed, &mut tasks);
        Arc::new(Self {
            env: env.clone(),
            site,
            followed,
            made: Mutex::default(),
            _tasks: tasks,
        })
    }

    /// The gateway that answers at `authority`, as `host:port`; every request has a connection of its own, as a new visitor's has.
    ///
    /// # Errors
    /// When that is no address.
    pub(crate) async fn entrance(&self, authority: &str, family: Family, lag: Duration) -> Result<Entrance> {
        let gateway = self
            .env
            .dial(authority)
            .await
            .with_context(|| format!("reach the gateway at {authority}"))?;
        Ok(Entrance {
            family,
            lag,
            door: Door::default(),
            scraped: None,
            gateway: fresh(gateway),
        })
    }

    /// A person's client.
    pub(crate) fn client(&self) -> kube::Client {
        self.site.client.clone()
    }

    /// The API, with its kinds looked up anew.
    pub(crate) fn kubernetes(&self) -> Kubernetes {
        Kubernetes::new(self.site.client.clone())
    }

    /// Makes a namespace for a scenario; its name, and a cursor over what changes in it.
    ///
    /// # Errors
    /// When the API server refuses, or the cluster's controllers do not furnish it.
    pub(crate) async fn namespace(&self, scenario: &str) -> Result<(String, watch::Receiver<u64>)> {
        let name = namespace_name(scenario, &self.env.chance("namespace").name_suffix(5));
        let changes = self.followed.begin(&name);
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": name, "labels": { LABEL: scenario } },
        });
        let kubernetes = self.kubernetes();
        // Before it is there: who is ended in the middle has made it all the same.
        self.made.lock().insert(name.clone());
        if let Err(error) = kubernetes.create(&object).await {
            if error.code != 0 {
                self.made.lock().remove(&name);
            }
            return Err(error).context("make a namespace for a scenario");
        }
        // What the control plane puts into each namespace (and so into `default`) is there before the inventory is taken.
        for (kind, name_of_it) in [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")] {
            let example = ObjectRef::namespaced("v1", kind, "default", name_of_it);
            if kubernetes.get(&example).await?.is_none() {
                continue;
            }
            let furniture = ObjectRef::namespaced("v1", kind, &name, name_of_it);
            self.until(&furniture.to_string(), WITHIN, || async {
                Ok(kubernetes.get(&furniture).await?.is_some())
            })
            .await?;
        }
        Ok((name, changes))
    }

    /// Takes a scenario's namespace away; what is in it goes in its own time.
    pub(super) async fn leave(&self, name: &str) {
        self.followed.end(name);
        if let Err(error) = self.kubernetes().delete(&namespace(name)).await {
            tracing::warn!(%error, "leave a scenario's namespace");
        }
    }

    /// Takes every namespace away that was made here, and waits until all are gone. An API server that is away for a moment is asked again.
    ///
    /// # Errors
    /// Which one stays, and how to remove it by hand.
    pub(crate) async fn clean(&self) -> Result<()> {
        let made: Vec<String> = self.made.lock().iter().cloned().collect();
        let kubernetes = self.kubernetes();
        // Those that were ended in the middle could not clean up after themselves.
        for name in &made {
            self.followed.end(name);
            self.is_left(&kubernetes, name).await;
        }
        for name in &made {
            self.until(&format!("the end of namespace {name}"), GONE_WITHIN, || async {
                Ok(self.is_left(&kubernetes, name).await)
            })
            .await
            .with_context(|| format!("leave nothing behind; by hand: kubectl delete namespace -l {LABEL}"))?;
            self.made.lock().remove(name);
        }
        Ok(())
    }

    /// Whether a namespace is gone; one that nobody deletes yet is deleted.
    async fn is_left(&self, kubernetes: &Kubernetes, name: &str) -> bool {
        let object = namespace(name);
        let refused = match kubernetes.get(&object).await {
            Ok(None) => return true,
            Ok(Some(found)) if found.pointer("/metadata/deletionTimestamp").is_some() => return false,
            Ok(Some(_)) => kubernetes.delete(&object).await.err(),
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            tracing::warn!(%error, "take away namespace {name}");
        }
        false
    }

    /// Kills the controller's pods, as a crash does, and waits until the Deployment has others that are ready.
    ///
    /// # Errors
    /// When there is none, or it does not come back.
    pub(super) async fn restart_controller(&self) -> Result<()> {
        let Some(deployment) = &self.site.controller else {
            bail!("the controller of {} is not ours to restart", self.site.cluster);
        };
        let kubernetes = self.kubernetes();
        let found = kubernetes.get(deployment).await?.unwrap_or_default();
        let labels = found.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        let selector: Vec<String> = labels
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        if selector.is_empty() {
            bail!("{deployment} is gone, or selects no pods");
        }
        let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(
            self.site.client.clone(),
            deployment.namespace.as_deref().unwrap_or_default(),
        );
        let selector = kube::api::ListParams::default().labels(&selector.join(","));
        let old = pods.list(&selector).await.context("list the controller's pods")?;
        // One after the other, so that the webhooks go on: the one that leads is among them.
        for pod in &old.items {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            let at_once = kube::api::DeleteParams::default().grace_period(0);
            pods.delete(name, &at_once)
                .await
                .with_context(|| format!("kill the controller's pod {name}"))?;
            self.until("another controller", WITHIN, || async {
                let now = pods.list(&selector).await.context("list the controller's pods")?;
                let mut others = now.items.iter().filter(|other| other.metadata.uid != pod.metadata.uid);
                Ok(now.items.len() >= old.items.len() && others.all(is_ready))
            })
            .await?;
        }
        Ok(())
    }

    async fn until<F>(&self, what: &str, within: Duration, look: impl Fn() -> F) -> Result<()>
    where
        F: Future<Output = Result<bool>>,
    {
        let looking = async {
            while !look().await? {
                self.env.sleep(LOOK).await;
            }
            Ok::<(), anyhow::Error>(())
        };
        match self.env.clock().timeout(within, looking).await {
            Ok(outcome) => outcome.with_context(|| format!("wait for {what}")),
            Err(env::Elapsed) => bail!("{what} did not come within {within:?}"),
        }
    }
}

/// A name of its own for each time that a scenario is played, and still readable.
pub(super) fn namespace_name(scenario: &str, chance: &str) -> String {
    let room = LONGEST - "e2e--".len() - chance.len();
    let readable: String = scenario
        .chars()
        .map(|char| match char.is_ascii_alphanumeric() {
            true => char.to_ascii_lowercase(),
            false => '-',
        })
        .take(room)
        .collect();
    format!("e2e-{}-{chance}", readable.trim_matches('-'))
}

fn namespace(name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

fn is_ready(pod: &k8s_openapi::api::core::v1::Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The same service with a new connection for every request: one that idles may be closed just when it is used again, and no user lost anything then.
fn fresh(gateway: HttpService) -> HttpService {
    HttpService::new(move |mut request| {
        let gateway = gateway.clone();
        request
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        async move { gateway.send(request).await }
    })
}

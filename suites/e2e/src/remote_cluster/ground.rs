//! The cluster that all remote beds stand on: its API, its gateway, and its controller as a Deployment. Made by whoever knows the cluster.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::{Env, HttpService, watch};
use http::HeaderValue;
use http::header::CONNECTION;
use serde_json::{Value, json};
use suites::routes::Family;
use suites::{Kubernetes, ObjectRef};
use tokio::task::JoinSet;

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
}

/// One of a cluster's gateways.
#[derive(Clone)]
pub(crate) struct Entrance {
    /// The family of route objects that leads it.
    pub(crate) family: Family,
    /// How long it may take to follow a change of its objects.
    pub(crate) lag: Duration,
    /// Sends requests through it.
    pub(super) gateway: HttpService,
}

/// A cluster with a controller in it.
pub(crate) struct Ground {
    pub(super) env: Env,
    pub(super) site: Site,
    followed: Followed,
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
            gateway: fresh(gateway),
        })
    }

    /// A person's client.
    pub(crate) fn client(&self) -> kube::Client {
        self.site.client.clone()
    }

    /// The API, with its kinds looked up anew.
    pub(super) fn kubernetes(&self) -> Kubernetes {
        Kubernetes::new(self.site.client.clone())
    }

    /// Makes a namespace for a scenario; its name, and a cursor over what changes in it.
    ///
    /// # Errors
    /// When the API server refuses, or the cluster's controllers do not furnish it.
    pub(super) async fn namespace(&self, scenario: &str) -> Result<(String, watch::Receiver<u64>)> {
        let name = namespace_name(scenario, &self.env.chance("namespace").name_suffix(5));
        let changes = self.followed.begin(&name);
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": name, "labels": { LABEL: scenario } },
        });
        let kubernetes = self.kubernetes();
        kubernetes
            .create(&object)
            .await
            .context("make a namespace for a scenario")?;
        // What the control plane puts into each namespace is there before the inventory is taken.
        for (kind, name_of_it) in [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")] {
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

    /// Waits until every namespace of these names is gone.
    ///
    /// # Errors
    /// Which one stays.
    pub(super) async fn until_left(&self, names: &[String]) -> Result<()> {
        let kubernetes = self.kubernetes();
        for name in names {
            let object = namespace(name);
            self.until(&format!("the end of namespace {name}"), GONE_WITHIN, || async {
                Ok(kubernetes.get(&object).await?.is_none())
            })
            .await?;
        }
        Ok(())
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

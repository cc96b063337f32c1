//! A Kubernetes Job as a measurement: good when it completes, bad when it fails. After Argo Rollouts' job metric. The Job's name follows from the
//! run, the metric and the number of the measurement, so that a controller that starts again finds the Job that it made and makes no second one.
//!
//! What a Job's state means is decided in [`state`], without the network; this module reads and writes by the client that the driver gives.

pub mod manifest;
pub mod state;

use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, PostParams, Preconditions};
use serde_json::Value;

use self::state::State;
use super::trouble::Fault;
use super::{Network, Provider, Reading, Secrets, Trouble, Verdict};
use crate::explain::explain;

/// How long one request to the API server may take.
pub(super) const REQUEST_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// The most pods of a Job that are looked at.
const MOST_PODS: u32 = 50;

/// A measurement by a Job.
#[derive(Clone)]
pub struct Job {
    /// The client that reads and writes.
    pub client: kube::Client,
    /// The whole Job, from [`manifest::job`].
    pub manifest: Value,
    /// Whether there ought to be one by now.
    pub stage: Stage,
}

/// How far a measurement by a Job has come, as the run's status has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is to be made, unless it was made before the status could say so.
    Begin,
    /// It was made. One that is gone is not made again.
    Begun,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({}/{}, {:?})", self.namespace(), self.name(), self.stage)
    }
}

impl Provider for Job {
    fn measure<'a>(&'a self, network: &'a Network, secrets: &'a Secrets) -> BoxFuture<'a, Result<Reading, Trouble>> {
        Box::pin(async move {
            let now = network.env().now();
            let looked = network.env().clock().timeout(REQUEST_LIMIT, self.look(now)).await;
            let looked = looked.unwrap_or(Err(Fault::Timeout(REQUEST_LIMIT)));
            looked
                .map(|state| state.reading(secrets))
                .map_err(|fault| fault.about(&self.what(), secrets))
        })
    }
}

impl Job {
    /// Takes the Job away, with its pods: the run has ended, or does not wait for it any more. One that is gone is fine.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn remove(&self, network: &Network, secrets: &Secrets) -> Result<(), Trouble> {
        let removed = network.env().clock().timeout(REQUEST_LIMIT, self.delete()).await;
        let removed = removed.unwrap_or(Err(Fault::Timeout(REQUEST_LIMIT)));
        removed.map_err(|fault| fault.about(&self.what(), secrets))
    }

    /// The Job's name, for the measurement's metadata.
    pub fn name(&self) -> &str {
        text(&self.manifest, "name")
    }

    fn namespace(&self) -> &str {
        text(&self.manifest, "namespace")
    }

    fn what(&self) -> String {
        format!("Job {}/{}", self.namespace(), self.name())
    }

    async fn look(&self, now: Timestamp) -> Result<State, Fault> {
        let job = match (self.read().await?, self.stage) {
            (Some(job), _) => job,
            (None, Stage::Begin) => self.create().await?,
            (None, Stage::Begun) => {
                return Err(Fault::JobRefused(
                    "it is gone before it ended; leave it until the measurement is over".to_owned(),
                ));
            }
        };
        let seen = State::of(&job, &[], now);
        // Why a Job does not get on is only to be seen at its pods.
        if !matches!(seen, State::Running { .. }) {
            return Ok(seen);
        }
        let pods: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), self.namespace(), &resource("", "Pod", "pods"));
        let of_job = format!("{}={}", manifest::POD_LABEL, self.name());
        let listed = pods.list(&ListParams::default().labels(&of_job).limit(MOST_PODS)).await;
        let pods: Vec<Value> = listed
            .map_err(|error| fault(&error))?
            .items
            .into_iter()
            .map(|pod| pod.data)
            .collect();
        Ok(State::of(&job, &pods, now))
    }

    /// The Job of this name, if there is one and it is ours.
    async fn read(&self) -> Result<Option<Value>, Fault> {
        let found = self.api().get_opt(self.name()).await.map_err(|error| fault(&error))?;
        found.map(|found| self.ours(found)).transpose()
    }

    async fn create(&self) -> Result<Value, Fault> {
        let object: DynamicObject = serde_json::from_value(self.manifest.clone())
            .map_err(|error| Fault::Misconfigured(format!("the Job cannot be sent: {error}")))?;
        let params = PostParams {
            field_manager: Some(api::names::FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        match self.api().create(&params, &object).await {
            Ok(created) => self.ours(created),
            // Made a moment ago by a process whose answer was lost.
            Err(kube::Error::Api(status)) if status.code == 409 => self
                .read()
                .await?
                .ok_or_else(|| Fault::Transport("it is there and then not; it is looked for again".to_owned())),
            Err(error) => Err(fault(&error)),
        }
    }

    async fn delete(&self) -> Result<(), Fault> {
        let Some(found) = self.api().get_opt(self.name()).await.map_err(|error| fault(&error))? else {
            return Ok(());
        };
        let uid = found.metadata.uid.clone();
        self.ours(found)?;
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid,
                resource_version: None,
            }),
            ..DeleteParams::background()
        };
        match self.api().delete(self.name(), &params).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(fault(&error)),
        }
    }

    /// The Job's value, when it belongs to our run.
    fn ours(&self, found: DynamicObject) -> Result<Value, Fault> {
        let owner = |metadata: &Value| metadata["ownerReferences"][0]["uid"].clone();
        let metadata = serde_json::to_value(&found.metadata).unwrap_or_default();
        if owner(&metadata) != owner(&self.manifest["metadata"]) {
            return Err(Fault::JobRefused(
                "there is a Job of this name that belongs to somebody else; remove it".to_owned(),
            ));
        }
        let mut job = found.data;
        job["metadata"] = metadata;
        Ok(job)
    }

    fn api(&self) -> Api<DynamicObject> {
        let jobs = resource("batch", "Job", "jobs");
        Api::namespaced_with(self.client.clone(), self.namespace(), &jobs)
    }
}

impl State {
    fn reading(self, secrets: &Secrets) -> Reading {
        let decided = |verdict, message: &str| Reading::Decided {
            verdict,
            message: secrets.mask(message),
        };
        match self {
            Self::Running { again_in, message } => Reading::Running {
                again_in,
                message: secrets.mask(&message),
            },
            Self::Successful => decided(Verdict::Successful, "the Job completed"),
            Self::Failed { message } => decided(Verdict::Failed, &message),
            Self::Inconclusive { message } => decided(Verdict::Inconclusive, &message),
        }
    }
}

fn text<'a>(manifest: &'a Value, field: &str) -> &'a str {
    manifest["metadata"][field].as_str().unwrap_or_default()
}

fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version: if group.is_empty() {
            "v1".to_owned()
        } else {
            format!("{group}/v1")
        },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// What the API server's refusal means: its own, for as long as the template stays as it is, or that of a server that is busy.
fn fault(error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) if matches!(status.code, 408 | 425 | 429 | 500..) => Fault::ServerError {
            status: status.code,
            words: explain(error),
            retry_after: None,
        },
        kube::Error::Api(status) => Fault::JobRefused(format!(
            "refused: {}; {}",
            explain(error),
            match status.code {
                401 | 403 => "give the controller's account this right, or the namespace the quota",
                _ => "correct the metric's Job",
            }
        )),
        _ => Fault::Transport(explain(error)),
    }
}

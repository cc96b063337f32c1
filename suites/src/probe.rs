//! The probe: sends a user's requests through the gateway and says which version answered.
//!
//! Reads the pod from the answer and looks its revision up through the API, so it needs no help from image, gateway or controller. Used by
//! weight assertions and by the background requests; everything that it sends is counted in one ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use env::{Env, HttpService, Moment};
use http::{HeaderMap, Request};
use parking_lot::Mutex;
use serde_json::Value;

use crate::answer::pod_of;
use crate::object::{controller_of, text};
use crate::{Kubernetes, ObjectRef, Question};

/// The most that an echo answer may weigh.
const LARGEST_ANSWER: usize = 1 << 20;

/// What a pod runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// The image of its first container.
    pub image: String,
    /// The `ReplicaSet` that owns it; empty when none does.
    pub replica_set: String,
    /// Its pod-template-hash; empty when it has none.
    pub hash: String,
}

impl Revision {
    fn of(pod: &Value) -> Self {
        Self {
            image: text(pod, "/spec/containers/0/image").to_owned(),
            replica_set: controller_of(pod).map(|(_, name)| name.to_owned()).unwrap_or_default(),
            hash: text(pod, "/metadata/labels/pod-template-hash").to_owned(),
        }
    }
}

/// A request that was not answered as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// When it was sent.
    pub at: Moment,
    /// What came instead.
    pub why: String,
}

/// Requests by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were sent.
    pub sent: u64,
    /// How many each image answered.
    pub answered: BTreeMap<String, u64>,
    /// Those that were not answered.
    pub lost: Vec<Lost>,
}

impl Tally {
    fn count(&mut self, outcome: &Result<Revision, Lost>) {
        self.sent += 1;
        match outcome {
            Ok(revision) => *self.answered.entry(revision.image.clone()).or_default() += 1,
            Err(lost) => self.lost.push(lost.clone()),
        }
    }

    /// How many `image` answered.
    pub fn by(&self, image: &str) -> u64 {
        self.answered.get(image).copied().unwrap_or_default()
    }
}

/// Every pod that was ever seen, since a pod may be gone when its answer is counted.
#[derive(Clone, Debug, Default)]
pub struct PodBook(Arc<Mutex<BTreeMap<String, Revision>>>);

impl PodBook {
    /// Remembers a pod.
    pub fn learn(&self, pod: &Value) {
        self.0
            .lock()
            .insert(text(pod, "/metadata/name").to_owned(), Revision::of(pod));
    }

    /// What a pod runs, as far as it was seen.
    pub fn revision(&self, pod: &str) -> Option<Revision> {
        self.0.lock().get(pod).cloned()
    }
}

/// Sends requests and counts them. Clones share the ledger.
#[derive(Clone)]
pub struct Probe {
    env: Env,
    gateway: HttpService,
    kubernetes: Kubernetes,
    namespace: String,
    book: PodBook,
    tally: Arc<Mutex<Tally>>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

impl Probe {
    /// A probe that sends through `gateway`.
    pub fn new(env: Env, gateway: HttpService, kubernetes: Kubernetes, namespace: &str, book: PodBook) -> Self {
        Self {
            env,
            gateway,
            kubernetes,
            namespace: namespace.to_owned(),
            book,
            tally: Arc::default(),
        }
    }

    /// Sends one request that counts for nobody: whether the route works yet.
    ///
    /// # Errors
    /// What came instead of an answer.
    pub async fn try_once(&self, question: &Question) -> Result<Revision, Lost> {
        self.send(question).await
    }

    /// Sends one request that counts for nobody; what was answered, as text.
    ///
    /// # Errors
    /// What came instead of an answer.
    pub async fn read(&self, question: &Question) -> Result<String, Lost> {
        let (_, body) = self.fetch(question).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends one request and counts it.
    ///
    /// # Errors
    /// What came instead of an answer.
    pub async fn ask(&self, question: &Question) -> Result<Revision, Lost> {
        let outcome = self.send(question).await;
        self.tally.lock().count(&outcome);
        outcome
    }

    /// Sends `n` requests one after the other, counts them, and says what became of these.
    pub async fn count(&self, question: &Question, n: u64) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..n {
            let outcome = self.ask(question).await;
            tally.count(&outcome);
        }
        tally
    }

    /// Everything that was counted so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().clone()
    }

    /// What a pod runs.
    pub async fn revision(&self, pod: &str) -> Option<Revision> {
        if let Some(revision) = self.book.revision(pod) {
            return Some(revision);
        }
        let name = ObjectRef::namespaced("v1", "Pod", &self.namespace, pod);
        let found = self.kubernetes.get(&name).await.ok().flatten()?;
        self.book.learn(&found);
        Some(Revision::of(&found))
    }

    async fn send(&self, question: &Question) -> Result<Revision, Lost> {
        let at = self.env.clock().elapsed();
        let lost = |why: String| Lost { at, why };
        let (headers, body) = self.fetch(question).await?;
        let pod = pod_of(&headers, &body).ok_or_else(|| lost("answer names no pod".to_owned()))?;
        self.revision(&pod)
            .await
            .ok_or_else(|| lost(format!("answered by pod {pod}, which the API does not know")))
    }

    /// The headers and the body of a successful answer.
    async fn fetch(&self, question: &Question) -> Result<(HeaderMap, Bytes), Lost> {
        let at = self.env.clock().elapsed();
        let lost = |why: String| Lost { at, why };
        let mut request = Request::builder()
            .uri(&question.path)
            .header(http::header::HOST, &question.host);
        for (name, value) in &question.headers {
            request = request.header(name, value);
        }
        let request = request.body(env::empty()).map_err(|error| lost(error.to_string()))?;
        let response = self
            .gateway
            .send(request)
            .await
            .map_err(|error| lost(format!("no answer: {error}")))?;
        let (parts, body) = response.into_parts();
        let body = env::read_all(body, LARGEST_ANSWER)
            .await
            .map_err(|error| lost(format!("answer broke off: {error}")))?;
        if !parts.status.is_success() {
            let said = String::from_utf8_lossy(&body).chars().take(120).collect::<String>();
            return Err(lost(format!("status {}: {}", parts.status, said.trim())));
        }
        Ok((parts.headers, body))
    }
}

//! One client process's way to the API server, with a switch: its writes are counted, and at a chosen one the way is cut.
//!
//! What the suites kill a controller with: cut before the commit, after the commit and before the answer, or lose just the answer.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use env::watch;
use env::{Body, BoxError, HttpService};
use futures::StreamExt as _;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use parking_lot::Mutex;
use serde_json::Value;

/// The largest body that is looked into, in bytes; a larger one goes through unread and is logged without a name.
const LARGEST: usize = 4 << 20;

/// What happens at the chosen write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The write does not reach the server; nothing leaves or arrives after it.
    BeforeCommit,
    /// The write is done, its answer does not arrive; nothing leaves or arrives after it.
    AfterCommit,
    /// The write is done, the client sees a broken connection, and life goes on.
    LoseAnswer,
}

/// One write that went through a transport.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Write {
    /// Its number, from 1.
    pub n: usize,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: &'static str,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name of the collection.
    pub resource: String,
    /// Namespace; empty where there is none.
    pub namespace: String,
    /// Name, or generateName where there is no name yet.
    pub name: String,
    /// Subresource; empty when there is none.
    pub subresource: String,
}

#[derive(Debug, Default)]
struct Log {
    writes: Vec<Write>,
    cut: Option<(usize, Cut)>,
}

/// The way of one process to the API server. Clones are the same way.
#[derive(Clone, Debug)]
pub struct Transport {
    inner: HttpService,
    log: Arc<Mutex<Log>>,
    dead: watch::Sender<bool>,
}

impl Transport {
    /// A way to `inner` that is open.
    pub fn new(inner: HttpService) -> Self {
        Self {
            inner,
            log: Arc::default(),
            dead: watch::Sender::new(false),
        }
    }

    /// The API through this way.
    pub fn service(&self) -> HttpService {
        let transport = self.clone();
        HttpService::new(move |request| {
            let transport = transport.clone();
            async move { transport.send(request).await }
        })
    }

    /// Cuts at the write number `n`, counted from 1 over this transport's whole life.
    pub fn cut_at(&self, n: usize, cut: Cut) {
        self.log.lock().cut = Some((n, cut));
    }

    /// Cuts now: nothing leaves and nothing arrives any more.
    pub fn kill(&self) {
        self.dead.send_replace(true);
    }

    /// Whether the way is cut for good.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Waits until the way is cut for good.
    pub async fn died(&self) {
        until_dead(&mut self.dead.subscribe()).await;
    }

    /// The writes so far, dry runs excepted, in their order; one that was cut is among them.
    pub fn writes(&self) -> Vec<Write> {
        self.log.lock().writes.clone()
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        if self.is_dead() {
            return std::future::pending().await;
        }
        let mutes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(request.method());
        let dry = request.uri().query().is_some_and(|query| query.contains("dryRun=All"));
        let (request, cut) = if mutes && !dry {
            let (parts, body) = request.into_parts();
            let bytes = env::read_all(body, LARGEST).await?;
            let cut = self.note(&parts, &bytes);
            (Request::from_parts(parts, env::full(bytes)), cut)
        } else {
            (request, None)
        };
        if cut == Some(Cut::BeforeCommit) {
            self.kill();
            return std::future::pending().await;
        }
        let mut dead = self.dead.subscribe();
        let response = tokio::select! {
            biased;
            response = self.inner.send(request) => response?,
            () = until_dead(&mut dead) => std::future::pending().await,
        };
        match cut {
            Some(Cut::AfterCommit) => {
                self.kill();
                std::future::pending().await
            }
            Some(Cut::LoseAnswer) => Err("connection reset by peer".into()),
            _ if self.is_dead() => std::future::pending().await,
            _ => Ok(self.guarded(response)),
        }
    }

    /// The response with a body that falls silent when the way is cut.
    fn guarded(&self, response: Response<Body>) -> Response<Body> {
        let dead = self.dead.subscribe();
        response.map(|body| {
            let frames = futures::stream::unfold((body, dead), |(mut body, mut dead)| async move {
                let frame = tokio::select! {
                    biased;
                    () = until_dead(&mut dead) => std::future::pending().await,
                    frame = body.frame() => frame?,
                };
                Some((frame, (body, dead)))
            });
            StreamBody::new(frames.boxed()).boxed_unsync()
        })
    }

    fn note(&self, parts: &http::request::Parts, bytes: &[u8]) -> Option<Cut> {
        let mut write = described(parts, bytes)?;
        let mut log = self.log.lock();
        write.n = log.writes.len() + 1;
        let cut = log.cut.filter(|(n, _)| *n == write.n).map(|(_, cut)| cut);
        log.writes.push(write);
        cut
    }
}

/// Waits for the cut. Every holder of a way also holds the sender, so that nothing else ends the wait but the end of the way itself.
async fn until_dead(dead: &mut watch::Receiver<bool>) {
    if dead.wait_for(|dead| *dead).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn described(parts: &http::request::Parts, bytes: &[u8]) -> Option<Write> {
    let path = crate::http::resource_path(parts.uri.path())?;
    let verb = match parts.method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if path.name.is_empty() => "deletecollection",
        _ => "delete",
    };
    let name = if path.name.is_empty() && verb == "create" {
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let metadata = &body["metadata"];
        metadata["name"]
            .as_str()
            .or_else(|| metadata["generateName"].as_str())
            .unwrap_or_default()
            .to_owned()
    } else {
        path.name
    };
    Some(Write {
        n: 0,
        verb,
        group: path.group,
        resource: path.plural,
        namespace: path.namespace,
        name,
        subresource: path.subresource,
    })
}

//! One exchange with a metric server: sent through the environment's dialer, bounded in time, size and number, redirects not followed. Used by the
//! providers that speak HTTP.
//!
//! Connections are the dialer's: it keeps one client for each kind of trust, and that one a pool for each server, so that all metrics of a server
//! share them. Credentials travel as headers of each request and are no part of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{BoxError, Env, TooLong, Trust};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::address::Address;
use super::secrets::Secrets;
use super::trouble::Fault;
use crate::explain::innermost;

/// How many requests may be under way at one server; the others wait for their turn, outside of their time limit.
const AT_ONE_SERVER: usize = 4;
/// How many may be under way in all. With the size of an answer it bounds the memory that answers take.
const IN_ALL: usize = 12;
/// How many servers are remembered before those without requests are forgotten.
const MOST_SERVERS: usize = 64;
/// Of an answer that is an error's text, so much is read, in bytes.
const LARGEST_EXCUSE: usize = 64 << 10;
/// Of an error's text, so much is shown, in characters.
const MOST_WORDS: usize = 300;
/// The longest that a server may ask to be left alone.
const LONGEST_RETRY: Duration = Duration::from_secs(3600);

/// The way to metric servers, shared by all measurements of a process.
#[derive(Clone, Debug)]
pub struct Network {
    env: Env,
    all: Arc<Semaphore>,
    servers: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

/// A request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) address: &'a Address,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trust: Trust<'a>,
    /// The most that is read of an answer, in bytes.
    pub(super) largest: usize,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Network {
    /// A network without requests under way.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            all: Arc::new(Semaphore::new(IN_ALL)),
            servers: Arc::default(),
        }
    }

    /// The environment behind it.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Does `work` with a server when it is its turn, and for no longer than `limit`. Dropping it gives the turn back.
    pub(super) async fn within<T>(
        &self,
        address: &Address,
        limit: Duration,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        // The server's turn first, so that a slow one holds no more places than its own.
        let server = self.server(&address.server);
        let _turn = (server.acquire().await, self.all.acquire().await);
        match self.env.clock().timeout(limit, work).await {
            Ok(done) => done,
            Err(env::Elapsed) => Err(Fault::Timeout(limit)),
        }
    }

    fn server(&self, name: &str) -> Arc<Semaphore> {
        let mut servers = self.servers.lock();
        if servers.len() >= MOST_SERVERS {
            servers.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        servers
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONE_SERVER)))
            .clone()
    }

    /// Sends a request and reads the answer, whatever its status. Of an answer that is no success only the beginning is kept.
    pub(super) async fn exchange(&self, call: Call<'_>) -> Result<Answer, Fault> {
        let dialed = self.env.dial_with(&call.address.server, call.trust).await;
        let service = dialed.map_err(|error| match error {
            env::DialError::Malformed { .. } | env::DialError::Roots { .. } => Fault::Misconfigured(error.to_string()),
            env::DialError::Refused { .. } => Fault::Transport(error.to_string()),
        })?;
        let mut request = Request::new(env::full(call.body));
        *request.method_mut() = call.method;
        *request.uri_mut() = call
            .target
            .parse()
            .map_err(|error| Fault::Misconfigured(format!("the path and query cannot be sent: {error}")))?;
        *request.headers_mut() = call.headers;
        let (head, body) = match service.send(request).await {
            Ok(response) => response.into_parts(),
            Err(error) => return Err(Fault::Transport(innermost(&*error))),
        };
        let body = if head.status.is_success() {
            env::read_all(body, call.largest)
                .await
                .map_err(|error| broken(&error, call.largest))?
        } else {
            beginning(body).await?
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

fn broken(error: &BoxError, largest: usize) -> Fault {
    match error.downcast_ref::<TooLong>() {
        Some(_) => Fault::TooLarge(format!("{largest} bytes")),
        None => Fault::Transport(format!("the answer broke off: {}", innermost(&**error))),
    }
}

/// The first bytes of a body; what comes after is dropped, and so is the reason why it ended.
async fn beginning(mut body: env::Body) -> Result<Bytes, Fault> {
    use http_body_util::BodyExt as _;

    let mut read = bytes::BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        let room = LARGEST_EXCUSE.saturating_sub(read.len());
        read.extend_from_slice(data.get(..room).unwrap_or(&data));
        if read.len() >= LARGEST_EXCUSE {
            break;
        }
    }
    Ok(read.freeze())
}

impl Answer {
    /// What an answer that is no success means; `words` are what the server says of it.
    pub(super) fn refusal(&self, words: String, now: jiff::Timestamp) -> Fault {
        let status = self.status.as_u16();
        match status {
            300..400 => Fault::Redirect {
                status,
                to: self.text(&LOCATION).unwrap_or("nowhere").to_owned(),
            },
            408 | 425 | 429 | 500.. => Fault::ServerError {
                status,
                words,
                retry_after: self.text(&RETRY_AFTER).and_then(|text| retry_after(text, now)),
            },
            _ => Fault::QueryRefused { status, words },
        }
    }

    /// What the body says, for an error's text: masked before it is cut.
    pub(super) fn words(&self, secrets: &Secrets) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let masked = if self.body.len() < LARGEST_EXCUSE {
            secrets.mask(text.trim())
        } else {
            secrets.mask_cut(text.trim())
        };
        match masked.as_str() {
            "" => "it says nothing".to_owned(),
            _ => masked.shortened(MOST_WORDS).to_string(),
        }
    }

    /// The type that the server gives the body.
    pub(super) fn content_type(&self) -> &str {
        self.text(&CONTENT_TYPE).unwrap_or("no type")
    }

    fn text(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// How long a server asks to be left alone: in seconds, or until a date (RFC 9110, 10.2.3).
fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    let wait = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::DateTimeParser::new()
                .parse_timestamp(text.trim())
                .ok()?;
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_RETRY))
}

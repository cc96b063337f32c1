//! Prometheus, and everything else that serves its query API: an instant query or a range query, by POST, and by GET where a server does not serve
//! POST. After Prometheus' HTTP API v1 and the behaviour of Argo Rollouts' provider, with the differences that `answer` names.

mod answer;
mod time;

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};
use jiff::Timestamp;

use super::address::{self, Address};
use super::network::{Answer, Call};
use super::secrets::percent_encoded;
use super::trouble::Fault;
use super::{Manner, Network, Provider, Reading, Secrets, Trouble};

/// How long an answer may take when the metric does not say.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The most that is read of an answer, in bytes.
const LARGEST_ANSWER: usize = 8 << 20;

/// The most points of a series that Prometheus gives out for one range.
const MOST_POINTS: u128 = 11_000;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Prometheus {
    /// URL of the server, before `/api/v1`.
    pub address: String,
    /// The query, in PromQL.
    pub query: String,
    /// The range to ask for in place of an instant.
    pub range: Option<Range>,
    /// How the server is asked.
    pub manner: Manner,
}

/// The range of a range query, as the template has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its begin, as an expression: `now() - duration("1h")`.
    pub start: String,
    /// Its end, as an expression.
    pub end: String,
    /// The time between two points.
    pub step: Duration,
}

/// What is asked for, with all times known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Instant(Timestamp),
    Range {
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    },
}

impl Provider for Prometheus {
    fn measure<'a>(&'a self, network: &'a Network, secrets: &'a Secrets) -> BoxFuture<'a, Result<Reading, Trouble>> {
        Box::pin(async move {
            let secrets = self.manner.secrets(secrets).and(address::credentials(&self.address));
            let read = self.ask(network, &secrets).await;
            read.map(Reading::Measured)
                .map_err(|fault| fault.about(&format!("query {}", self.address), &secrets))
        })
    }
}

impl Prometheus {
    async fn ask(&self, network: &Network, secrets: &Secrets) -> Result<super::Measured, Fault> {
        let address = Address::parse(&self.address).map_err(Fault::Misconfigured)?;
        let now = network.env().now();
        let asked = Asked::new(self.range.as_ref(), now)?;
        let work = self.exchange(network, &address, asked);
        let answer = network.within(&address, self.manner.timeout, work).await?;
        if !answer.status.is_success() {
            let words = answer::excuse(&answer.body).unwrap_or_else(|| answer.words(secrets));
            return Err(answer.refusal(words, network.env().now()));
        }
        answer::read(&answer, secrets)
    }

    /// Asks by POST, since queries are long, and once more by GET where that is not served.
    async fn exchange(&self, network: &Network, address: &Address, asked: Asked) -> Result<Answer, Fault> {
        let address = address.below(asked.path());
        let form = asked.form(&self.query);
        let mut headers = self.manner.headers()?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut posted = headers.clone();
        posted.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let call = |method, target, headers, body| Call {
            method,
            address: &address,
            target,
            headers,
            body,
            trust: self.manner.trust(),
            largest: LARGEST_ANSWER,
        };
        let post = call(Method::POST, address.target(""), posted, Bytes::from(form.clone()));
        let answer = network.exchange(post).await?;
        match answer.status.as_u16() {
            403 | 405 | 501 => {
                let get = call(Method::GET, address.target(&form), headers, Bytes::new());
                network.exchange(get).await
            }
            _ => Ok(answer),
        }
    }
}

impl Asked {
    fn new(range: Option<&Range>, now: Timestamp) -> Result<Self, Fault> {
        let Some(range) = range else {
            return Ok(Self::Instant(now));
        };
        let moment = |what: &str, text: &str| {
            time::moment(text, now).map_err(|error| Fault::Misconfigured(format!("rangeQuery.{what}: {error}")))
        };
        let (start, end) = (moment("start", &range.start)?, moment("end", &range.end)?);
        let wrong = |what: String| Err(Fault::Misconfigured(format!("rangeQuery: {what}")));
        let Ok(span) = Duration::try_from(end.duration_since(start)) else {
            return wrong(format!("it ends, at {end}, before it starts, at {start}"));
        };
        if range.step.is_zero() {
            return wrong("step is zero; write how much time is between two points, as 1m".to_owned());
        }
        if span.as_nanos() / range.step.as_nanos() > MOST_POINTS {
            return wrong(format!(
                "it asks for more than {MOST_POINTS} points; make the step longer or the range shorter"
            ));
        }
        Ok(Self::Range {
            start,
            end,
            step: range.step,
        })
    }

    fn path(self) -> &'static str {
        match self {
            Self::Instant(_) => "api/v1/query",
            Self::Range { .. } => "api/v1/query_range",
        }
    }

    /// The form that is sent, in the order of its names.
    fn form(self, query: &str) -> String {
        let query = percent_encoded(query);
        match self {
            Self::Instant(at) => format!("query={query}&time={}", unix(at)),
            Self::Range { start, end, step } => format!(
                "end={}&query={query}&start={}&step={}",
                unix(end),
                unix(start),
                step.as_secs_f64()
            ),
        }
    }
}

/// Seconds since 1970, as Prometheus writes them: to the millisecond.
fn unix(at: Timestamp) -> f64 {
    let seconds = at.as_millisecond().div_euclid(1000);
    let milliseconds = at.as_millisecond().rem_euclid(1000);
    // Whole seconds are exact in 53 bits for as long as jiff's time goes.
    #[expect(clippy::cast_precision_loss, reason = "both are small")]
    let exact = (seconds as f64) + (milliseconds as f64) / 1000.0;
    exact
}

//! Any HTTP service that answers JSON: one value of the answer, found by a JSONPath. After Argo Rollouts' web metric.

mod json_path;

use std::time::Duration;

use analysis::value::Value;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};

use super::address::{self, Address};
use super::network::Call;
use super::trouble::Fault;
use super::{Manner, Measured, Network, Provider, Reading, Secrets, Trouble};

/// How long an answer may take when the metric does not say.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The most that is read of an answer, in bytes. As values in memory it takes some thirty times as much at worst.
const LARGEST_ANSWER: usize = 1 << 20;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// The URL.
    pub url: String,
    /// What is sent.
    pub body: Sent,
    /// Where in the answer the value is: `{$.data.ok}`; all of it when empty.
    pub json_path: String,
    /// How the service is asked.
    pub manner: Manner,
}

/// The method, and what is sent by it.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// GET, without a body.
    Get,
    /// POST.
    Post(Payload),
    /// PUT.
    Put(Payload),
}

/// A body.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Nothing.
    Empty,
    /// Text, of the type that a header gives it.
    Text(String),
    /// JSON.
    Json(serde_json::Value),
}

impl Provider for Web {
    fn measure<'a>(&'a self, network: &'a Network, secrets: &'a Secrets) -> BoxFuture<'a, Result<Reading, Trouble>> {
        Box::pin(async move {
            let secrets = self.manner.secrets(secrets).and(address::credentials(&self.url));
            let read = self.ask(network, &secrets).await;
            let what = format!("{} {}", self.body.method(), self.url);
            read.map(Reading::Measured)
                .map_err(|fault| fault.about(&what, &secrets))
        })
    }
}

impl Web {
    async fn ask(&self, network: &Network, secrets: &Secrets) -> Result<Measured, Fault> {
        let address = Address::parse(&self.url).map_err(Fault::Misconfigured)?;
        let path = json_path::parse(&self.json_path)
            .map_err(|error| Fault::Misconfigured(format!("jsonPath \"{}\": {error}", self.json_path)))?;
        let call = self.call(&address)?;
        let answer = network
            .within(&address, self.manner.timeout, network.exchange(call))
            .await?;
        if !answer.status.is_success() {
            return Err(answer.refusal(answer.words(secrets), network.env().now()));
        }
        let json: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|error| {
            Fault::Malformed(format!(
                "it is {} and not JSON ({error}): {}",
                answer.content_type(),
                answer.words(secrets)
            ))
        })?;
        // The first of what the path finds, as Argo Rollouts takes it.
        let found = path.query(&json).first().ok_or_else(|| Fault::NoValue {
            path: self.json_path.clone(),
            words: answer.words(secrets),
        })?;
        Ok(Measured::new(Value::from_json(found), secrets))
    }

    fn call<'a>(&'a self, address: &'a Address) -> Result<Call<'a>, Fault> {
        let mut headers = self.manner.headers()?;
        let json = HeaderValue::from_static("application/json");
        headers.entry(ACCEPT).or_insert(json.clone());
        let body = match &self.body {
            Sent::Get | Sent::Post(Payload::Empty) | Sent::Put(Payload::Empty) => Bytes::new(),
            Sent::Post(Payload::Text(text)) | Sent::Put(Payload::Text(text)) => Bytes::from(text.clone()),
            Sent::Post(Payload::Json(value)) | Sent::Put(Payload::Json(value)) => {
                headers.entry(CONTENT_TYPE).or_insert(json);
                Bytes::from(value.to_string())
            }
        };
        Ok(Call {
            method: self.body.method(),
            address,
            target: address.target(""),
            headers,
            body,
            trust: self.manner.trust(),
            largest: LARGEST_ANSWER,
        })
    }
}

impl Sent {
    fn method(&self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post(_) => Method::POST,
            Self::Put(_) => Method::PUT,
        }
    }
}

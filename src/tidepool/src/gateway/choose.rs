//! Where a request may go, and with which probability: a pure function of configuration and request, the same for all dialects.
//!
//! A host belongs to the first dialect that knows it: Ingress, then Gateway API, then Istio.

use super::backends::Endpoint;
use super::config::Config;
use super::ingress;
use super::rules::{self, Edits};

/// What a request shows to the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `GET` and so on.
    pub method: &'a str,
    /// Host, without port.
    pub host: &'a str,
    /// Path, with the query if there is one.
    pub path: &'a str,
    /// Header names and values, cookies included.
    pub headers: &'a [(String, String)],
}

impl<'a> Asked<'a> {
    /// The first value of a header.
    pub(super) fn header(self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What may become of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Who answers.
    pub target: Target,
    /// How probable it is, in 0.0..=1.0.
    pub probability: f64,
}

/// Who answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A pod.
    Pod {
        /// Which, and where it listens.
        endpoint: Endpoint,
        /// What is done to the headers on the way.
        edits: Edits,
    },
    /// The gateway itself, with this status: the share's backend cannot be used.
    Refused(u16),
}

impl Share {
    /// The name of the pod; empty when the gateway answers.
    pub fn pod(&self) -> &str {
        match &self.target {
            Target::Pod { endpoint, .. } => &endpoint.pod,
            Target::Refused(_) => "",
        }
    }

    /// The same for each of these endpoints.
    pub(super) fn even(endpoints: &[Endpoint], share: f64, edits: &Edits) -> Vec<Self> {
        let count = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        let each = share / f64::from(count.max(1));
        endpoints
            .iter()
            .map(|endpoint| Self {
                target: Target::Pod {
                    endpoint: endpoint.clone(),
                    edits: edits.clone(),
                },
                probability: each,
            })
            .collect()
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One of these happens; the probabilities add up to 1.
    Forward(Vec<Share>),
    /// 404: no host or path matches.
    NoRoute,
    /// 503: the only backend has no endpoints.
    NoEndpoints,
}

/// Decides one request.
pub fn choose(config: &Config, asked: Asked<'_>) -> Outcome {
    if let Some(outcome) = ingress::route(&config.ingress, asked) {
        return outcome;
    }
    let known = rules::route(&config.gateway_api, asked).or_else(|| rules::route(&config.istio, asked));
    known.flatten().map_or(Outcome::NoRoute, Outcome::Forward)
}

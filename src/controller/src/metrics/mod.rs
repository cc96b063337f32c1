//! Where measurements come from. A [`Provider`] takes one measurement, or goes on with one that takes longer, and answers with a [`Reading`] or a
//! masked [`Trouble`]; it judges nothing. Prometheus and the web are asked over [`Network`], so that the same code runs over sockets and over
//! services in this process; Jobs are asked for by the driver's client. Used by the driver of analysis runs and by the command line.
//!
//! What a provider does is bounded: in time by the environment's clock, in memory by the size of an answer and the number of requests under way, and
//! dropping the future ends it.

mod address;
pub mod job;
mod measure;
mod network;
pub mod prometheus;
mod request;
pub mod resolve;
mod secrets;
#[cfg(test)]
mod tests;
mod trouble;
pub mod web;

use std::collections::BTreeMap;
use std::time::Duration;

use analysis::value::Value;
use futures::future::BoxFuture;

pub use measure::{Run, measure};
pub use network::Network;
pub use request::{Certificates, Credentials, Manner};
pub use secrets::{Masked, Secrets};
pub use trouble::{Cause, Class, Trouble};

/// Something that can be measured, with everything resolved that the measurement needs.
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Measures, or looks how the measurement goes on. `secrets` are the values that may stand in what is sent, and must not stand in what comes out.
    fn measure<'a>(&'a self, network: &'a Network, secrets: &'a Secrets) -> BoxFuture<'a, Result<Reading, Trouble>>;
}

/// How far a measurement has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// There is a value, to be judged by the metric's conditions.
    Measured(Measured),
    /// It goes on by itself.
    Running {
        /// When to look again.
        again_in: Duration,
        /// What it is doing.
        message: Masked,
    },
    /// It brought its own verdict.
    Decided {
        /// The verdict.
        verdict: Verdict,
        /// Why.
        message: Masked,
    },
}

/// A verdict that needs no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good.
    Successful,
    /// Bad.
    Failed,
    /// Neither: it could not be measured.
    Inconclusive,
}

/// A value and what is known beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// What conditions know as `result`, without secrets, since their messages and status show it.
    pub value: Value,
    /// Where its numbers come from, in their order.
    pub series: Vec<Series>,
    /// What the server warns of; such an answer may be incomplete.
    pub warnings: Vec<Masked>,
}

/// Numbers that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Their labels.
    pub labels: BTreeMap<String, Masked>,
    /// How many of the value's numbers they are.
    pub numbers: usize,
}

impl Measured {
    fn new(value: Value, secrets: &Secrets) -> Self {
        Self {
            value: secrets.mask_value(value),
            ..Self::default()
        }
    }
}

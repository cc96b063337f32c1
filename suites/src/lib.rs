//! A conformance suite for rollout controllers: scenarios, and what judges them.
//!
//! A black box around any controller: it speaks to the Kubernetes API and sends requests through the gateway, and links no controller and no
//! simulated cluster. Binaries give it a [`Bed`] and print its [`Report`]s. Scenarios are data and a body ([`scenario`]), speak through a
//! [`dialect`], wait with `until` and `holds`, and are held against invariants at every revision of the cluster.

mod answer;
mod background;
mod bed;
pub mod dialect;
pub mod expectations;
mod failure;
pub mod gateway_table;
pub mod history;
pub mod invariants;
pub mod inventory;
pub mod kruise;
mod kubernetes;
pub mod ledger;
pub mod manifest;
pub mod metrics;
pub mod object;
mod owner;
mod pods;
mod probe;
pub mod report;
pub mod routes;
pub mod runner;
pub mod scenario;
pub mod scenarios;
mod stage;
pub mod statistics;
mod timeline;
pub mod timeouts;
mod waiting;
mod weights;
mod world;

pub use background::Background;
pub use bed::{Bed, Changes, Feature, Question, Share, SharedBed, Write};
pub use failure::{Check, Failure};
pub use kubernetes::{ApiError, Kubernetes, PatchKind, Resource};
pub use object::ObjectRef;
pub use probe::{Lost, PodBook, Probe, Revision, Tally};
pub use runner::{Report, Verdict};
pub use scenario::Scenario;
pub use stage::Stage;
pub use timeline::Timeline;
pub use waiting::Look;
pub use world::World;

//! The effects around the rules: caches, queue, observe, apply, webhooks, events, leases, metrics.
//!
//! A thin shell. Which write follows from which state is decided in `rollout`, what a route looks like in `traffic`, what a field means in
//! `api`; this crate watches the cluster, asks them, and sends what they say, guarded and in order. The same driver runs in simulation (on a
//! [`env::Env`] with a seed) and in the binary `tidegate`.

mod driver;
mod events;
mod explain;
pub mod install;
mod lease;
pub mod metrics;
mod options;
pub mod preflight;
mod run;
pub mod serve;
mod telemetry;
mod webhook;

pub use explain::{explain, innermost};
pub use options::{LeaderElection, Options};
pub use run::{RunError, run};
pub use telemetry::Telemetry;
pub use webhook::{measured_webhooks, webhooks};

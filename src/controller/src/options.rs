//! What a person may choose about a controller process. Used by the binary, which fills it from its command line, and by the suites.

use std::time::Duration;

use crate::Telemetry;

/// How one controller process behaves; [`Options::new`] gives what is right for most.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of this process among its replicas: unique, taken from chance or from the pod's name. It is the holder of the lease.
    pub identity: String,
    /// The namespace that the controller itself lives in: where its lease is kept.
    pub namespace: String,
    /// Whether several replicas agree on who writes.
    pub leader_election: LeaderElection,
    /// How many workloads are reconciled at the same time. At least one.
    pub concurrency: usize,
    /// Where the process counts what it does.
    pub telemetry: Telemetry,
}

/// Whether a process must hold a lease before it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderElection {
    /// This process is the only one.
    Off,
    /// Whoever holds the `coordination.k8s.io/v1` Lease `name` writes.
    Lease {
        /// The Lease's name, in the controller's own namespace.
        name: String,
        /// How long a lease holds without being renewed. Whole seconds.
        duration: Duration,
        /// How often the holder renews, and the others look.
        renew_every: Duration,
    },
}

impl LeaderElection {
    /// A lease of 15 seconds, renewed every 2.
    pub fn lease() -> Self {
        Self::lease_of(Duration::from_secs(15))
    }

    /// A lease that holds for `duration` without being renewed, and is renewed seven times as often.
    pub fn lease_of(duration: Duration) -> Self {
        Self::Lease {
            name: api::names::LEADER_LEASE.to_owned(),
            duration,
            renew_every: duration * 2 / 15,
        }
    }
}

impl Options {
    /// One replica called `identity` in namespace `tidegate`, three workloads at a time.
    pub fn new(identity: impl Into<String>) -> Self {
        Self {
            identity: identity.into(),
            namespace: "tidegate".to_owned(),
            leader_election: LeaderElection::Off,
            concurrency: 3,
            telemetry: Telemetry::default(),
        }
    }
}

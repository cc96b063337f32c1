//! The binary `tidegate` as a process of its own: against an API server behind TLS on this machine, and against what is wrong with a machine.
//!
//! Real time and real sockets, on ports that the system chooses. Every wait is the one in `bed`, with a deadline.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says by panicking what went wrong"
)]

mod bed;
mod cluster;
mod expired;
mod outage;
mod refusals;
mod relay;
mod replicas;
mod serving;

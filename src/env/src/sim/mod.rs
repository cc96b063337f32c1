//! The simulated world: a paused clock, one seed, and a network that is a table of services in this process.
//!
//! The runtime is built without an I/O driver, so a socket in simulated code panics at once instead of silently spending virtual time. One OS
//! thread, one runtime and one [`SimEnv`] per scenario. Used by the embedded suites and by tests; never part of the released binary.

mod network;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;

pub use network::{Served, SimNetwork};

use crate::{Chance, Clock, Env, Trace};

/// Where simulated time begins: a Thursday, so that nothing looks like the present.
pub const EPOCH: Timestamp = Timestamp::constant(1_893_456_000, 0);

/// A simulated world: its environment, and the network that services are put into.
#[derive(Clone, Debug)]
pub struct SimEnv {
    /// What the code under test is given.
    pub env: Env,
    /// The table behind its dialer.
    pub network: SimNetwork,
}

impl SimEnv {
    /// A world that `seed` determines. Call it inside the runtime that will run it.
    pub fn new(seed: u64, trace: Trace) -> Self {
        let network = SimNetwork::default();
        let env = Env::new(
            Clock::counted(EPOCH, 1.0),
            Chance::from_seed(seed),
            Arc::new(network.clone()),
            trace,
        );
        Self { env, network }
    }
}

/// Runs `world` to its end on this thread, on a paused clock and without sockets.
///
/// # Panics
/// When the runtime cannot be built, or when `world` panics.
#[expect(
    clippy::expect_used,
    reason = "a runtime without drivers needs nothing that could be missing"
)]
pub fn run<T, F>(seed: u64, trace: Trace, world: impl FnOnce(SimEnv) -> F) -> T
where
    F: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("build a runtime without I/O");
    runtime.block_on(async move { world(SimEnv::new(seed, trace)).await })
}

//! The three inputs that are not objects: time, chance and the network.
//!
//! Everything under `src` takes one [`Env`] and asks it what time it is, what the dice say, and how to reach an authority. Nothing else in the
//! workspace may read a clock, draw a random number or open a client socket. A real [`Env`] is tokio's clock, the system's randomness and
//! sockets; a simulated one (feature `sim`) is a paused clock, one seed and a table of services in this process, so that one seed gives one
//! trace, byte for byte. The [`Trace`] is the matching output: what was written, delivered, routed and decided, in order.

mod chance;
mod clock;
mod dial;
mod http_service;
mod real;
#[cfg(feature = "sim")]
pub mod sim;
mod trace;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

pub use chance::Chance;
pub use clock::{Clock, Elapsed, Moment};
pub use dial::{Dial, DialError, Trust};
pub use http_service::{Body, BoxError, HttpService, TooLong, empty, full, read_all};
pub use trace::{Trace, TraceRecord};

/// One handle on time, chance, network and trace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env {
    clock: Clock,
    chance: Chance,
    dialer: Arc<dyn Dial>,
    trace: Trace,
}

impl Env {
    /// An environment from its parts; [`Env::real`] and [`sim::SimEnv`] are the two that exist.
    pub fn new(clock: Clock, chance: Chance, dialer: Arc<dyn Dial>, trace: Trace) -> Self {
        Self {
            clock,
            chance,
            dialer,
            trace,
        }
    }

    /// The real world: the system's clock and randomness, and sockets. Install a rustls crypto provider before dialing `https`.
    pub fn real() -> Self {
        Self::new(
            Clock::real(),
            Chance::from_system(),
            Arc::new(real::Sockets::new()),
            Trace::off(),
        )
    }

    /// The same environment with another trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// The same environment with another source of chance: the real world, as far as a seed can repeat it.
    #[must_use]
    pub fn with_chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// The same environment with another way to reach authorities: a process with its own switchable transport, a fault layer.
    #[must_use]
    pub fn with_dialer(mut self, dialer: Arc<dyn Dial>) -> Self {
        self.dialer = dialer;
        self
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The wall-clock time, virtual in simulation.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// A source of chance of its own for `purpose`. Two calls with one purpose start the same sequence in simulation, so name what the draw is
    /// for (`"pod-start/<uid>"`): the result then depends on no other draw.
    pub fn chance(&self, purpose: &str) -> Chance {
        self.chance.for_purpose(purpose)
    }

    /// The HTTP service behind `authority` (`api`, `10.244.1.7:8080`, `https://prometheus.example.com:9090`).
    ///
    /// # Errors
    /// When nothing answers there; the text names the authority.
    pub async fn dial(&self, authority: &str) -> Result<HttpService, DialError> {
        self.dial_with(authority, Trust::System).await
    }

    /// The HTTP service behind `authority`, whose certificate must be vouched for by `roots` (PEM) instead of the system's own.
    ///
    /// # Errors
    /// When nothing answers there, or `roots` are no certificates.
    pub async fn dial_trusting(&self, authority: &str, roots: &[u8]) -> Result<HttpService, DialError> {
        self.dial_with(authority, Trust::Roots(roots)).await
    }

    /// The HTTP service behind `authority`, whose certificate is checked as `trust` says.
    ///
    /// # Errors
    /// When nothing answers there, or the roots to trust are no certificates.
    pub async fn dial_with(&self, authority: &str, trust: Trust<'_>) -> Result<HttpService, DialError> {
        self.dialer.dial(authority, trust).await
    }

    /// The trace that this environment records into; off unless somebody asked for one.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Writes one trace line stamped with this environment's time. `fields` is only built when a trace is on.
    pub fn record(&self, what: &'static str, fields: impl FnOnce() -> serde_json::Value) {
        self.trace.record(self.clock.elapsed(), what, fields);
    }

    /// Waits for `duration` of this environment's time.
    pub async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

//! Where pods are reached: a service put behind an address for as long as the returned value lives.
//!
//! In simulation that is the table behind the dialer, otherwise a real listener for each address ([`SocketNetwork`]). The kubelet takes the
//! trait and knows neither.

mod sockets;
#[cfg(test)]
mod tests;

use env::HttpService;
use env::sim::SimNetwork;
use futures::future::BoxFuture;

pub use sockets::SocketNetwork;

/// Holds a service in its place; dropping it refuses whoever comes next, and lets those who were taken in finish.
pub trait Listening: Send + Sync + std::fmt::Debug {}

impl Listening for env::sim::Served {}

/// A service could not be put behind an address.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The text is no address.
    #[error("listen at {authority:?}: not an address; write ip:port")]
    Malformed {
        /// What was asked for.
        authority: String,
    },
    /// The system refused.
    #[error(
        "listen at {authority}: {source}; the address must be one of this machine or of its network namespace \
         (`ip route add local 10.244.0.0/16 dev lo`), and ports below 1024 need the right to bind them"
    )]
    Bind {
        /// What was asked for.
        authority: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A network of pods.
pub trait PodNetwork: Send + Sync + std::fmt::Debug {
    /// Serves `service` at `authority` (`10.244.0.7:8080`) until the returned value is dropped.
    fn listen<'a>(
        &'a self,
        authority: &'a str,
        service: HttpService,
    ) -> BoxFuture<'a, Result<Box<dyn Listening>, ListenError>>;
}

impl PodNetwork for SimNetwork {
    fn listen<'a>(
        &'a self,
        authority: &'a str,
        service: HttpService,
    ) -> BoxFuture<'a, Result<Box<dyn Listening>, ListenError>> {
        let served: Box<dyn Listening> = Box::new(self.serve(authority, service));
        Box::pin(std::future::ready(Ok(served)))
    }
}

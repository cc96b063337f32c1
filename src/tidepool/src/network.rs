//! Where pods are reached: a service put behind an address for as long as the returned value lives.
//!
//! In simulation that is the table behind the dialer. The kubelet takes the trait, so that a network of real listeners can stand in.

use env::HttpService;
use env::sim::SimNetwork;

/// Holds a service in its place; dropping it refuses whoever comes next.
pub trait Listening: Send + Sync + std::fmt::Debug {}

impl Listening for env::sim::Served {}

/// A network of pods.
pub trait PodNetwork: Send + Sync + std::fmt::Debug {
    /// Serves `service` at `authority` (`10.244.0.7:8080`) until the returned value is dropped.
    fn listen(&self, authority: &str, service: HttpService) -> Box<dyn Listening>;
}

impl PodNetwork for SimNetwork {
    fn listen(&self, authority: &str, service: HttpService) -> Box<dyn Listening> {
        Box::new(self.serve(authority, service))
    }
}

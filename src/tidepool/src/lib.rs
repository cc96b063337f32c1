//! A Kubernetes small enough to live inside a test process: real API semantics, real workload controllers, a data plane that answers HTTP.
//!
//! The store is at the bottom; the API server's machinery stands on it and knows no kind by name; controllers, kubelet and gateway see a
//! cluster only through [`Cluster`], so that they also serve a real control plane. Knows nothing of rollouts, and depends on no crate of ours
//! but `env`.

pub mod admission;
pub mod apply;
pub mod cluster;
pub mod controllers;
pub mod embedded;
mod events;
mod following;
pub mod gateway;
pub mod http;
pub mod kubelet;
pub mod logs;
pub mod network;
pub mod object;
pub mod patch;
pub mod remote;
pub mod resource;
pub mod scheduler;
pub mod schema;
pub mod server;
pub mod status;
pub mod store;
pub mod table;
pub mod transport;

pub use cluster::{Cluster, Watched};
pub use embedded::{DataPlane, Embedded, Options, Ports};
pub use gateway::PodName;
pub use remote::Remote;
pub use resource::Resource;
pub use status::Status;
pub use store::{Change, Store, Stored};
pub use transport::{Cut, Transport};

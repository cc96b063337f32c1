//! A Kubernetes small enough to live inside a test process: real API semantics, real workload controllers, a data plane that answers HTTP.
//!
//! The store is at the bottom; the API server's machinery stands on it and knows no kind by name; controllers, kubelet and gateway see a
//! cluster only through [`Cluster`], so that they also serve a real control plane. Knows nothing of rollouts, and depends on no crate of ours
//! but `env`.

pub mod cluster;
pub mod object;
pub mod resource;
pub mod status;
pub mod store;

pub use cluster::{Cluster, Watched};
pub use resource::Resource;
pub use status::Status;
pub use store::{Change, Store, Stored};

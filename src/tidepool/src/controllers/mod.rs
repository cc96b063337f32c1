//! The workload controllers, as kube-controller-manager has them: Deployment, ReplicaSet, EndpointSlice, garbage collection.
//!
//! Each is a [`driver::Controller`]: which resources it watches, which keys a change concerns, and one reconcile. They see the cluster only
//! through [`Cluster`], and derive everything from what is stored.

mod deployment;
pub(crate) mod driver;
mod endpoint_slice;
mod garbage;
mod pod;
mod replica_set;
mod rolling;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::cluster::Cluster;

/// Starts every controller; the tasks end with the cluster's watches.
pub fn start(cluster: &Arc<dyn Cluster>, tasks: &mut JoinSet<()>) {
    tasks.spawn(driver::run(cluster.clone(), deployment::Deployments::default()));
    tasks.spawn(driver::run(cluster.clone(), replica_set::ReplicaSets::default()));
    tasks.spawn(driver::run(cluster.clone(), endpoint_slice::EndpointSlices));
    tasks.spawn(garbage::run(cluster.clone()));
}

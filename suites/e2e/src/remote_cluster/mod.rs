//! A cluster behind a kubeconfig, with a controller in it that is not this process: what `--cluster kind` and `--cluster current` share.
//!
//! [`Ground`] is the cluster, [`bed::RemoteBed`] one scenario's namespace on it, [`play`] runs the list, and [`collect`] keeps what a failure
//! leaves behind. Nothing here knows how the cluster came to be.

mod bed;
mod collect;
mod ground;
mod play;
mod watches;

#[cfg(test)]
mod tests;

pub(crate) use bed::shortened;
pub(crate) use collect::namespace as collect_namespace;
pub(crate) use ground::{Ground, Site};
pub(crate) use play::{Play, each};

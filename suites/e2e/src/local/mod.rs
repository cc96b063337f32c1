//! The processes of `--cluster local`: a real etcd, kube-apiserver and kube-controller-manager, in a network namespace of the run's own.
//!
//! The order matters. [`prepare`] is called first, on the main thread and before any runtime: it finds or builds the programs while the machine's
//! network is still there, then runs this program again inside fresh network and mount namespaces, where it returns. [`ControlPlane::start`]
//! follows there. Nothing outlives the run, however it ends: the children die with this process, and all they write is on a file system
//! that only the namespace sees. Used by the runner for `--cluster local` and by the command `control-plane`.

mod bed;
mod build;
mod certificates;
pub(crate) mod command;
mod control_plane;
mod error;
mod ground;
mod kubeconfig;
mod namespace;
mod play;
mod process;
mod tools;

#[cfg(test)]
mod tests;

pub(crate) use control_plane::ControlPlane;
pub(crate) use error::LocalError;
pub(crate) use play::{Play, each};
pub(crate) use tools::{Program, Tools};

/// Finds or builds the programs of a control plane, and moves this process into namespaces of its own. Returns inside them; outside, it does not
/// return unless something is missing. Call it on the main thread before any other thread exists.
///
/// # Errors
/// What is missing, and how to get it.
pub(crate) fn prepare(progress: &mut dyn std::io::Write) -> Result<Tools, LocalError> {
    let machine = tools::Machine::of_this_process()?;
    let tools = tools::Tools::find_or_build(&machine, Program::CONTROL_PLANE, progress)?;
    match namespace::standing()? {
        namespace::Standing::Inside => namespace::furnish(&machine)?,
        namespace::Standing::Outside => namespace::enter()?,
    }
    Ok(tools)
}

/// The control plane in words, for the last line of a run.
pub(crate) fn what_is_real() -> String {
    format!(
        "etcd, kube-apiserver and kube-controller-manager ({})",
        tools::pinned_versions()
    )
}

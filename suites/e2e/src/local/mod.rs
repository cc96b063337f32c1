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
mod debian;
mod error;
mod ground;
mod installed;
mod kubeconfig;
mod namespace;
mod play;
mod process;
mod program;
mod prometheus;
mod proxy;
mod table;
mod tools;
mod uninstall;
mod wheel;

#[cfg(test)]
mod tests;

use crate::gateway::{DataPlane, Gateway};

pub(crate) use build::linker_flags;
pub(crate) use control_plane::ControlPlane;
pub(crate) use error::LocalError;
pub(crate) use play::{Play, each};
pub(crate) use program::Program;
pub(crate) use table::table;
pub(crate) use tools::Tools;

/// Finds or builds the programs of a control plane and of those gateways, and moves this process into namespaces of its own. Returns inside them; outside, it does not
/// return unless something is missing. Call it on the main thread before any other thread exists.
///
/// # Errors
/// What is missing, and how to get it.
pub(crate) fn prepare(gateways: &[Gateway], progress: &mut dyn std::io::Write) -> Result<Tools, LocalError> {
    let machine = tools::Machine::of_this_process()?;
    let mut programs = Program::CONTROL_PLANE.to_vec();
    programs.extend(gateways.iter().flat_map(|gateway| proxy::programs(*gateway)));
    if gateways
        .iter()
        .any(|gateway| gateway.data_plane() != DataPlane::Tidepool)
    {
        programs.extend(Program::OF_MEASUREMENTS);
    }
    programs.sort_unstable();
    programs.dedup();
    let tools = tools::Tools::find_or_build(&machine, &programs, progress)?;
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
        program::pinned_versions()
    )
}

/// Those programs, found, built or downloaded, by their names.
///
/// # Errors
/// What is missing, and how to get it.
pub(crate) fn programs(
    wanted: &[Program],
    progress: &mut dyn std::io::Write,
) -> Result<std::collections::BTreeMap<&'static str, std::path::PathBuf>, LocalError> {
    let machine = tools::Machine::of_this_process()?;
    let tools = tools::Tools::find_or_build(&machine, wanted, progress)?;
    let named = wanted.iter().map(|program| (program.name(), tools.path(*program)));
    Ok(named.collect())
}

/// The folder of this user in which built programs are kept.
///
/// # Errors
/// When the user has none.
pub(crate) fn cache() -> Result<std::path::PathBuf, LocalError> {
    Ok(tools::Machine::of_this_process()?.cache)
}

/// The pinned version of Kubernetes, as `v1.36.3`.
pub(crate) fn kubernetes_version() -> &'static str {
    program::pinned("k8s.io/kubernetes")
}

/// A gateway's proxy and its version in words; `None` when the gateway is tidepool's own.
pub(crate) fn real(gateway: Gateway) -> Option<String> {
    let programs = proxy::programs(gateway);
    let words = programs
        .iter()
        .map(|program| format!("{} {}", program.name(), program.version()));
    (!programs.is_empty()).then(|| words.collect::<Vec<_>>().join(" with "))
}

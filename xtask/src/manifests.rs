//! `cargo xtask manifests`: `install.yaml` and the Helm chart under `charts/`, rendered by the controller's own binary. A test of the controller
//! fails when they are not those of the sources.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// Writes into `--out FOLDER`, by default `charts`.
///
/// # Errors
/// When the build fails, or the files cannot be written.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let root = crate::tidy::root();
    let folder = match args {
        [] => root.join("charts"),
        [option, folder] if option == "--out" => std::path::absolute(folder).context("find the folder of --out")?,
        _ => bail!("cargo xtask manifests knows --out FOLDER, not {args:?}"),
    };
    let program = crate::hand_over::build("tidegate")?;
    let written = Command::new(&program)
        .args(["manifests", "--out"])
        .arg(&folder)
        .status()
        .with_context(|| format!("start {}", program.display()))?;
    if !written.success() {
        bail!("{} did not write the manifests", program.display());
    }
    crate::say(&format!(
        "kubectl apply --server-side --filename {}/install.yaml",
        folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}

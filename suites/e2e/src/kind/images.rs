//! Images without an image registry: the node's, and one FROM-scratch image for each program. Used by [`super::cluster`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::programs::{Programs, short_hash};
use super::shell::{Shell, command};
use super::{Source, Wish};
use crate::folder::Folder;
use crate::local;

/// The tags under which scenarios ask for the echo server; one program answers to all.
const ECHOSERVER: [&str; 3] = ["1.10.2", "1.10.3", "1.10.4"];
/// The controller's image, as `charts/install.yaml` asks for it.
pub(super) const CONTROLLER: &str = concat!("tidegate.dev/tidegate:", env!("CARGO_PKG_VERSION"));
/// Where the archive is named that the controller's image comes from.
const ARCHIVE: &str = "TIDEGATE_IMAGE";
/// istiod, where it is built.
pub(super) const ISTIOD: &str = "tidegate.dev/istiod:e2e";
/// Envoy, where it comes from its wheel.
pub(super) const ENVOY: &str = "tidegate.dev/envoy:1.40.0";
/// Prometheus, where it comes from Debian's package.
pub(super) const PROMETHEUS: &str = "tidegate.dev/prometheus:e2e";
/// The user of every image.
const NOBODY: &str = "65532:65532";

/// One image: a program, and what else it needs.
struct Image {
    name: String,
    program: PathBuf,
    /// Names of the same image beside the first.
    also: Vec<String>,
    /// What the program is told.
    arguments: &'static [&'static str],
}

/// The node image's name: another one whenever its definition or a program's version changes.
///
/// # Errors
/// When its definition cannot be read.
pub(super) fn node_name(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for folder in ["kind/node-image", "kind/offline", "kind/tools"] {
        files_below(&root.join(folder), &mut files)?;
    }
    files.sort();
    let texts: Result<Vec<Vec<u8>>> = files
        .iter()
        .map(|file| std::fs::read(file).with_context(|| format!("read {}", file.display())))
        .collect();
    Ok(format!(
        "tidegate.dev/kind-node:{}-{}",
        local::kubernetes_version(),
        short_hash(texts?)
    ))
}

/// Builds the node image unless it is there.
///
/// # Errors
/// What its build said.
pub(super) async fn node(shell: &Shell, root: &Path, programs: &Programs) -> Result<String> {
    let name = node_name(root)?;
    if exists(shell, &name).await {
        return Ok(name);
    }
    let mut build = command("bash", [root.join("kind/node-image/build.sh")]);
    build
        .arg(programs.folder())
        .args([local::kubernetes_version(), name.as_str()]);
    shell
        .step("node image", shell.run("build the node image", build))
        .await?;
    Ok(name)
}

/// Builds the images of the echo server, of a faulty one, and where nothing is published to be had, of Traefik, Envoy, istiod and a Prometheus that was
/// wished for; their names. The echo server is ours in any case: the published one answers nobody from the moment at which it is told to end.
///
/// # Errors
/// When Docker refuses one.
pub(super) async fn of_programs(shell: &Shell, programs: &Programs, wish: Wish) -> Result<Vec<String>> {
    let [first, others @ ..] = ECHOSERVER.map(|tag| format!("cilium/echoserver:{tag}"));
    let image = |name: &str, program: &str| Image {
        name: name.to_owned(),
        program: programs.path(program),
        also: Vec::new(),
        arguments: &[],
    };
    let mut images = vec![
        Image {
            also: others.to_vec(),
            ..image(&first, "echoserver")
        },
        Image {
            arguments: &["faulty"],
            ..image(suites::scenarios::FAULTY, "echoserver")
        },
    ];
    if wish.source == Source::Built {
        images.extend([
            image("tidegate.dev/traefik:3.7.15", "traefik"),
            image(ENVOY, "envoy"),
            image(ISTIOD, "pilot-discovery"),
        ]);
        if wish.prometheus {
            images.push(image(PROMETHEUS, "prometheus"));
        }
    }
    let mut names = Vec::new();
    for image in images {
        names.push(image.name.clone());
        names.extend(image.also.iter().cloned());
        build(shell, &image).await?;
    }
    Ok(names)
}

/// Takes the controller's image from its archive.
///
/// # Errors
/// When there is none, or Docker refuses it.
pub(super) async fn controller(shell: &Shell) -> Result<()> {
    let Some(archive) = std::env::var_os(ARCHIVE) else {
        bail!(
            "take the controller's image: {ARCHIVE} does not name its archive; cargo xtask e2e makes one, and so does cargo xtask image"
        );
    };
    // Or the one of an earlier run would stay without a name.
    remove(shell, CONTROLLER).await?;
    let mut load = command("docker", ["load", "--input"]);
    load.arg(archive);
    let said = shell.run("load the controller's image", load).await?;
    let loaded = loaded(&said).with_context(|| format!("docker load named no image: {}", said.trim()))?;
    if loaded != CONTROLLER {
        let name = command("docker", ["tag", loaded, CONTROLLER]);
        shell.run("name the controller's image", name).await?;
    }
    Ok(())
}

/// The image that `docker load` says it loaded.
pub(super) fn loaded(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.trim().strip_prefix("Loaded image: "))
}

async fn remove(shell: &Shell, image: &str) -> Result<()> {
    if exists(shell, image).await {
        let remove = command("docker", ["rmi", "--force", image]);
        shell.run("remove an old image", remove).await?;
    }
    Ok(())
}

/// Puts a program and the libraries that it is linked against into an image of nothing else.
async fn build(shell: &Shell, image: &Image) -> Result<()> {
    let folder = Folder::make()?;
    let files = folder.path().join("root");
    std::fs::create_dir_all(files.join("tmp")).context("make a folder for an image")?;
    let name = image.program.file_name().unwrap_or_default();
    let mut copies = vec![(image.program.clone(), files.join(name))];
    // A static program has no libraries, and ldd says so by failing.
    if let Ok(said) = shell
        .run("ask for libraries", command("ldd", [image.program.as_os_str()]))
        .await
    {
        for library in libraries(&said) {
            copies.push((
                library.clone(),
                files.join(library.strip_prefix("/").unwrap_or(&library)),
            ));
        }
    }
    for (from, to) in &copies {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("make the folder {}", parent.display()))?;
        }
        std::fs::copy(from, to).with_context(|| format!("copy {} into an image", from.display()))?;
    }
    // Under each of its names, or the old one would stay without any.
    for name in std::iter::once(&image.name).chain(&image.also) {
        remove(shell, name).await?;
    }
    let program = format!("/{}", name.display());
    let words: Vec<&str> = std::iter::once(program.as_str())
        .chain(image.arguments.iter().copied())
        .collect();
    let entry = format!("ENTRYPOINT {}", serde_json::json!(words));
    let user = format!("USER {NOBODY}");
    let mut import = command(
        "bash",
        [
            "-c",
            "set -o pipefail; chmod 1777 \"$1/tmp\" && tar -C \"$1\" --owner 0 --group 0 -c . | docker import -c \"$2\" -c \"$3\" - \"$4\"",
            "bash",
        ],
    );
    import
        .arg(&files)
        .args([entry.as_str(), user.as_str(), image.name.as_str()]);
    shell.run(&format!("make the image {}", image.name), import).await?;
    for name in &image.also {
        shell
            .run("name an image", command("docker", ["tag", &image.name, name]))
            .await?;
    }
    Ok(())
}

/// The files that `ldd` names.
pub(super) fn libraries(said: &str) -> Vec<PathBuf> {
    said.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}

async fn exists(shell: &Shell, image: &str) -> bool {
    let inspect = command("docker", ["image", "inspect", image]);
    shell.run("look for an image", inspect).await.is_ok()
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("read the folder {}", folder.display()))?
            .path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

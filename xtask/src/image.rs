//! `cargo xtask image`: the controller's image as an archive that `docker load` and `kind load image-archive` take. Nothing but the program is in
//! it, and nothing but cargo is needed to make it: an archive of an image is a tar of JSON texts and of the tar of its files.

mod tar;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A target of its own, so that what is linked statically is not what other builds link.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The name that the manifests ask for, too.
const NAME: &str = concat!("tidegate.dev/tidegate:", env!("CARGO_PKG_VERSION"));
/// Nobody: the image's user and group.
const USER: &str = "65532:65532";
/// Where `e2e` is told which archive to load.
pub(crate) const VARIABLE: &str = "TIDEGATE_IMAGE";

/// Builds the program, puts it into an image, and writes that to `--out FILE` (`target/tidegate-image.tar`). `--profile dev` builds in less
/// time, `--program FILE` takes a static program that is there.
///
/// # Errors
/// When the build fails, the program is not static, or the archive cannot be written.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let (mut out, mut profile, mut program) = (None, "release".to_owned(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--out" => out = Some(PathBuf::from(value()?)),
            "--profile" => profile = value()?,
            "--program" => program = Some(PathBuf::from(value()?)),
            other => bail!("cargo xtask image knows --out FILE, --profile NAME and --program FILE, not {other:?}"),
        }
    }
    let program = match program {
        Some(program) => program,
        None => build(&profile)?,
    };
    let out = out.unwrap_or_else(default_archive);
    let size = write(&program, &out)?;
    crate::say(&format!(
        "{NAME}: {} MiB in {}\ndocker load --input {}",
        size >> 20,
        out.display(),
        out.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Whether an `e2e` of these arguments needs the image: it plays in kind, really plays, and nobody named an archive.
pub(crate) fn wanted_by(args: &[String]) -> bool {
    let in_kind =
        args.windows(2).any(|pair| pair == ["--cluster", "kind"]) || args.iter().any(|arg| arg == "--cluster=kind");
    let only_tells = |arg: &String| matches!(arg.as_str(), "--list" | "--help" | "-h");
    in_kind && !args.iter().any(only_tells) && std::env::var_os(VARIABLE).is_none()
}

/// The image as it is released, built anew where a source changed; where its archive is.
///
/// # Errors
/// As [`run`].
pub(crate) fn archived() -> Result<PathBuf> {
    let out = default_archive();
    write(&build("release")?, &out)?;
    Ok(out)
}

fn default_archive() -> PathBuf {
    crate::tidy::root().join("target/tidegate-image.tar")
}

/// Puts the program into an archive; the archive's bytes.
fn write(program: &Path, out: &Path) -> Result<usize> {
    let text = std::fs::read(program).with_context(|| format!("read {}", program.display()))?;
    if !is_static(&text) {
        bail!(
            "{} is linked against libraries, which an image of nothing else lacks; build it with -C target-feature=+crt-static",
            program.display()
        );
    }
    let archive = archive(&text)?;
    std::fs::write(out, &archive).with_context(|| format!("write {}", out.display()))?;
    Ok(archive.len())
}

fn build(profile: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(crate::tidy::root())
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .args(["build", "--locked", "--package", "controller", "--bin", "tidegate"])
        .args(["--target", TARGET, "--profile", profile])
        .status()
        .context("start cargo build")?;
    if !built.success() {
        bail!("the build failed; what the compiler says is above");
    }
    let folder = if profile == "dev" { "debug" } else { profile };
    let target = crate::tidy::root().join("target").join(TARGET);
    Ok(target.join(folder).join("tidegate"))
}

/// Whether an ELF program of 64 bits asks for no interpreter, which is what loads libraries.
fn is_static(program: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let field = program.get(at..at.checked_add(bytes)?)?;
        field
            .iter()
            .rev()
            .try_fold(0_usize, |sum, byte| Some(sum.checked_mul(256)? + usize::from(*byte)))
    };
    let headers = || -> Option<bool> {
        let (start, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
        for index in 0..count {
            let kind = number(start.checked_add(index.checked_mul(size)?)?, 4)?;
            if u32::try_from(kind).ok()? == INTERPRETER {
                return Some(false);
            }
        }
        Some(true)
    };
    program.starts_with(b"\x7fELF\x02\x01") && headers().unwrap_or(false)
}

/// The image's archive: its one layer, its configuration, and the list of images that the archive holds.
fn archive(program: &[u8]) -> Result<Vec<u8>> {
    let layer = tar::of(&[("tidegate", tar::PROGRAM, program)])?;
    let configuration = serde_json::to_vec(&json!({
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": USER,
            "Entrypoint": ["/tidegate"],
            "Cmd": ["run", "--leader-elect"],
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "cargo xtask image" }],
    }))
    .context("describe the image")?;
    let configured = format!("{}.json", digest(&configuration));
    let images = json!([{ "Config": configured, "RepoTags": [NAME], "Layers": ["layer.tar"] }]);
    let images = serde_json::to_vec(&images).context("list the image")?;
    tar::of(&[
        ("manifest.json", tar::FILE, &images),
        (&configured, tar::FILE, &configuration),
        ("layer.tar", tar::FILE, &layer),
    ])
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{archive, digest, is_static, tar, wanted_by};

    #[test]
    fn the_layer_is_the_one_that_the_configuration_names() {
        let layer = tar::of(&[("tidegate", tar::PROGRAM, b"program")]).expect("a tar");
        let archive = archive(b"program").expect("an archive");
        let text = String::from_utf8_lossy(&archive);
        assert!(text.contains(&format!("\"diff_ids\":[\"sha256:{}\"]", digest(&layer))));
        assert!(text.contains("\"User\":\"65532:65532\""));
    }

    #[test]
    fn the_image_is_built_for_runs_in_kind_only() {
        let wanted = |line: &str| wanted_by(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(wanted("--cluster kind --offline"));
        assert!(wanted("--offline --cluster=kind"));
        assert!(!wanted("--cluster local --scenario kind"));
        assert!(!wanted("--cluster kind --list"));
    }

    #[test]
    fn one_program_makes_one_archive() {
        assert_eq!(
            archive(b"program").expect("first"),
            archive(b"program").expect("second")
        );
    }

    #[test]
    fn what_is_no_program_is_not_static() {
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(b"\x7fELF\x02\x01 and nothing more"));
        // A test is linked as the machine does it by default: against libraries.
        let this = std::fs::read(std::env::current_exe().expect("a path")).expect("a program");
        assert!(!is_static(&this));
    }
}

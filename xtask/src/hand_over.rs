//! Builds the binary `e2e` and becomes it, so that signals, the terminal and the exit code are its own. Used by `main` for `e2e`.

use std::io::{BufRead, BufReader, IsTerminal};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Builds, says how long that took, and hands this process over to `e2e <verb> <args>`, with the controller's image when it needs one.
///
/// # Errors
/// When the build fails, or its result cannot be started.
#[expect(
    clippy::disallowed_methods,
    reason = "the build's seconds are wall time; no product code is near"
)]
#[expect(
    clippy::print_stderr,
    reason = "progress for the person who waits; standard output is e2e's"
)]
pub(crate) fn to_e2e(verb: &str, args: &[String], image: Option<&Path>) -> Result<ExitCode> {
    let begun = Instant::now();
    if std::io::stderr().is_terminal() {
        eprintln!("building (the first time takes minutes)");
    }
    let binary = build("e2e")?;
    eprintln!("built in {:.1} s", begun.elapsed().as_secs_f64());
    let mut e2e = Command::new(&binary);
    e2e.arg(verb).args(args);
    if let Some(image) = image {
        e2e.env(crate::image::VARIABLE, image);
    }
    let failure = e2e.exec();
    Err(failure).with_context(|| format!("start {}", binary.display()))
}

/// One shape of build for every caller, so that neither CI's other steps nor a second command compile a dependency again for another set of
/// features: the whole workspace's programs, and one example, because cargo then counts the features of dev-dependencies as a test build does.
/// Returns where `program` is.
///
/// # Errors
/// When the build fails, or makes no such program.
pub(crate) fn build(program: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // `cargo run` tells this program about its own package. A build script that looks at such a variable (ring's does) would see another value
    // than in a build that was not started from here, and half of the graph would be compiled anew.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" || name.starts_with("CARGO_PKG_")
        }) {
            command.env_remove(name);
        }
    }
    let mut child = command
        .current_dir(crate::tidy::root())
        .args([
            "build",
            "--locked",
            "--workspace",
            "--exclude",
            "xtask",
            "--bins",
            "--example",
            "list",
        ])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .spawn()
        .context("start cargo build")?;
    let mut binary = None;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.context("read what cargo build says")?;
            binary = executable_named(&line, program).or(binary);
        }
    }
    if !child.wait().context("wait for cargo build")?.success() {
        bail!("the build failed; what the compiler says is above");
    }
    binary.with_context(|| format!("cargo build named no program {program}; is its package in the workspace?"))
}

/// The program's path in one line of cargo's JSON messages, if the line is about the program of that name. Cargo writes each message on one line
/// and paths escape only quotes and backslashes.
fn executable_named(line: &str, name: &str) -> Option<PathBuf> {
    let (_, after) = line.split_once("\"executable\":\"")?;
    let mut path = String::new();
    let mut chars = after.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => path.push(chars.next()?),
            other => path.push(other),
        }
    }
    let path = PathBuf::from(path);
    (Path::file_name(&path)? == name).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::executable_named;
    use std::path::PathBuf;

    #[test]
    fn finds_the_program_cargo_made() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"e2e"},"executable":"/a \"b\"/target/debug/e2e","fresh":true}"#;
        assert_eq!(
            executable_named(line, "e2e"),
            Some(PathBuf::from("/a \"b\"/target/debug/e2e"))
        );
        assert_eq!(executable_named(line, "tidegate"), None);
        assert_eq!(
            executable_named(r#"{"reason":"compiler-artifact","executable":null}"#, "e2e"),
            None
        );
    }
}

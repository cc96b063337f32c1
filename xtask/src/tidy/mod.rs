//! The rules that no compiler checks: over the text of every committed file ([`text`]) and over the dependency graph ([`walls`]). Both are pure
//! functions; this file reads the repository and reports. Runs as `cargo xtask tidy` and as a test of this package.

mod text;
mod walls;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// The repository's root: the parent of this package's folder.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// What tidy saw: the findings fail it, the notes do not.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<String>,
    notes: Vec<String>,
    files: usize,
}

/// Checks everything and prints what was found.
pub(crate) fn run() -> Result<ExitCode> {
    let report = check()?;
    let mut lines = report.notes;
    lines.extend(report.findings.iter().map(|finding| format!("error: {finding}")));
    lines.push(format!(
        "tidy: {} files, {} findings",
        report.files,
        report.findings.len()
    ));
    crate::say(&lines.join("\n"));
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check() -> Result<Report> {
    let shell = Shell::new().context("open a shell")?;
    shell.change_dir(root());
    let mut report = Report::default();
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard")
        .quiet()
        .read()
        .context("list the repository's files")?;
    for path in listed.lines().filter(|path| text::is_text(path)) {
        // A file that was deleted but not yet committed as such is still listed.
        let Ok(contents) = shell.read_file(path) else { continue };
        report.files += 1;
        report.findings.extend(text::findings(path, &contents));
        report.notes.extend(text::note(path, &contents));
    }
    for wall in walls::WALLS {
        report
            .findings
            .extend(wall.findings(&tree(&shell, wall.package, wall.edges)?));
    }
    report
        .findings
        .extend(walls::banned(&tree(&shell, None, "normal,build,dev")?));
    Ok(report)
}

/// One line per package, or per package and feature, of a dependency graph.
fn tree(shell: &Shell, package: Option<&str>, edges: &str) -> Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let selection: Vec<String> = match package {
        Some(package) => vec!["--package".to_owned(), package.to_owned()],
        None => vec!["--workspace".to_owned()],
    };
    cmd!(
        shell,
        "{cargo} tree --locked {selection...} --edges {edges} --prefix none"
    )
    .quiet()
    .ignore_stderr()
    .read()
    .with_context(|| format!("read the dependency graph of {}", package.unwrap_or("the workspace")))
}

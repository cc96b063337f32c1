//! `e2e compare`: reads JSON reports of several runs and says where their verdicts differ. The judging is [`suites::report::compare`]'s.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use suites::report::compare;

use crate::output::Output;

/// Which reports.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Compare {
    /// Reports that `--report FILE.json` wrote, each of another cluster or of other gateways.
    #[arg(required = true, value_name = "FILE")]
    reports: Vec<PathBuf>,
}

/// Compares them; success when every scenario has one verdict everywhere.
///
/// # Errors
/// When a file cannot be read or is no report.
pub(crate) fn compare(options: &Compare, out: &mut Output) -> Result<ExitCode> {
    let texts = options.reports.iter().map(|file| {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| format!("read the report {name}"))?;
        Ok((name, text))
    });
    let compared = compare::compare(&texts.collect::<Result<Vec<_>>>()?)?;
    for line in compared.to_string().lines() {
        out.line(line);
    }
    Ok(match compared.differences.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

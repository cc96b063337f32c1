//! Reports: one line for a terminal, Markdown or JSON for people and tools, `JUnit` for build servers.
//!
//! Pure: from a list of reports to text.

pub mod compare;
mod junit;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

pub use junit::junit;

use crate::runner::{Report, Verdict};

/// The line that a terminal shows for a scenario.
pub fn line(report: &Report) -> String {
    let word = match &report.verdict {
        Verdict::Passed => "ok",
        Verdict::Failed(_) => "FAILED",
        Verdict::Skipped(why) => return format!("skipped {}: {why}", report.id),
    };
    format!(
        "{word} {}: {} requests, {} answered{}, {} lost; {} writes{}; {:.1} s in {:.2} s",
        report.id,
        report.requests.sent,
        report.requests.answered.values().sum::<u64>(),
        listed(
            report
                .requests
                .answered
                .iter()
                .map(|(image, count)| (version(image), *count))
        ),
        report.requests.lost.len(),
        report.writes_in_all(),
        listed(by_kind(report)),
        report.took.as_secs_f64(),
        report.wall.as_secs_f64(),
    )
}

/// ` (a 1, b 2)`, or nothing.
fn listed<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> String {
    let all: Vec<_> = counts
        .into_iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join(", "))
    }
}

/// The end of an image's name that tells versions apart.
fn version(image: &str) -> &str {
    image.rsplit([':', '/']).next().unwrap_or(image)
}

/// The controller's writes by kind, whatever the verb.
fn by_kind(report: &Report) -> BTreeMap<&str, u64> {
    let mut kinds = BTreeMap::new();
    for (what, count) in &report.writes {
        let resource = what.split_once(' ').map_or(what.as_str(), |(_, resource)| resource);
        let kind = resource.split_once('/').map_or(resource, |(kind, _)| kind);
        *kinds.entry(kind).or_default() += count;
    }
    kinds
}

/// The last line: what became of all of them.
pub fn summary(cluster: &str, reports: &[Report]) -> String {
    let failed = count(reports, |verdict| matches!(verdict, Verdict::Failed(_)));
    let passed = count(reports, |verdict| *verdict == Verdict::Passed);
    let skipped = count(reports, |verdict| matches!(verdict, Verdict::Skipped(_)));
    let mut line = format!("e2e {cluster}: {passed} passed, {failed} failed");
    if skipped > 0 {
        let _ = write!(line, ", {skipped} skipped");
    }
    line
}

/// How many of the reports have a verdict like that.
pub fn count(reports: &[Report], like: impl Fn(&Verdict) -> bool) -> usize {
    reports.iter().filter(|report| like(&report.verdict)).count()
}

/// A report as Markdown: a table, and the failures below.
pub fn markdown(cluster: &str, reports: &[Report]) -> String {
    let mut text = format!(
        "# {}\n\n| scenario | result | requests | answered by | lost | writes | virtual s | wall s |\n|---|---|---|---|---|---|---|---|\n",
        summary(cluster, reports)
    );
    for report in reports {
        let result = match &report.verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::Failed(failures) => format!("failed ({})", failures.len()),
            Verdict::Skipped(why) => format!("skipped: {why}"),
        };
        let answered: Vec<_> = report
            .requests
            .answered
            .iter()
            .map(|(image, count)| format!("{image} {count}"))
            .collect();
        let writes: Vec<_> = report
            .writes
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {result} | {} | {} | {} | {} ({}) | {:.1} | {:.2} |",
            report.id,
            report.requests.sent,
            answered.join(", "),
            report.requests.lost.len(),
            report.writes_in_all(),
            writes.join(", "),
            report.took.as_secs_f64(),
            report.wall.as_secs_f64(),
        );
    }
    for report in reports.iter().filter(|report| !report.failures().is_empty()) {
        let _ = writeln!(text, "\n## {}\n", report.id);
        for failure in report.failures() {
            let _ = writeln!(text, "- {failure}");
        }
        let _ = writeln!(text, "\n```\n{}\n```", report.timeline.0.join("\n"));
    }
    text
}

/// A report as JSON.
pub fn json(cluster: &str, reports: &[Report]) -> Value {
    let scenarios: Vec<_> = reports
        .iter()
        .map(|report| {
            let (result, why) = match &report.verdict {
                Verdict::Passed => ("passed", Vec::new()),
                Verdict::Failed(failures) => ("failed", failures.iter().map(ToString::to_string).collect()),
                Verdict::Skipped(why) => ("skipped", vec![why.clone()]),
            };
            json!({
                "id": report.id,
                "result": result,
                "why": why,
                "requests": {
                    "sent": report.requests.sent,
                    "answered": report.requests.answered,
                    "lost": report.requests.lost.len(),
                },
                "writes": report.writes,
                "seconds": report.took.as_secs_f64(),
                "wallSeconds": report.wall.as_secs_f64(),
            })
        })
        .collect();
    json!({"cluster": cluster, "summary": summary(cluster, reports), "scenarios": scenarios})
}

//! The `JUnit` form of a report, as build servers read it.

use std::fmt::Write as _;

use crate::runner::{Report, Verdict};

use super::count;

/// A report as `JUnit` XML.
pub fn junit(cluster: &str, reports: &[Report]) -> String {
    let failed = count(reports, |verdict| matches!(verdict, Verdict::Failed(_)));
    let skipped = count(reports, |verdict| matches!(verdict, Verdict::Skipped(_)));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"e2e {}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">\n",
        escaped(cluster),
        reports.len()
    );
    for report in reports {
        let _ = write!(
            text,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(cluster),
            escaped(&report.id),
            report.wall.as_secs_f64()
        );
        match &report.verdict {
            Verdict::Passed => text.push_str("/>\n"),
            Verdict::Skipped(why) => {
                let _ = writeln!(text, "><skipped message=\"{}\"/></testcase>", escaped(why));
            }
            Verdict::Failed(failures) => {
                text.push_str(">\n");
                for failure in failures {
                    let _ = writeln!(
                        text,
                        "    <failure type=\"{}\" message=\"{}\"/>",
                        failure.check,
                        escaped(&failure.message)
                    );
                }
                let _ = writeln!(
                    text,
                    "    <system-out>{}</system-out>\n  </testcase>",
                    escaped(&report.timeline.0.join("\n"))
                );
            }
        }
    }
    text.push_str("</testsuite>\n");
    text
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            // XML has no form for most control characters.
            c if c.is_control() && c != '\n' && c != '\t' => "\u{fffd}".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

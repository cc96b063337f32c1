//! The forms of a report, as people and build servers see them.

use std::time::Duration;

use crate::report::{junit, line, markdown, summary};
use crate::runner::{Report, Verdict};
use crate::{Check, Failure};

fn reports() -> Vec<Report> {
    let mut passed = Report::skipped("walkthrough", "");
    passed.verdict = Verdict::Passed;
    passed.requests.sent = 1200;
    passed.requests.answered = [("echo:1".to_owned(), 1140), ("echo:2".to_owned(), 60)].into();
    passed.writes = [
        ("patch rollouts/status".to_owned(), 9),
        ("create services".to_owned(), 1),
    ]
    .into();
    passed.took = Duration::from_millis(61_500);
    let mut failed = Report::skipped("rollback", "");
    failed.verdict = Verdict::Failed(vec![Failure::new(Check::Weight, "15 % where <5 %> is \"due\"")]);
    failed.timeline.0 = vec!["     1.000 s  person: Pause".to_owned()];
    vec![passed, failed, Report::skipped("an-hour", "needs virtual time")]
}

#[test]
fn the_terminal_gets_one_line_each() {
    let lines: Vec<_> = reports().iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    ok walkthrough: 1200 requests, 1200 answered (1 1140, 2 60), 0 lost; 10 writes (rollouts 9, services 1); 61.5 s in 0.00 s
    FAILED rollback: 0 requests, 0 answered, 0 lost; 0 writes; 0.0 s in 0.00 s
    skipped an-hour: needs virtual time
    ");
    insta::assert_snapshot!(summary("embedded", &reports()), @"e2e embedded: 1 passed, 1 failed, 1 skipped");
}

#[test]
fn markdown_holds_a_table_and_the_failures() {
    insta::assert_snapshot!(markdown("embedded", &reports()), @r#"
    # e2e embedded: 1 passed, 1 failed, 1 skipped

    | scenario | result | requests | answered by | lost | writes | virtual s | wall s |
    |---|---|---|---|---|---|---|---|
    | walkthrough | passed | 1200 | echo:1 1140, echo:2 60 | 0 | 10 (create services 1, patch rollouts/status 9) | 61.5 | 0.00 |
    | rollback | failed (1) | 0 |  | 0 | 0 () | 0.0 | 0.00 |
    | an-hour | skipped: needs virtual time | 0 |  | 0 | 0 () | 0.0 | 0.00 |

    ## rollback

    - weight: 15 % where <5 %> is "due"

    ```
         1.000 s  person: Pause
    ```
    "#);
}

#[test]
fn junit_escapes_what_it_quotes() {
    insta::assert_snapshot!(junit("embedded", &reports()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuite name="e2e embedded" tests="3" failures="1" skipped="1">
      <testcase classname="embedded" name="walkthrough" time="0.000"/>
      <testcase classname="embedded" name="rollback" time="0.000">
        <failure type="weight" message="15 % where &lt;5 %&gt; is &quot;due&quot;"/>
        <system-out>     1.000 s  person: Pause</system-out>
      </testcase>
      <testcase classname="embedded" name="an-hour" time="0.000"><skipped message="needs virtual time"/></testcase>
    </testsuite>
    "#);
}

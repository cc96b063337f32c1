//! What the sequential test does on simulated releases, beside a z-test that is peeked at and a fixed threshold: `cargo run --release -p analysis --example
//! sequential-table [RUNS]`. Its tests, which `tests/sequential.rs` runs, hold the bounds that the documentation promises. One seed, one table.

mod cases;
mod judges;
mod play;
mod traffic;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use analysis::sequential::design::{Design, Mode, Settings};

use self::judges::{Judge, PeekedZ, Sequential, Threshold};
use self::play::{Record, Share, play};
use self::traffic::Case;

/// Runs of a case when the command line does not say.
const RUNS: usize = 1000;

fn main() -> io::Result<()> {
    let runs = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(RUNS);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{runs} runs of each case; slices of 15 s, each looked at; canary 5 % and errors .5 % unless said; alpha .01, beta .05, ratios 1 and 2.\n\
         Times in minutes, half of the runs / nine of ten. z: peeked at, 1 %. Threshold: 95 % over 5 min, each minute, the fourth bad one fails.\n\
         Robust: signs of equal arms.\n"
    )?;
    writeln!(
        out,
        "{:<30} {:>7} {:>12} {:>7} {:>12} {:>7} {:>9} {:>12} {:>7} {:>12}",
        "case", "FAIL", "after", "PASS", "after", "z", "threshold", "after", "robust", "after"
    )?;
    for (seed, case) in (1..).zip(&cases::ALL) {
        let records = play(case, runs, seed, all);
        writeln!(out, "{}", line(case, &records))?;
    }
    Ok(())
}

/// The design by its defaults, in a mode.
fn design(mode: Mode) -> Design {
    Design::new(Settings {
        mode,
        ..Settings::default()
    })
    .unwrap_or_default()
}

fn all() -> [Box<dyn Judge>; 4] {
    [
        Box::new(Sequential::by(design(Mode::Exact))),
        Box::new(PeekedZ::default()),
        Box::new(Threshold::default()),
        Box::new(Sequential::by(design(Mode::Robust))),
    ]
}

fn line(case: &Case, [exact, z, threshold, robust]: &[Record; 4]) -> String {
    let (robustly, robustly_after) = if case.canary == case.stable {
        (percent(&robust.fails()), after(&robust.fails()))
    } else {
        ("-".to_owned(), "-".to_owned())
    };
    format!(
        "{:<30} {:>7} {:>12} {:>7} {:>12} {:>7} {:>9} {:>12} {:>7} {:>12}",
        case.name,
        percent(&exact.fails()),
        after(&exact.fails()),
        percent(&exact.passes()),
        after(&exact.passes()),
        percent(&z.fails()),
        percent(&threshold.fails()),
        after(&threshold.fails()),
        robustly,
        robustly_after,
    )
}

fn percent(share: &Share<'_>) -> String {
    format!("{:.1} %", share.percent())
}

fn after(share: &Share<'_>) -> String {
    let minutes = |part| share.minutes(part).map(|minutes| format!("{minutes:.2}"));
    match (minutes(0.5), minutes(0.9)) {
        (Some(half), Some(most)) => format!("{half}/{most}"),
        (Some(half), None) => format!("{half}/-"),
        _ => "-".to_owned(),
    }
}

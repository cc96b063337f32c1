//! Names every scenario with what it requires: `cargo run -p e2e --example list`.
//!
//! It is also what keeps one shape of build. Cargo takes the features of dev-dependencies into account as soon as one target may use them, so
//! `cargo xtask` builds this beside the programs, and neither it nor `cargo test --workspace` compiles a dependency a second time.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for scenario in suites::scenarios::all() {
        writeln!(out, "{:<40} {}", scenario.id, scenario.requirement)?;
    }
    Ok(())
}

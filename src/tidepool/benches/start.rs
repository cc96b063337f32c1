//! What a cluster costs: the first in a process, the next ones, and a hundred at once. `cargo bench -p tidepool` prints it.
//!
//! Times of machines do not compare; so each is also told as a multiple of one yardstick of the same run: parsing one megabyte of JSON.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark reads the clock, tells what it saw, and ends when it cannot"
)]

use std::time::{Duration, Instant};

use env::sim::{SimEnv, run};
use env::{Trace, empty, read_all};
use http::Request;
use tidepool::{Embedded, Options};

const NEXT: u32 = 50;
const AT_ONCE: u64 = 100;

fn main() {
    let first = time(|| alone(0));
    let mut next: Vec<Duration> = (1..=u64::from(NEXT)).map(|seed| time(|| alone(seed))).collect();
    next.sort();
    let (median, slowest) = (next[next.len() / 2], next[next.len() - 1]);
    let before = resident();
    let (together, after) = hundred();
    let yardstick = yardstick();
    let row = |what: &str, took: Duration| {
        let ratio = took.as_secs_f64() / yardstick.as_secs_f64();
        println!("{what:<52} {:>9.2} ms  {ratio:>7.2} x", took.as_secs_f64() * 1e3);
    };
    row("yardstick: parse 1 MB of JSON", yardstick);
    row("first cluster in the process, to its first answer", first);
    row("next cluster, median of 50", median);
    row("next cluster, slowest of 50", slowest);
    row(
        "a hundred clusters at once, each",
        together / u32::try_from(AT_ONCE).unwrap_or(1),
    );
    if let (Some(before), Some(after)) = (before, after) {
        println!("memory of a hundred at once: {:.1} MB", (after - before) / 1e6);
    }
}

/// Starts a cluster, asks it one thing, stops it.
fn alone(seed: u64) {
    run(seed, Trace::off(), |world| async move {
        let cluster = start(&world).await;
        cluster.stop().await;
    });
}

async fn start(world: &SimEnv) -> Embedded {
    let cluster = Embedded::start(&world.env, &world.network, Options::default()).await;
    let request = Request::get("/api/v1/namespaces/default").body(empty());
    let response = cluster.api().send(request.expect("it is well-formed")).await;
    let body = read_all(response.expect("it answers").into_body(), 1 << 20).await;
    assert!(!body.expect("it is whole").is_empty());
    cluster
}

/// How long a hundred take to start side by side in one thread, and what the process then occupies.
fn hundred() -> (Duration, Option<f64>) {
    run(0, Trace::off(), |_| async {
        let began = Instant::now();
        let mut clusters = Vec::new();
        for seed in 0..AT_ONCE {
            clusters.push(start(&SimEnv::new(seed, Trace::off())).await);
        }
        let took = began.elapsed();
        let memory = resident();
        for cluster in clusters {
            cluster.stop().await;
        }
        (took, memory)
    })
}

fn time(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn yardstick() -> Duration {
    let item = r#"{"metadata":{"name":"shop","labels":{"app":"shop"}},"spec":{"replicas":3,"paused":false}},"#;
    let items = item.repeat(1_000_000 / item.len());
    let text = format!("[{}]", items.trim_end_matches(','));
    let mut runs: Vec<Duration> = (0..9)
        .map(|_| time(|| assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok())))
        .collect();
    runs.sort();
    runs[runs.len() / 2]
}

/// Bytes of memory that the process occupies, where the system tells.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

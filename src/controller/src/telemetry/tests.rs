//! What is measured is what the operator's guide says, name by name, and the probes say what is so.

use std::collections::BTreeSet;

use http::Method;

use super::Telemetry;

const GUIDE: &str = include_str!("../../../../docs/OPERATING.md");

/// A process that has done everything once.
fn busy() -> Telemetry {
    let telemetry = Telemetry::default();
    telemetry.reconciled();
    telemetry.wrote("Rollout", "patch");
    telemetry.failed("outdated");
    telemetry.watch_failed("rollouts");
    telemetry.reviewed("/convert", "converted");
    telemetry.serves("httproutes", true);
    telemetry.depth(1);
    telemetry.leading(true);
    telemetry.preflight(None);
    telemetry
}

#[test]
fn every_metric_is_in_the_guide_with_its_labels_and_the_guide_names_no_other() {
    let measured: BTreeSet<String> = busy()
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (series, _value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let keys: Vec<&str> = labels
                .trim_end_matches('}')
                .split(',')
                .filter_map(|label| Some(label.split_once('=')?.0))
                .collect();
            Some(match keys.as_slice() {
                [] => name.to_owned(),
                keys => format!("{name}{{{}}}", keys.join(",")),
            })
        })
        .collect();
    let documented: BTreeSet<String> = GUIDE
        .lines()
        .filter_map(|line| line.strip_prefix("| `tidegate_")?.split('`').next())
        .map(|name| format!("tidegate_{name}"))
        .collect();
    assert_eq!(measured, documented);
}

#[test]
fn readiness_waits_for_the_first_lists_and_life_does_not() {
    let telemetry = Telemetry::default();
    let get = |path| telemetry.answer(&Method::GET, path).status().as_u16();
    assert_eq!((get("/healthz"), get("/readyz")), (200, 503));
    telemetry.preflight(Some("no definitions".to_owned()));
    assert_eq!((get("/healthz"), get("/readyz")), (200, 503));
    telemetry.preflight(None);
    telemetry.set_synced();
    assert_eq!((get("/healthz"), get("/readyz")), (200, 200));
    assert_eq!(get("/elsewhere"), 404);
    assert_eq!(telemetry.answer(&Method::POST, "/metrics").status().as_u16(), 405);
}

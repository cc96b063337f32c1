//! How many scenarios run on which cluster, as committed in `expectations.yaml`: fewer is a failure, so that none is lost by a filter or a skip.

use std::collections::BTreeMap;

use serde::Deserialize;

const FILE: &str = include_str!("../expectations.yaml");

/// What is expected of one cluster.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expected {
    /// The least number of scenarios that must have run when none was filtered out.
    pub ran: usize,
    /// Scenarios that do not run there, by name, with the reason.
    #[serde(default)]
    pub skipped: BTreeMap<String, String>,
}

/// The expectations by cluster.
///
/// # Errors
/// When the committed file cannot be read.
pub fn all() -> Result<BTreeMap<String, Expected>, serde_yaml::Error> {
    serde_yaml::from_str(FILE)
}

/// Why a scenario does not run on `cluster`, when it is excepted there by name.
pub fn why_skipped(cluster: &str, scenario: &str) -> Option<String> {
    all().ok()?.get(cluster)?.skipped.get(scenario).cloned()
}

/// What is wrong with `ran` scenarios on `cluster`, if anything.
///
/// # Errors
/// The sentence for the report.
pub fn judge(cluster: &str, ran: usize) -> Result<(), String> {
    let all = all().map_err(|error| format!("read suites/expectations.yaml: {error}"))?;
    match all.get(cluster) {
        Some(expected) if ran < expected.ran => Err(format!(
            "{ran} scenarios ran on {cluster}; suites/expectations.yaml says {}",
            expected.ran
        )),
        Some(_) => Ok(()),
        None => Err(format!("suites/expectations.yaml says nothing about cluster {cluster}")),
    }
}

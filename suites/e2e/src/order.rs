//! In which order scenarios begin where time is real and several run at once: the longest first, so that none of them is left to run alone at the end.
//! Used by [`crate::abreast`]; the order of reports is the list's all the same.

use suites::Scenario;

/// What takes more than a minute on a real cluster, the longest first: measured on local and kind.
const LONG: &[&str] = &[
    "analysis-around-a-promotion",
    "analysis-lets-a-good-version-go-on",
    "one-service-by-subsets",
    "two-rollouts-on-one-route",
    "analysis-by-a-real-prometheus",
    "rules-of-others",
    "canary-without-pods",
    "analysis-takes-a-bad-version-back",
    "third-image-at-step-3",
    "analysis-outage-and-another-try",
    "third-image-at-step-2",
    "grpc-route",
    "analysis-of-a-short-step",
    "third-image-at-step-1",
    "second-route",
];

/// The indices of `scenarios` in the order in which they begin.
pub(crate) fn longest_first(scenarios: &[Scenario]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..scenarios.len()).collect();
    // Stable: what is not long begins in the order of the list.
    indices.sort_by_key(|index| {
        let id = scenarios[*index].id.as_str();
        LONG.iter().position(|long| *long == id).unwrap_or(LONG.len())
    });
    indices
}

#[cfg(test)]
mod tests;

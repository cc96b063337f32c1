//! Scenarios are chosen by glob, and each has a name of its own.

use std::collections::BTreeSet;

use rstest::rstest;

use super::matches;
use crate::scenarios;

#[rstest]
#[case("walkthrough", "walkthrough", true)]
#[case("walk*", "walkthrough", true)]
#[case("*step-?", "rollback-at-step-2", true)]
#[case("*", "", true)]
#[case("walk", "walkthrough", false)]
#[case("*step-?", "rollback-at-step-", false)]
fn a_glob_chooses(#[case] glob: &str, #[case] id: &str, #[case] expected: bool) {
    assert_eq!(matches(glob, id), expected);
}

#[test]
fn every_scenario_has_its_own_name_fit_for_a_file() {
    let all = scenarios::all();
    let names: BTreeSet<_> = all.iter().map(|scenario| scenario.id.clone()).collect();
    assert_eq!(names.len(), all.len());
    for name in names {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
    }
    assert!(all.len() >= 30, "{}", all.len());
}

#[test]
fn every_manifest_is_yaml_and_brings_a_workload_behind_a_route() {
    for scenario in scenarios::all() {
        let mut documents = Vec::new();
        for manifest in &scenario.manifests {
            documents.extend(crate::manifest::documents(manifest, &crate::manifest::AsWritten).unwrap());
        }
        assert!(
            crate::manifest::route(&documents).is_some_and(|(host, _)| !host.is_empty()),
            "{}",
            scenario.id
        );
        assert!(
            crate::manifest::name_of(&documents, "Deployment").is_some(),
            "{}",
            scenario.id
        );
    }
}

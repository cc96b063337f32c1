//! The names of namespaces.

use rstest::rstest;

use super::ground::namespace_name;

#[rstest]
#[case("walkthrough", "e2e-walkthrough-x7k2p")]
#[case("walkthrough@traefik-ingress", "e2e-walkthrough-traefik-ingress-x7k2p")]
#[case(&"long-".repeat(20), "e2e-long-long-long-long-long-long-long-long-long-long-lon-x7k2p")]
fn a_namespace_is_named_after_its_scenario(#[case] scenario: &str, #[case] name: &str) {
    let made = namespace_name(scenario, "x7k2p");
    assert_eq!(made, name);
    assert!(made.len() <= 63);
}

//! The gateway's rules, row by row as they were measured on ingress-nginx 1.15.1.

use rstest::rstest;
use serde_json::json;

use super::super::{Asked, Config, Outcome, choose};
use super::{compile, config, ingress, service, slice};

const STABLE: [&str; 2] = ["a", "bb"];

fn canary_share(config: &Config, headers: &[(&str, &str)]) -> f64 {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    match choose(
        config,
        Asked {
            method: "GET",
            host: "echo.example.com",
            path: "/x",
            headers: &headers,
        },
    ) {
        Outcome::Forward(shares) => shares
            .iter()
            .filter(|share| share.pod() == "canary")
            .map(|share| share.probability)
            .sum(),
        other => panic!("expected a backend, got {other:?}"),
    }
}

#[rstest]
#[case::weight(&[("canary-weight", "20")], &[], 0.2)]
#[case::weight_of_a_total(&[("canary-weight", "250"), ("canary-weight-total", "1000")], &[], 0.25)]
#[case::no_rule_at_all(&[], &[], 0.0)]
#[case::header_always(&[("canary-by-header", "x-c"), ("canary-weight", "20")], &[("X-C", "always")], 1.0)]
#[case::header_never(&[("canary-by-header", "x-c"), ("canary-weight", "100")], &[("x-c", "never")], 0.0)]
#[case::another_header_value_leaves_the_weight(&[("canary-by-header", "x-c"), ("canary-weight", "20")], &[("x-c", "b")], 0.2)]
#[case::header_value_is_exact(&[("canary-by-header", "x-c"), ("canary-by-header-value", "beta")], &[("x-c", "beta")], 1.0)]
#[case::header_value_is_case_sensitive(&[("canary-by-header", "x-c"), ("canary-by-header-value", "beta")], &[("x-c", "Beta")], 0.0)]
#[case::a_header_value_takes_the_meaning_from_always(&[("canary-by-header", "x-c"), ("canary-by-header-value", "beta")], &[("x-c", "always")], 0.0)]
#[case::pattern_matches(&[("canary-by-header", "x-c"), ("canary-by-header-pattern", "^v[12]$")], &[("x-c", "v2")], 1.0)]
#[case::pattern_does_not_match(&[("canary-by-header", "x-c"), ("canary-by-header-pattern", "^v[12]$")], &[("x-c", "v3")], 0.0)]
#[case::cookie_always(&[("canary-by-cookie", "c"), ("canary-weight", "0")], &[("cookie", "a=b; c=always")], 1.0)]
#[case::cookie_never(&[("canary-by-cookie", "c"), ("canary-weight", "100")], &[("cookie", "c=never")], 0.0)]
#[case::header_beats_cookie(&[("canary-by-header", "x-c"), ("canary-by-cookie", "c")], &[("x-c", "never"), ("cookie", "c=always")], 0.0)]
#[case::cookie_counts_when_the_header_decides_nothing(&[("canary-by-header", "x-c"), ("canary-by-cookie", "c")], &[("x-c", "b"), ("cookie", "c=always")], 1.0)]
#[case::weight_0_and_header_always(&[("canary-by-header", "x-c"), ("canary-weight", "0")], &[("x-c", "always")], 1.0)]
#[case::weight_100_and_cookie_never(&[("canary-by-cookie", "c"), ("canary-weight", "100")], &[("cookie", "c=never")], 0.0)]
#[case::a_weight_above_its_total_is_everything(&[("canary-weight", "400")], &[], 1.0)]
#[case::a_total_of_nothing_counts_as_100(&[("canary-weight", "20"), ("canary-weight-total", "0")], &[], 0.2)]
#[case::a_value_beats_a_pattern(&[("canary-by-header", "x-c"), ("canary-by-header-value", "beta"), ("canary-by-header-pattern", ".*")], &[("x-c", "v1")], 0.0)]
#[case::a_pattern_that_is_none_leaves_always(&[("canary-by-header", "x-c"), ("canary-by-header-pattern", "(")], &[("x-c", "always")], 1.0)]
#[case::a_value_without_a_header_means_nothing(&[("canary-by-header-value", "beta"), ("canary-weight", "20")], &[("x-c", "beta")], 0.2)]
fn a_canary_gets_its_share(
    #[case] annotations: &[(&str, &str)],
    #[case] headers: &[(&str, &str)],
    #[case] expected: f64,
) {
    let share = canary_share(&config(annotations, &STABLE, &["canary"]), headers);
    assert!((share - expected).abs() < 1e-9, "{share}");
}

#[test]
fn a_canary_without_endpoints_gets_nothing() {
    assert!(canary_share(&config(&[("canary-weight", "100")], &STABLE, &[]), &[]) < 1e-9);
}

#[test]
fn a_second_canary_for_one_rule_has_no_effect() {
    let weight = |value| [("canary", "true"), ("canary-weight", value)];
    let config = compile(
        &[
            ingress("echo", "echo", &[]),
            ingress("first", "echo-canary", &weight("10")),
            ingress("second", "echo-canary", &weight("90")),
        ],
        &[],
        &[service("echo"), service("echo-canary")],
        &[slice("echo", &["a"]), slice("echo-canary", &["canary"])],
    );
    assert!((canary_share(&config, &[]) - 0.1).abs() < 1e-9);
}

#[test]
fn canaries_of_different_hosts_do_not_meet() {
    let weight = |value| [("canary", "true"), ("canary-weight", value)];
    let mut elsewhere = ingress("elsewhere", "echo-canary", &weight("90"));
    elsewhere["spec"]["rules"][0]["host"] = json!("other.example.com");
    let config = compile(
        &[
            ingress("echo", "echo", &[]),
            elsewhere,
            ingress("here", "echo-canary", &weight("10")),
        ],
        &[],
        &[service("echo"), service("echo-canary")],
        &[slice("echo", &["a"]), slice("echo-canary", &["canary"])],
    );
    assert!((canary_share(&config, &[]) - 0.1).abs() < 1e-9);
    let asked = Asked {
        method: "GET",
        host: "other.example.com",
        path: "/",
        headers: &[],
    };
    // A canary alone makes no route.
    assert_eq!(choose(&config, asked), Outcome::NoRoute);
}

#[test]
fn a_canary_in_front_of_the_same_service_has_no_effect() {
    let weight = [("canary", "true"), ("canary-weight", "50")];
    let config = compile(
        &[ingress("echo", "echo", &[]), ingress("canary", "echo", &weight)],
        &[],
        &[service("echo")],
        &[slice("echo", &["a"])],
    );
    assert!(canary_share(&config, &[]) < 1e-9);
}

#[rstest]
#[case::another_host("other.example.com", "/", Outcome::NoRoute)]
fn what_matches_nothing_is_refused(#[case] host: &str, #[case] path: &str, #[case] expected: Outcome) {
    assert_eq!(
        choose(
            &config(&[], &STABLE, &[]),
            Asked {
                method: "GET",
                host,
                path,
                headers: &[]
            }
        ),
        expected
    );
}

#[test]
fn a_backend_without_endpoints_is_unavailable() {
    let config = compile(&[ingress("echo", "echo", &[])], &[], &[service("echo")], &[]);
    let asked = Asked {
        method: "GET",
        host: "echo.example.com",
        path: "/",
        headers: &[],
    };
    assert_eq!(choose(&config, asked), Outcome::NoEndpoints);
}

#[test]
fn an_ingress_of_another_class_is_not_served() {
    let mut other = ingress("echo", "echo", &[]);
    other["metadata"]["annotations"]["kubernetes.io/ingress.class"] = json!("traefik");
    let config = compile(&[other], &[], &[service("echo")], &[slice("echo", &["a"])]);
    let asked = Asked {
        method: "GET",
        host: "echo.example.com",
        path: "/",
        headers: &[],
    };
    assert_eq!(choose(&config, asked), Outcome::NoRoute);
}

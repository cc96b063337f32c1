//! Probabilities as arithmetic: they add up, they follow the precedence, and what is served follows them.

use std::collections::BTreeMap;

use env::sim::run;
use env::{HttpService, Trace, full};
use http::{Request, Response};
use proptest::prelude::*;

use super::super::{Asked, Config, Gateway, Outcome, Share, choose};
use super::config;

/// What a canary Ingress asks for.
#[derive(Clone, Debug)]
struct Rules {
    header: bool,
    value: Option<&'static str>,
    pattern: Option<&'static str>,
    cookie: bool,
    weight: Option<u32>,
    total: Option<u32>,
}

/// What a request shows.
#[derive(Clone, Debug)]
struct Shown {
    header: Option<&'static str>,
    cookie: Option<&'static str>,
}

const VALUES: [&str; 5] = ["always", "never", "beta", "v1", "other"];

fn rules() -> impl Strategy<Value = Rules> {
    let value = proptest::option::of(prop::sample::select(&["beta", "always"][..]));
    let pattern = proptest::option::of(prop::sample::select(&["^v[12]$", "beta"][..]));
    let numbers = (proptest::option::of(0u32..400), proptest::option::of(0u32..1500));
    (any::<bool>(), value, pattern, any::<bool>(), numbers).prop_map(
        |(header, value, pattern, cookie, (weight, total))| Rules {
            header,
            value,
            pattern,
            cookie,
            weight,
            total,
        },
    )
}

fn shown() -> impl Strategy<Value = Shown> {
    let value = || proptest::option::of(prop::sample::select(&VALUES[..]));
    (value(), value()).prop_map(|(header, cookie)| Shown { header, cookie })
}

fn compiled(rules: &Rules, stable: &[&str], canary: &[&str]) -> Config {
    let (weight, total) = (rules.weight.map(|w| w.to_string()), rules.total.map(|t| t.to_string()));
    let mut annotations = Vec::new();
    if rules.header {
        annotations.push(("canary-by-header", "x-canary"));
    }
    annotations.extend(rules.value.map(|value| ("canary-by-header-value", value)));
    annotations.extend(rules.pattern.map(|pattern| ("canary-by-header-pattern", pattern)));
    if rules.cookie {
        annotations.push(("canary-by-cookie", "canary"));
    }
    annotations.extend(weight.as_deref().map(|weight| ("canary-weight", weight)));
    annotations.extend(total.as_deref().map(|total| ("canary-weight-total", total)));
    config(&annotations, stable, canary)
}

fn headers(shown: &Shown) -> Vec<(String, String)> {
    let header = shown.header.map(|value| ("X-Canary".to_owned(), value.to_owned()));
    let cookie = shown
        .cookie
        .map(|value| ("Cookie".to_owned(), format!("a=b; canary={value}")));
    header.into_iter().chain(cookie).collect()
}

fn shares(config: &Config, shown: &Shown) -> Vec<Share> {
    let asked = Asked {
        method: "GET",
        host: "echo.example.com",
        path: "/",
        headers: &headers(shown),
    };
    match choose(config, asked) {
        Outcome::Forward(shares) => shares,
        other => panic!("expected backends, got {other:?}"),
    }
}

fn canary_share(shares: &[Share]) -> f64 {
    let canary = shares.iter().filter(|share| share.pod().starts_with("canary"));
    canary.map(|share| share.probability).sum()
}

/// The precedence told from the other end: who decides, in the order of header, cookie, weight.
fn expected(rules: &Rules, shown: &Shown) -> f64 {
    let by_header = shown
        .header
        .filter(|_| rules.header)
        .and_then(|sent| match (rules.value, rules.pattern) {
            (Some(value), _) => (sent == value).then_some(1.0),
            (None, Some("beta")) => sent.contains("beta").then_some(1.0),
            (None, Some(_)) => ["v1", "v2"].contains(&sent).then_some(1.0),
            (None, None) => always_or_never(sent),
        });
    let by_cookie = shown.cookie.filter(|_| rules.cookie).and_then(always_or_never);
    let total = f64::from(rules.total.filter(|total| *total > 0).unwrap_or(100));
    let by_weight = (f64::from(rules.weight.unwrap_or(0)) / total).min(1.0);
    by_header.or(by_cookie).unwrap_or(by_weight)
}

fn always_or_never(sent: &str) -> Option<f64> {
    match sent {
        "always" => Some(1.0),
        "never" => Some(0.0),
        _ => None,
    }
}

proptest! {
    #[test]
    fn probabilities_add_up_and_follow_the_precedence(
        rules in rules(), shown in shown(), stable in 1usize..5, canary in 0usize..4,
    ) {
        let names = |prefix: &str, count: usize| -> Vec<String> { (0..count).map(|n| format!("{prefix}-{n}")).collect() };
        let (stable, canary) = (names("stable", stable), names("canary", canary));
        let (stable, canary) = (texts(&stable), texts(&canary));
        let shares = shares(&compiled(&rules, &stable, &canary), &shown);
        prop_assert_eq!(shares.len(), stable.len() + canary.len());
        prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(&share.probability)));
        let sum: f64 = shares.iter().map(|share| share.probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
        let expected = if canary.is_empty() { 0.0 } else { expected(&rules, &shown) };
        prop_assert!((canary_share(&shares) - expected).abs() < 1e-9, "{:?}", shares);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Each pod's count lies within six standard deviations of what its probability says; one that has none is never asked.
    #[test]
    fn what_is_served_follows_the_probabilities(rules in rules(), shown in shown(), seed in any::<u64>()) {
        const REQUESTS: u32 = 2_000;
        let config = compiled(&rules, &["stable-0", "stable-1"], &["canary-0", "canary-1", "canary-2"]);
        let shares = shares(&config, &shown);
        let counts = run(seed, Trace::off(), |world| async move {
            let pods = ["stable-0", "stable-1", "canary-0", "canary-1", "canary-2"];
            let _served = pods.map(|pod| {
                let answer = HttpService::new(move |_| async move { Ok(Response::new(full(pod))) });
                world.network.serve(format!("{pod}:8080"), answer)
            });
            let gateway = Gateway::fixed(&world.env, config).service();
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for _ in 0..REQUESTS {
                let mut request = Request::get("/").header("host", "echo.example.com");
                for (name, value) in headers(&shown) {
                    request = request.header(name, value);
                }
                let response = gateway.send(request.body(env::empty()).expect("it is well-formed")).await;
                let response = response.expect("it answers");
                let backend = response.headers()["x-tidepool-backend"].to_str().expect("it is text");
                *counts.entry(backend.trim_start_matches("default/").to_owned()).or_default() += 1;
            }
            counts
        });
        for share in &shares {
            let count = f64::from(counts.get(share.pod()).copied().unwrap_or_default());
            let mean = f64::from(REQUESTS) * share.probability;
            let deviation = (mean * (1.0 - share.probability)).sqrt();
            prop_assert!((count - mean).abs() <= 6.0 * deviation + 1e-6, "{}: {} of {}", share.pod(), count, mean);
        }
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

//! Where a request may go, and with which probability: a pure function of configuration and request.
//!
//! Header beats cookie beats weight. A canary without endpoints gets nothing.

use super::config::{Canary, Config, Endpoint, HeaderRule, Location, PathType};

/// What a request shows to the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Host, without port.
    pub host: &'a str,
    /// Path, without query.
    pub path: &'a str,
    /// Header names and values, cookies included.
    pub headers: &'a [(String, String)],
}

/// One possible backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The pod.
    pub endpoint: Endpoint,
    /// How probable it is, in 0.0..=1.0.
    pub probability: f64,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It goes to one of these; the probabilities add up to 1.
    Forward(Vec<Share>),
    /// 404: no host or path matches.
    NoRoute,
    /// 503: the backend has no endpoints.
    NoEndpoints,
}

/// Decides one request.
pub fn choose(config: &Config, asked: Asked<'_>) -> Outcome {
    let Some(location) = locations(config, asked.host).and_then(|locations| location(locations, asked.path)) else {
        return Outcome::NoRoute;
    };
    if location.endpoints.is_empty() {
        return Outcome::NoEndpoints;
    }
    let canary = location.canary.as_ref().filter(|canary| !canary.endpoints.is_empty());
    let weight = canary.map_or(0.0, |canary| canary_share(canary, asked));
    let mut shares = even(&location.endpoints, 1.0 - weight);
    if let Some(canary) = canary {
        shares.extend(even(&canary.endpoints, weight));
    }
    Outcome::Forward(shares)
}

/// The exact host, else the longest wildcard, else the rule without a host.
fn locations<'a>(config: &'a Config, host: &str) -> Option<&'a [Location]> {
    if let Some(locations) = config.hosts.get(host) {
        return Some(locations);
    }
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        if let Some(locations) = config.hosts.get(&format!("*.{parent}")) {
            return Some(locations);
        }
        rest = parent;
    }
    config.hosts.get("").map(Vec::as_slice)
}

/// An exact path, else the longest prefix.
fn location<'a>(locations: &'a [Location], path: &str) -> Option<&'a Location> {
    let exact = |location: &&Location| location.path_type == PathType::Exact && location.path == path;
    locations.iter().find(exact).or_else(|| {
        let covers = |location: &&Location| match location.path_type {
            PathType::Exact => false,
            PathType::Text => path.starts_with(&location.path),
            PathType::Prefix => {
                let prefix = location.path.trim_end_matches('/');
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        locations
            .iter()
            .filter(covers)
            .max_by_key(|location| location.path.len())
    })
}

fn canary_share(canary: &Canary, asked: Asked<'_>) -> f64 {
    let policy = &canary.policy;
    if let Some((name, rule)) = &policy.header
        && let Some(value) = header(asked, name)
    {
        match rule {
            HeaderRule::Value(wanted) if value == wanted => return 1.0,
            HeaderRule::Pattern(pattern) if pattern.is_match(value) => return 1.0,
            HeaderRule::AlwaysNever if value == "always" => return 1.0,
            HeaderRule::AlwaysNever if value == "never" => return 0.0,
            HeaderRule::Value(_) | HeaderRule::Pattern(_) | HeaderRule::AlwaysNever => {}
        }
    }
    match policy.cookie.as_deref().and_then(|name| cookie(asked, name)) {
        Some("always") => 1.0,
        Some("never") => 0.0,
        _ => policy.weight,
    }
}

fn header<'a>(asked: Asked<'a>, name: &str) -> Option<&'a str> {
    asked
        .headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn cookie<'a>(asked: Asked<'a>, name: &str) -> Option<&'a str> {
    header(asked, "cookie")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn even(endpoints: &[Endpoint], share: f64) -> Vec<Share> {
    let count = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
    let each = share / f64::from(count.max(1));
    endpoints
        .iter()
        .map(|endpoint| Share {
            endpoint: endpoint.clone(),
            probability: each,
        })
        .collect()
}

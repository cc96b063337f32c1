//! The nginx dialect: Ingresses and their canary annotations.
//!
//! Pure. Follows ingress-nginx: the class annotation wins over `ingressClassName`; for one host and path the oldest Ingress wins; a canary
//! Ingress only ever joins a location that a main Ingress made, and only the first canary of a location counts. Header beats cookie beats
//! weight, and a canary without endpoints gets nothing.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::backends::{Endpoint, Found, Port, Services};
use super::choose::{Asked, Outcome, Share};
use super::kinds::{Kind, Objects};
use super::rules::{Edits, of_host};
use crate::object;

/// The controller name that an IngressClass must carry to be ours.
const CONTROLLER: &str = "k8s.io/ingress-nginx";
/// The class that the annotation must name.
const CLASS: &str = "nginx";
const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// When a request goes to the canary.
#[derive(Clone, Debug)]
struct Policy {
    header: Option<(String, HeaderRule)>,
    cookie: Option<String>,
    weight: f64,
}

/// What the canary header's value must be.
#[derive(Clone, Debug)]
enum HeaderRule {
    /// `always` goes to the canary, `never` to stable, anything else decides nothing.
    AlwaysNever,
    /// Exactly this text goes to the canary; `always` and `never` mean nothing.
    Value(String),
    /// What the pattern matches goes to the canary.
    Pattern(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathType {
    Exact,
    Prefix,
    /// nginx's own: a prefix of the text, not of path elements.
    Text,
}

#[derive(Clone, Debug)]
struct Canary {
    policy: Policy,
    endpoints: Vec<Endpoint>,
}

/// One path of a host.
#[derive(Clone, Debug)]
pub(super) struct Location {
    path: String,
    path_type: PathType,
    backend: (String, String),
    endpoints: Vec<Endpoint>,
    canary: Option<Canary>,
}

/// Locations by host.
pub(super) type Hosts = BTreeMap<String, Vec<Location>>;

pub(super) fn compile(objects: &Objects) -> Hosts {
    let services = Services::new(objects);
    let (canaries, mains): (Vec<&Value>, Vec<&Value>) = objects
        .oldest_first(Kind::Ingress)
        .into_iter()
        .filter(|ingress| is_ours(ingress, objects))
        .partition(|ingress| annotation(ingress, "canary") == Some("true"));
    let mut hosts = Hosts::new();
    for ingress in mains {
        for place in places(ingress) {
            let locations = hosts.entry(place.host.clone()).or_default();
            if !locations
                .iter()
                .any(|known| known.path == place.path && known.path_type == place.path_type)
            {
                let endpoints = endpoints(object::namespace(ingress), &place, &services);
                let backend = (object::namespace(ingress).to_owned(), place.service.clone());
                let Place { path, path_type, .. } = place;
                locations.push(Location {
                    path,
                    path_type,
                    backend,
                    endpoints,
                    canary: None,
                });
            }
        }
    }
    for ingress in canaries {
        for place in places(ingress) {
            let namespace = object::namespace(ingress);
            let location = hosts.get_mut(&place.host).and_then(|locations| {
                locations
                    .iter_mut()
                    .find(|known| known.path == place.path && known.path_type == place.path_type)
            });
            if let Some(location) = location
                && location.canary.is_none()
                && location.backend != (namespace.to_owned(), place.service.clone())
            {
                let endpoints = endpoints(namespace, &place, &services);
                location.canary = Some(Canary {
                    policy: policy(ingress),
                    endpoints,
                });
            }
        }
    }
    hosts
}

/// Decides a request to a host of this dialect; none when the host is unknown to it.
pub(super) fn route(hosts: &Hosts, asked: Asked<'_>) -> Option<Outcome> {
    let locations = of_host(hosts, asked.host)?;
    let path = asked.path.split('?').next().unwrap_or_default();
    let Some(location) = location(locations, path) else {
        return Some(Outcome::NoRoute);
    };
    if location.endpoints.is_empty() {
        return Some(Outcome::NoEndpoints);
    }
    let canary = location.canary.as_ref().filter(|canary| !canary.endpoints.is_empty());
    let weight = canary.map_or(0.0, |canary| canary_share(canary, asked));
    let mut shares = Share::even(&location.endpoints, 1.0 - weight, &Edits::default());
    if let Some(canary) = canary {
        shares.extend(Share::even(&canary.endpoints, weight, &Edits::default()));
    }
    Some(Outcome::Forward(shares))
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
        && let Some(value) = asked.header(name)
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

fn cookie<'a>(asked: Asked<'a>, name: &str) -> Option<&'a str> {
    asked
        .header("cookie")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn annotation<'a>(ingress: &'a Value, key: &str) -> Option<&'a str> {
    object::annotation(ingress, &format!("{PREFIX}{key}"))
}

fn is_ours(ingress: &Value, objects: &Objects) -> bool {
    if let Some(class) = object::annotation(ingress, "kubernetes.io/ingress.class") {
        return class == CLASS;
    }
    let mut nginx = objects
        .of(Kind::IngressClass)
        .filter(|class| object::text(class, &["spec", "controller"]) == CONTROLLER);
    match object::text(ingress, &["spec", "ingressClassName"]) {
        "" => {
            nginx.any(|class| object::annotation(class, "ingressclass.kubernetes.io/is-default-class") == Some("true"))
        }
        named => nginx.any(|class| object::name(class) == named),
    }
}

fn policy(ingress: &Value) -> Policy {
    let header = annotation(ingress, "canary-by-header")
        .filter(|name| !name.is_empty())
        .map(|name| {
            let value = annotation(ingress, "canary-by-header-value").filter(|value| !value.is_empty());
            let pattern = annotation(ingress, "canary-by-header-pattern").and_then(|text| Regex::new(text).ok());
            let rule = match (value, pattern) {
                (Some(value), _) => HeaderRule::Value(value.to_owned()),
                (None, Some(pattern)) => HeaderRule::Pattern(pattern),
                (None, None) => HeaderRule::AlwaysNever,
            };
            (name.to_owned(), rule)
        });
    let number = |key| annotation(ingress, key).and_then(|text| text.parse::<u32>().ok());
    let total = number("canary-weight-total").filter(|total| *total > 0).unwrap_or(100);
    let weight = f64::from(number("canary-weight").unwrap_or(0).min(total)) / f64::from(total);
    Policy {
        header,
        cookie: annotation(ingress, "canary-by-cookie").map(str::to_owned),
        weight,
    }
}

/// One path of one rule, and the Service port behind it.
struct Place {
    host: String,
    path: String,
    path_type: PathType,
    service: String,
    port: Value,
}

fn places(ingress: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    for rule in object::items(ingress, &["spec", "rules"]) {
        for path in object::items(rule, &["http", "paths"]) {
            let service = object::text(path, &["backend", "service", "name"]);
            if service.is_empty() {
                continue;
            }
            let path_type = match object::text(path, &["pathType"]) {
                "Exact" => PathType::Exact,
                "Prefix" => PathType::Prefix,
                _ => PathType::Text,
            };
            let text = Some(object::text(path, &["path"]))
                .filter(|text| !text.is_empty())
                .unwrap_or("/");
            places.push(Place {
                host: object::text(rule, &["host"]).to_owned(),
                path: text.to_owned(),
                path_type,
                service: service.to_owned(),
                port: object::at(path, &["backend", "service", "port"]).clone(),
            });
        }
    }
    places
}

fn endpoints(namespace: &str, place: &Place, services: &Services<'_>) -> Vec<Endpoint> {
    let port = match object::number(&place.port, &["number"]) {
        Some(number) => Port::Number(number),
        None => Port::Name(object::text(&place.port, &["name"])),
    };
    match services.behind(namespace, &place.service, port) {
        Found::Endpoints(endpoints) => endpoints,
        Found::NoService | Found::NoPort => Vec::new(),
    }
}

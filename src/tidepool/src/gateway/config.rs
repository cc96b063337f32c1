//! What the gateway knows: hosts, locations, backends and canaries, compiled from the cluster's objects.
//!
//! Pure. Follows ingress-nginx: the class annotation wins over `ingressClassName`; for one host and path the oldest Ingress wins; a canary
//! Ingress only ever joins a location that a main Ingress made, and only the first canary of a location counts.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::object;

/// The controller name that an IngressClass must carry to be ours.
const CONTROLLER: &str = "k8s.io/ingress-nginx";
/// The class that the annotation must name.
const CLASS: &str = "nginx";
const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// A ready endpoint: the pod, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// `ip:port`.
    pub authority: String,
}

/// When a request goes to the canary.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) header: Option<(String, HeaderRule)>,
    pub(super) cookie: Option<String>,
    pub(super) weight: f64,
}

/// What the canary header's value must be.
#[derive(Clone, Debug)]
pub(super) enum HeaderRule {
    /// `always` goes to the canary, `never` to stable, anything else decides nothing.
    AlwaysNever,
    /// Exactly this text goes to the canary; `always` and `never` mean nothing.
    Value(String),
    /// What the pattern matches goes to the canary.
    Pattern(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathType {
    Exact,
    Prefix,
    /// nginx's own: a prefix of the text, not of path elements.
    Text,
}

#[derive(Clone, Debug)]
pub(super) struct Canary {
    pub(super) policy: Policy,
    pub(super) endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) path: String,
    pub(super) path_type: PathType,
    backend: (String, String),
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) canary: Option<Canary>,
}

/// Everything the gateway routes by at one moment.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(super) hosts: BTreeMap<String, Vec<Location>>,
}

/// Compiles a configuration. The slices may be in any order.
pub fn compile(ingresses: &[Value], classes: &[Value], services: &[Value], slices: &[Value]) -> Config {
    let mut ours: Vec<&Value> = ingresses.iter().filter(|ingress| is_ours(ingress, classes)).collect();
    ours.sort_by_key(|ingress| {
        let created = object::text(ingress, &["metadata", "creationTimestamp"]);
        (created, object::namespace(ingress), object::name(ingress))
    });
    let (canaries, mains): (Vec<&Value>, Vec<&Value>) = ours
        .into_iter()
        .partition(|ingress| annotation(ingress, "canary") == Some("true"));
    let mut config = Config::default();
    for ingress in mains {
        for place in places(ingress) {
            let locations = config.hosts.entry(place.host.clone()).or_default();
            if !locations
                .iter()
                .any(|known| known.path == place.path && known.path_type == place.path_type)
            {
                let endpoints = endpoints(object::namespace(ingress), &place, services, slices);
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
            let location = config.hosts.get_mut(&place.host).and_then(|locations| {
                locations
                    .iter_mut()
                    .find(|known| known.path == place.path && known.path_type == place.path_type)
            });
            if let Some(location) = location
                && location.canary.is_none()
                && location.backend != (namespace.to_owned(), place.service.clone())
            {
                let endpoints = endpoints(namespace, &place, services, slices);
                location.canary = Some(Canary {
                    policy: policy(ingress),
                    endpoints,
                });
            }
        }
    }
    config
}

fn annotation<'a>(ingress: &'a Value, key: &str) -> Option<&'a str> {
    object::annotation(ingress, &format!("{PREFIX}{key}"))
}

fn is_ours(ingress: &Value, classes: &[Value]) -> bool {
    if let Some(class) = object::annotation(ingress, "kubernetes.io/ingress.class") {
        return class == CLASS;
    }
    let mut nginx = classes
        .iter()
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

fn endpoints(namespace: &str, place: &Place, services: &[Value], slices: &[Value]) -> Vec<Endpoint> {
    let Some(service) = services
        .iter()
        .find(|service| object::namespace(service) == namespace && object::name(service) == place.service)
    else {
        return Vec::new();
    };
    let wanted = |port: &&Value| {
        let by_number = place.port["number"].is_number() && port["port"] == place.port["number"];
        by_number || (place.port["name"].is_string() && port["name"] == place.port["name"])
    };
    let Some(port) = object::items(service, &["spec", "ports"]).iter().find(wanted) else {
        return Vec::new();
    };
    let port_name = object::text(port, &["name"]);
    let mut found = Vec::new();
    for slice in slices {
        let of_service = object::label(slice, "kubernetes.io/service-name") == Some(place.service.as_str());
        if object::namespace(slice) != namespace || !of_service {
            continue;
        }
        let target = object::items(slice, &["ports"])
            .iter()
            .find(|port| object::text(port, &["name"]) == port_name);
        let Some(target) = target.and_then(|port| object::number(port, &["port"])) else {
            continue;
        };
        for endpoint in object::items(slice, &["endpoints"]) {
            let ready = object::at(endpoint, &["conditions", "ready"]).as_bool().unwrap_or(true);
            let address = object::items(endpoint, &["addresses"]).first().and_then(Value::as_str);
            if let (true, Some(address)) = (ready, address) {
                found.push(Endpoint {
                    namespace: namespace.to_owned(),
                    pod: object::text(endpoint, &["targetRef", "name"]).to_owned(),
                    authority: format!("{address}:{target}"),
                });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

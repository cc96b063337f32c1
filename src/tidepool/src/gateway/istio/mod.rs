//! Istio: VirtualServices bound to a Gateway, and the subsets of DestinationRules.
//!
//! Pure. Routes are tried in the order in which they are written, the first that matches counts; of several VirtualServices for one host the
//! oldest comes first, and what matches everything comes last. Weights are relative to their sum. What cannot be resolved gets 503, as Envoy
//! answers for a cluster that it does not know. Not read: rewrites, redirects, mirrors, faults, retries, timeouts, delegates, and TLS.

mod destination;

use serde_json::Value;

use super::backends::Services;
use super::kinds::{Kind, Objects};
use super::rules::{Backend, Edit, Edits, Hosts, Match, Path, Pool, Route, Text, common_host};
use crate::object;
use destination::Destinations;

/// The label of the gateway's pods, by which Gateways select them: `istio: ingressgateway`.
const SELECTED: (&str, &str) = ("istio", "ingressgateway");

pub(super) fn compile(objects: &Objects) -> Hosts {
    let services = Services::new(objects);
    let destinations = Destinations::new(objects, &services);
    let mut hosts = Hosts::new();
    for service in objects.oldest_first(Kind::VirtualService) {
        for (gateway, host) in bindings(objects, service) {
            let routes = routes(service, &gateway, &destinations);
            let known = hosts.entry(host).or_default();
            known.extend(routes);
        }
    }
    for routes in hosts.values_mut() {
        let matches_all = |route: &Route| route.matches.iter().any(Match::is_everything);
        // Stable: the order among others stays.
        routes.sort_by_key(matches_all);
    }
    hosts
}

/// The Gateways that a VirtualService is bound to, `namespace/name`, with the hosts that they let through.
fn bindings(objects: &Objects, service: &Value) -> Vec<(String, String)> {
    let namespace = object::namespace(service);
    let mut found: Vec<(String, String)> = Vec::new();
    for named in object::items(service, &["spec", "gateways"])
        .iter()
        .filter_map(Value::as_str)
    {
        let (place, name) = named.split_once('/').unwrap_or((namespace, named));
        let Some(gateway) = objects.find(Kind::IstioGateway, place, name).filter(|it| is_ours(it)) else {
            continue;
        };
        let servers = object::items(gateway, &["spec", "servers"]).iter();
        for server in servers.filter(|server| is_http(server)) {
            for open in object::items(server, &["hosts"]).iter().filter_map(Value::as_str) {
                let (of, open) = open.split_once('/').unwrap_or(("*", open));
                let lets_in = of == "*" || of == namespace || (of == "." && place == namespace);
                let wanted = object::items(service, &["spec", "hosts"])
                    .iter()
                    .filter_map(Value::as_str);
                for host in wanted.filter(|_| lets_in) {
                    let common = common_host(any(host), any(open)).map(str::to_owned);
                    let binding = common.map(|common| (format!("{place}/{name}"), common));
                    found.extend(binding.filter(|binding| !found.contains(binding)));
                }
            }
        }
    }
    found
}

/// `*` is any host.
fn any(host: &str) -> &str {
    if host == "*" { "" } else { host }
}

fn is_ours(gateway: &Value) -> bool {
    let selector = object::at(gateway, &["spec", "selector"]).as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty()
            && selector
                .iter()
                .all(|(key, value)| key == SELECTED.0 && value == SELECTED.1)
    })
}

fn is_http(server: &Value) -> bool {
    let protocol = object::text(server, &["port", "protocol"]);
    ["HTTP", "HTTP2", "GRPC"]
        .iter()
        .any(|known| protocol.eq_ignore_ascii_case(known))
}

fn routes(service: &Value, gateway: &str, destinations: &Destinations<'_>) -> Vec<Route> {
    let namespace = object::namespace(service);
    let mut routes = Vec::new();
    for rule in object::items(service, &["spec", "http"]) {
        let entries = object::items(rule, &["match"]);
        let matches: Vec<Match> = if entries.is_empty() {
            vec![Match::default()]
        } else {
            let here = entries.iter().filter(|entry| is_meant(entry, namespace, gateway));
            here.map(read_match).collect()
        };
        let backends = backends(rule, namespace, destinations);
        if !matches.is_empty() && !backends.is_empty() {
            routes.push(Route { matches, backends });
        }
    }
    routes
}

/// Whether an entry is about requests through this gateway: it may name gateways, or the pods that ask, which here are none.
fn is_meant(entry: &Value, namespace: &str, gateway: &str) -> bool {
    let gateways = object::items(entry, &["gateways"]);
    let named = gateways.iter().filter_map(Value::as_str).any(|named| {
        let (place, name) = named.split_once('/').unwrap_or((namespace, named));
        gateway.split_once('/') == Some((place, name))
    });
    (gateways.is_empty() || named) && entry["sourceLabels"].is_null() && entry["sourceNamespace"].is_null()
}

fn read_match(entry: &Value) -> Match {
    let texts = |key: &str| {
        let map = entry[key].as_object().into_iter().flatten();
        map.map(|(name, wanted)| (name.clone(), text(wanted).unwrap_or(Text::Present)))
            .collect()
    };
    let path = match text(&entry["uri"]) {
        None => Path::Any,
        Some(Text::Exact(_)) if entry["ignoreUriCase"] == true => {
            let exact = regex::escape(object::text(entry, &["uri", "exact"]));
            Path::Text(Text::pattern(&format!("(?i){exact}")))
        }
        Some(Text::Prefix(_)) if entry["ignoreUriCase"] == true => {
            let prefix = regex::escape(object::text(entry, &["uri", "prefix"]));
            Path::Text(Text::pattern(&format!("(?i){prefix}.*")))
        }
        Some(text) => Path::Text(text),
    };
    Match {
        path,
        method: text(&entry["method"]),
        authority: text(&entry["authority"]),
        headers: texts("headers"),
        without_headers: texts("withoutHeaders"),
        query: texts("queryParams"),
    }
}

/// None when nothing is asked for.
fn text(wanted: &Value) -> Option<Text> {
    let of = |key: &str| wanted[key].as_str();
    if let Some(exact) = of("exact") {
        Some(Text::Exact(exact.to_owned()))
    } else if let Some(prefix) = of("prefix") {
        Some(Text::Prefix(prefix.to_owned()))
    } else {
        of("regex").map(Text::pattern)
    }
}

fn backends(rule: &Value, namespace: &str, destinations: &Destinations<'_>) -> Vec<Backend> {
    if let Some(status) = object::number(rule, &["directResponse", "status"]) {
        return vec![Backend {
            weight: 1,
            pool: Pool::Refused(u16::try_from(status).unwrap_or(503)),
            edits: Edits::default(),
        }];
    }
    let all = object::items(rule, &["route"]);
    let of_rule = edits(&rule["headers"]);
    let mut backends: Vec<Backend> = all
        .iter()
        .map(|one| {
            let weight = object::number(one, &["weight"]).unwrap_or_default();
            Backend {
                // One alone gets everything, whatever its weight.
                weight: if all.len() == 1 {
                    1
                } else {
                    u32::try_from(weight).unwrap_or_default()
                },
                pool: destinations.pool(namespace, &one["destination"]),
                edits: of_rule.clone().then(edits(&one["headers"])),
            }
        })
        .collect();
    if !backends.is_empty() && backends.iter().all(|backend| backend.weight == 0) {
        backends.push(Backend {
            weight: 1,
            pool: Pool::Refused(503),
            edits: Edits::default(),
        });
    }
    backends
}

fn edits(headers: &Value) -> Edits {
    Edits {
        request: block(&headers["request"]),
        response: block(&headers["response"]),
    }
}

fn block(block: &Value) -> Vec<Edit> {
    let pairs = |key: &str, edit: fn(String, String) -> Edit| -> Vec<Edit> {
        let map = block[key].as_object().into_iter().flatten();
        map.map(|(name, value)| edit(name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    let removed = object::items(block, &["remove"]).iter().filter_map(Value::as_str);
    let mut edits = pairs("set", Edit::Set);
    edits.extend(pairs("add", Edit::Add));
    edits.extend(removed.map(|name| Edit::Remove(name.to_owned())));
    edits
}

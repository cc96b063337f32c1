//! The Gateway API: which routes are attached to which listeners, in which order their rules are tried, and what is reported of it.
//!
//! Pure. A GatewayClass with [`CONTROLLER`] makes its Gateways ours. The order of rules is the specification's: exact path, longest prefix,
//! method, number of headers, number of query parameters, then the oldest route and its first rule. All listeners share the gateway's one
//! entrance, so that a port only tells listeners apart.

mod attach;
mod backend;
mod matches;

use serde_json::{Value, json};

use super::backends::Services;
use super::kinds::{Kind, Objects};
use super::report::{Report, condition};
use super::rules::{Hosts, Match, Route};
use crate::object;
use attach::{Attachment, Doors};
use backend::References;
use matches::Precedence;

/// The `controllerName` of a GatewayClass that is ours.
pub const CONTROLLER: &str = "tidepool.dev/gateway";

/// A rule's match with what it is sorted by.
struct Entry {
    precedence: Precedence,
    route: Route,
}

pub(super) fn compile(objects: &Objects) -> (Hosts, Vec<Report>) {
    let services = Services::new(objects);
    let mut doors = Doors::new(objects);
    let mut reports = Vec::new();
    let mut sorted: std::collections::BTreeMap<String, Vec<Entry>> = std::collections::BTreeMap::new();
    // The oldest first over both kinds, since that decides between equal matches.
    let mut routes: Vec<(Kind, &Value)> = [Kind::HttpRoute, Kind::GrpcRoute]
        .into_iter()
        .flat_map(|kind| objects.of(kind).map(move |route| (kind, route)))
        .collect();
    routes.sort_by_key(|(kind, route)| {
        let created = object::text(route, &["metadata", "creationTimestamp"]);
        (created, object::namespace(route), object::name(route), *kind)
    });
    for (kind, route) in routes {
        let attachments = doors.attach(kind, route);
        let references = References::new(objects, &services, kind, route);
        let compiled = rules(kind, route, &references);
        for host in attachments.iter().flat_map(Attachment::hosts) {
            let entries = sorted.entry(host.clone()).or_default();
            for (matches, backends) in &compiled.rules {
                entries.extend(matches.iter().map(|one| Entry {
                    precedence: one.precedence,
                    route: Route {
                        matches: vec![one.wanted.clone()],
                        backends: backends.clone(),
                    },
                }));
            }
        }
        reports.push(route_report(kind, route, &attachments, &compiled));
    }
    reports.extend(doors.reports());
    let hosts = sorted.into_iter().map(|(host, mut entries)| {
        // Stable: equal ones stay in the order of age and of rules.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.precedence));
        (host, entries.into_iter().map(|entry| entry.route).collect())
    });
    (hosts.collect(), reports)
}

/// A match and its place among others.
struct Ranked {
    precedence: Precedence,
    wanted: Match,
}

/// The rules of one route, and what is wrong with them.
struct Compiled {
    rules: Vec<(Vec<Ranked>, Vec<super::rules::Backend>)>,
    /// The first reference that leads nowhere: reason and message.
    unresolved: Option<(&'static str, String)>,
    /// The first filter that this gateway does not know.
    unsupported: Option<String>,
}

fn rules(kind: Kind, route: &Value, references: &References<'_>) -> Compiled {
    let mut compiled = Compiled {
        rules: Vec::new(),
        unresolved: None,
        unsupported: None,
    };
    for rule in object::items(route, &["spec", "rules"]) {
        let built = references.backends(rule);
        compiled.unresolved = compiled.unresolved.or(built.unresolved);
        compiled.unsupported = compiled.unsupported.or(built.unsupported);
        let ranked = matches::of_rule(kind, rule)
            .into_iter()
            .map(|(precedence, wanted)| Ranked { precedence, wanted });
        compiled.rules.push((ranked.collect(), built.backends));
    }
    compiled
}

fn route_report(kind: Kind, route: &Value, attachments: &[Attachment], compiled: &Compiled) -> Report {
    let generation = object::generation(route);
    let parents = attachments.iter().map(|attachment| {
        let accepted = match (&attachment.outcome, &compiled.unsupported) {
            (Err((reason, message)), _) => condition("Accepted", false, reason, message, generation),
            (Ok(_), Some(filter)) => {
                let message = format!("filter {filter} is not supported");
                condition("Accepted", false, "UnsupportedValue", &message, generation)
            }
            (Ok(_), None) => condition("Accepted", true, "Accepted", "", generation),
        };
        let resolved = match &compiled.unresolved {
            Some((reason, message)) => condition("ResolvedRefs", false, reason, message, generation),
            None => condition("ResolvedRefs", true, "ResolvedRefs", "", generation),
        };
        json!({
            "parentRef": attachment.parent,
            "controllerName": CONTROLLER,
            "conditions": [accepted, resolved],
        })
    });
    Report::new(kind, route, json!({ "parents": parents.collect::<Vec<_>>() }))
}

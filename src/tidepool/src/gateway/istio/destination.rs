//! From a destination, its host, port and subset, to the endpoints behind it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::backends::{Endpoint, Found, Port, Services};
use super::super::kinds::{Kind, Objects};
use super::super::rules::Pool;
use crate::object;

const DOMAIN: &str = ".svc.cluster.local";

/// All Services, the subsets that DestinationRules make of them, and the pods that belong to those.
pub(super) struct Destinations<'a> {
    services: &'a Services<'a>,
    /// The subsets' labels by namespace and name of the Service, and by name of the subset.
    subsets: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, &'a Value>>,
    pods: BTreeMap<(&'a str, &'a str), &'a Value>,
}

impl<'a> Destinations<'a> {
    pub(super) fn new(objects: &'a Objects, services: &'a Services<'a>) -> Self {
        let mut subsets: BTreeMap<_, BTreeMap<&str, &Value>> = BTreeMap::new();
        for rule in objects.oldest_first(Kind::DestinationRule) {
            let host = object::text(rule, &["spec", "host"]);
            let Some(service) = service(object::namespace(rule), host) else {
                continue;
            };
            let known = subsets.entry(service).or_default();
            for subset in object::items(rule, &["spec", "subsets"]) {
                known.entry(object::name_of_part(subset)).or_insert(&subset["labels"]);
            }
        }
        let pods = if subsets.is_empty() {
            BTreeMap::new()
        } else {
            let pods = objects.of(Kind::Pod);
            pods.map(|pod| ((object::namespace(pod), object::name(pod)), pod))
                .collect()
        };
        Self {
            services,
            subsets,
            pods,
        }
    }

    /// Who gets the requests to a destination of a VirtualService in `namespace`.
    pub(super) fn pool(&self, namespace: &str, destination: &Value) -> Pool {
        const UNKNOWN: Pool = Pool::Refused(503);
        let Some((place, name)) = service(namespace, object::text(destination, &["host"])) else {
            return UNKNOWN;
        };
        let port = object::number(destination, &["port", "number"]).or_else(|| {
            // Without a number, the only port is meant.
            match self.services.ports(place, name)?.as_slice() {
                [only] => Some(*only),
                _ => None,
            }
        });
        let Some(Found::Endpoints(endpoints)) = port.map(|port| self.services.behind(place, name, Port::Number(port)))
        else {
            return UNKNOWN;
        };
        let subset = object::text(destination, &["subset"]);
        if subset.is_empty() {
            return Pool::Endpoints(endpoints);
        }
        let labels = self.subsets.get(&(place, name)).and_then(|subsets| subsets.get(subset));
        labels.map_or(UNKNOWN, |labels| {
            let of_subset: BTreeSet<Endpoint> = endpoints
                .into_iter()
                .filter(|endpoint| self.has_labels(endpoint, labels))
                .collect();
            Pool::Endpoints(of_subset.into_iter().collect())
        })
    }

    fn has_labels(&self, endpoint: &Endpoint, labels: &Value) -> bool {
        let pod = self.pods.get(&(endpoint.namespace.as_str(), endpoint.pod.as_str()));
        pod.is_some_and(|pod| {
            let mut wanted = labels.as_object().into_iter().flatten();
            wanted.all(|(key, value)| object::label(pod, key).is_some_and(|label| *value == label))
        })
    }
}

/// Namespace and name of the Service that a host means. A name without dots is one of the namespace that it is written in; one with dots is
/// taken as it is, so that `name.namespace` means nothing, as in Istio.
fn service<'a>(namespace: &'a str, host: &'a str) -> Option<(&'a str, &'a str)> {
    if host.is_empty() {
        return None;
    }
    if !host.contains('.') {
        return Some((namespace, host));
    }
    let (name, namespace) = host.strip_suffix(DOMAIN)?.split_once('.')?;
    (!namespace.contains('.')).then_some((namespace, name))
}

//! From a Service's port to the ready endpoints behind it: what all dialects end in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::{Kind, Objects};
use crate::object;

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

/// How a route names a port of a Service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Port<'a> {
    Number(i64),
    Name(&'a str),
}

/// What is behind a name and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These, perhaps none.
    Endpoints(Vec<Endpoint>),
    NoService,
    NoPort,
}

/// All Services and their slices.
pub(super) struct Services<'a> {
    services: BTreeMap<(&'a str, &'a str), &'a Value>,
    slices: BTreeMap<(&'a str, &'a str), Vec<&'a Value>>,
}

impl<'a> Services<'a> {
    pub(super) fn new(objects: &'a Objects) -> Self {
        let services = objects.of(Kind::Service);
        let mut slices: BTreeMap<_, Vec<&Value>> = BTreeMap::new();
        for slice in objects.of(Kind::EndpointSlice) {
            if let Some(service) = object::label(slice, "kubernetes.io/service-name") {
                slices
                    .entry((object::namespace(slice), service))
                    .or_default()
                    .push(slice);
            }
        }
        Self {
            services: services
                .map(|service| ((object::namespace(service), object::name(service)), service))
                .collect(),
            slices,
        }
    }

    /// The numbers of a Service's ports; none when there is no such Service.
    pub(super) fn ports(&self, namespace: &str, name: &str) -> Option<Vec<i64>> {
        let service = self.services.get(&(namespace, name))?;
        let ports = object::items(service, &["spec", "ports"]).iter();
        Some(ports.filter_map(|port| object::number(port, &["port"])).collect())
    }

    pub(super) fn behind(&self, namespace: &str, name: &str, port: Port<'_>) -> Found {
        let Some(service) = self.services.get(&(namespace, name)) else {
            return Found::NoService;
        };
        let wanted = |known: &&Value| match port {
            Port::Number(number) => known["port"] == number,
            Port::Name(name) => known["name"] == name,
        };
        let Some(port) = object::items(service, &["spec", "ports"]).iter().find(wanted) else {
            return Found::NoPort;
        };
        let port_name = object::name_of_part(port);
        let mut found = Vec::new();
        for slice in self.slices.get(&(namespace, name)).into_iter().flatten() {
            let target = object::items(slice, &["ports"])
                .iter()
                .find(|port| object::name_of_part(port) == port_name);
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
        Found::Endpoints(found)
    }
}

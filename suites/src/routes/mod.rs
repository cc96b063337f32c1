//! Families of route objects. A scenario writes its routes once, as an Ingress; a family says the same in objects of its own, and reads from them how
//! much of the traffic is given to the new version.
//!
//! Pure. Used by stages (manifests), by dialects and, through them, by the invariants. One file per family.

mod http_route;
mod ingress;
#[cfg(test)]
mod tests;
mod virtual_service;

use serde_json::{Value, json};

use crate::Feature;
use crate::object::text;

/// A family of route objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Ingresses in the nginx dialect: what scenarios are written in.
    #[default]
    Ingress,
    /// HTTPRoutes of the Gateway API.
    HttpRoute,
    /// Istio's VirtualServices.
    VirtualService,
}

/// The Gateway that routes are bound to, where a family has such a thing: of the Gateway API or of Istio, by the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Namespace of the Gateway.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for Door {
    /// `gateways/door`: what our own beds install.
    fn default() -> Self {
        Self {
            namespace: "gateways".to_owned(),
            name: "door".to_owned(),
        }
    }
}

/// What a route object shows for the new version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Percent of all requests; 0 where requests are selected.
    pub weight: u32,
    /// Where the new version is, once anything leads there.
    pub canary: Option<Behind>,
}

/// Pods that a route can lead to: those of a Service, or of one of its subsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Name of the Service.
    pub service: String,
    /// Name of the subset that a DestinationRule makes of it.
    pub subset: Option<String>,
}

impl Behind {
    /// All pods of a Service.
    fn service(name: &str) -> Self {
        Self {
            service: name.to_owned(),
            subset: None,
        }
    }
}

impl std::fmt::Display for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.subset {
            Some(subset) => write!(f, "subset {subset} of Service {}", self.service),
            None => write!(f, "Service {}", self.service),
        }
    }
}

/// One path of an Ingress: host, path, path type, Service and its port.
struct Place<'a> {
    host: &'a str,
    path: &'a str,
    exact: bool,
    service: &'a str,
    port: &'a Value,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::HttpRoute, Self::VirtualService];

    /// The name under which command lines and reports know it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::HttpRoute => "httproute",
            Self::VirtualService => "virtualservice",
        }
    }

    /// What a cluster offers to a scenario by routing in this family.
    pub fn features(self) -> &'static [Feature] {
        match self {
            Self::Ingress => &[],
            Self::HttpRoute => &[Feature::SplitInPlace, Feature::GatewayApi],
            Self::VirtualService => &[Feature::SplitInPlace, Feature::Subsets],
        }
    }

    /// `apiVersion` and kind of its route objects.
    pub fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingress => ("networking.k8s.io/v1", "Ingress"),
            Self::HttpRoute => ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            Self::VirtualService => ("networking.istio.io/v1", "VirtualService"),
        }
    }

    /// The object that shows a release's split, of a route with this name.
    pub fn shows_in(self, route: &str) -> String {
        match self {
            Self::Ingress => format!("{route}-canary"),
            Self::HttpRoute | Self::VirtualService => route.to_owned(),
        }
    }

    /// What an object shows for the new version of a Service.
    pub fn shown(self, object: &Value, service: &str) -> Shown {
        match self {
            Self::Ingress => ingress::shown(object),
            Self::HttpRoute => http_route::shown(object, service),
            Self::VirtualService => virtual_service::shown(object, service),
        }
    }

    /// The documents of a scenario in this family.
    #[must_use]
    pub fn translate(self, documents: Vec<Value>, door: &Door) -> Vec<Value> {
        if self == Self::Ingress {
            return documents;
        }
        let translated = documents.into_iter().map(|document| match text(&document, "/kind") {
            "Ingress" => self.route(&document, door),
            "Rollout" => self.rollout(document),
            _ => document,
        });
        translated.collect()
    }

    fn route(self, ingress: &Value, door: &Door) -> Value {
        let places = places(ingress);
        let spec = match self {
            Self::Ingress => ingress["spec"].clone(),
            Self::HttpRoute => http_route::spec(&places, door),
            Self::VirtualService => virtual_service::spec(&places, door),
        };
        let (api_version, kind) = self.kind();
        let name = text(ingress, "/metadata/name");
        let mut route = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec});
        if let Some(namespace) = ingress.pointer("/metadata/namespace") {
            route["metadata"]["namespace"] = namespace.clone();
        }
        route
    }

    /// A Rollout that names the route in this family's words, in whatever version of the API it is written.
    fn rollout(self, mut rollout: Value) -> Value {
        let routings = rollout
            .pointer_mut("/spec/strategy/canary/trafficRoutings")
            .and_then(Value::as_array_mut);
        for routing in routings.into_iter().flatten().filter_map(Value::as_object_mut) {
            // A class that is no class of Ingresses is what the scenario is about.
            if routing.get("type").is_some_and(|class| class != "nginx") {
                continue;
            }
            let Some(ingress) = routing.remove("ingress") else {
                continue;
            };
            routing.remove("type");
            let name = text(&ingress, "/name");
            let (api_version, kind) = self.kind();
            match self {
                Self::Ingress => {}
                Self::HttpRoute => {
                    routing.insert("gateway".to_owned(), json!({ "httpRouteName": name }));
                }
                Self::VirtualService => {
                    let named = json!([{"apiVersion": api_version, "kind": kind, "name": name}]);
                    routing.insert("customNetworkRefs".to_owned(), named);
                }
            }
        }
        rollout
    }
}

fn places(ingress: &Value) -> Vec<Place<'_>> {
    let rules = ingress.pointer("/spec/rules").and_then(Value::as_array);
    let mut places = Vec::new();
    for rule in rules.into_iter().flatten() {
        let paths = rule.pointer("/http/paths").and_then(Value::as_array);
        for path in paths.into_iter().flatten() {
            places.push(Place {
                host: text(rule, "/host"),
                path: text(path, "/path"),
                exact: text(path, "/pathType") == "Exact",
                service: text(path, "/backend/service/name"),
                port: path.pointer("/backend/service/port/number").unwrap_or(&Value::Null),
            });
        }
    }
    places
}

/// The hosts of several places, each once, in order.
fn hosts(places: &[Place<'_>]) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for place in places {
        if !hosts.iter().any(|known| known == place.host) {
            hosts.push(place.host.to_owned());
        }
    }
    hosts
}

/// The name that a release gives the Service of its new version.
fn canary(service: &str) -> String {
    format!("{service}-canary")
}

/// Percent of `part` in the whole, rounded.
fn percent(part: u64, whole: u64) -> u32 {
    let rounded = (part.saturating_mul(200) + whole) / (2 * whole.max(1));
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

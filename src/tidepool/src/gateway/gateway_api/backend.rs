//! The backends of a rule: what they refer to, whether they may, and what is done to the headers on the way.

use serde_json::Value;

use super::super::backends::{Found, Port, Services};
use super::super::kinds::{Kind, Objects};
use super::super::rules::{Backend, Edits, Pool, listed_edits};
use super::attach::kind_name;
use crate::object;

/// Who refers, and what there is.
pub(super) struct References<'a> {
    objects: &'a Objects,
    services: &'a Services<'a>,
    kind: Kind,
    namespace: &'a str,
}

/// The backends of one rule.
pub(super) struct Built {
    pub(super) backends: Vec<Backend>,
    pub(super) unresolved: Option<(&'static str, String)>,
    pub(super) unsupported: Option<String>,
}

/// What filters ask for.
struct Filters {
    edits: Edits,
    unsupported: Option<String>,
}

impl<'a> References<'a> {
    pub(super) fn new(objects: &'a Objects, services: &'a Services<'a>, kind: Kind, route: &'a Value) -> Self {
        Self {
            objects,
            services,
            kind,
            namespace: object::namespace(route),
        }
    }

    /// A backend that cannot be used keeps its part of the requests and loses them: with 500 when the reference is wrong, with 503 when nobody
    /// is behind it.
    pub(super) fn backends(&self, rule: &Value) -> Built {
        let of_rule = filters(rule);
        let mut built = Built {
            backends: Vec::new(),
            unresolved: None,
            unsupported: of_rule.unsupported.clone(),
        };
        for reference in object::items(rule, &["backendRefs"]) {
            let own = filters(reference);
            let pool = if own.unsupported.is_some() || of_rule.unsupported.is_some() {
                Pool::Refused(500)
            } else {
                self.resolve(reference).unwrap_or_else(|problem| {
                    built.unresolved.get_or_insert(problem);
                    Pool::Refused(500)
                })
            };
            built.unsupported = built.unsupported.or(own.unsupported);
            let weight = object::number(reference, &["weight"]).unwrap_or(1);
            built.backends.push(Backend {
                weight: u32::try_from(weight).unwrap_or_default(),
                pool,
                edits: of_rule.edits.clone().then(own.edits),
            });
        }
        if built.backends.iter().all(|backend| backend.weight == 0) {
            built.backends.push(Backend {
                weight: 1,
                pool: Pool::Refused(500),
                edits: Edits::default(),
            });
        }
        built
    }

    fn resolve(&self, reference: &Value) -> Result<Pool, (&'static str, String)> {
        let name = object::text(reference, &["name"]);
        let kind = object::text(reference, &["kind"]);
        if !object::text(reference, &["group"]).is_empty() || !["", "Service"].contains(&kind) {
            return Err(("InvalidKind", format!("backend {name} is a {kind}, not a Service")));
        }
        let namespace = match object::text(reference, &["namespace"]) {
            "" => self.namespace,
            named => named,
        };
        if namespace != self.namespace && !self.is_granted(namespace, name) {
            let message = format!("no ReferenceGrant in {namespace} lets this route refer to Service {name}");
            return Err(("RefNotPermitted", message));
        }
        let Some(port) = object::number(reference, &["port"]) else {
            return Err((
                "UnsupportedValue",
                format!("the reference to Service {name} names no port"),
            ));
        };
        match self.services.behind(namespace, name, Port::Number(port)) {
            Found::Endpoints(endpoints) => Ok(Pool::Endpoints(endpoints)),
            Found::NoService => Err(("BackendNotFound", format!("Service {namespace}/{name} is not there"))),
            Found::NoPort => Err((
                "BackendNotFound",
                format!("Service {namespace}/{name} has no port {port}"),
            )),
        }
    }

    fn is_granted(&self, namespace: &str, name: &str) -> bool {
        self.objects.of(Kind::ReferenceGrant).any(|grant| {
            let from = object::items(grant, &["spec", "from"]).iter().any(|from| {
                from["group"] == "gateway.networking.k8s.io"
                    && from["kind"] == kind_name(self.kind)
                    && from["namespace"] == self.namespace
            });
            let to = object::items(grant, &["spec", "to"]).iter().any(|to| {
                let wanted = object::text(to, &["name"]);
                object::text(to, &["group"]).is_empty()
                    && to["kind"] == "Service"
                    && (wanted.is_empty() || wanted == name)
            });
            object::namespace(grant) == namespace && from && to
        })
    }
}

/// Reads the filters of a rule or of a backend. A mirror is left out: nobody hears its answers.
fn filters(of: &Value) -> Filters {
    let mut filters = Filters {
        edits: Edits::default(),
        unsupported: None,
    };
    for filter in object::items(of, &["filters"]) {
        match object::text(filter, &["type"]) {
            "RequestHeaderModifier" => filters
                .edits
                .request
                .extend(listed_edits(&filter["requestHeaderModifier"])),
            "ResponseHeaderModifier" => filters
                .edits
                .response
                .extend(listed_edits(&filter["responseHeaderModifier"])),
            "RequestMirror" => {}
            other => {
                filters.unsupported.get_or_insert(other.to_owned());
            }
        }
    }
    filters
}

//! Which of our listeners a route is attached to, and under which hosts.

use serde_json::{Value, json};

use super::super::kinds::{Kind, Objects};
use super::super::report::{Report, condition};
use super::super::rules::common_host;
use super::CONTROLLER;
use crate::object;

const GROUP: &str = "gateway.networking.k8s.io";

/// What became of one `parentRef` that names a Gateway of ours.
pub(super) struct Attachment {
    /// The reference as written.
    pub(super) parent: Value,
    /// The hosts that the route is served under through it, or reason and message.
    pub(super) outcome: Result<Vec<String>, (&'static str, String)>,
}

impl Attachment {
    pub(super) fn hosts(&self) -> impl Iterator<Item = &String> {
        self.outcome.iter().flatten()
    }
}

/// The Gateways of our classes.
pub(super) struct Doors<'a> {
    objects: &'a Objects,
    classes: Vec<&'a Value>,
    gateways: Vec<(&'a Value, Vec<Listener<'a>>)>,
}

/// A listener, and how many routes are attached to it.
struct Listener<'a> {
    spec: &'a Value,
    attached: u32,
}

impl Listener<'_> {
    fn is_http(&self) -> bool {
        self.spec["protocol"] == "HTTP"
    }

    fn host(&self) -> &str {
        object::text(self.spec, &["hostname"])
    }

    /// Whether the reference means this listener.
    fn is_named_by(&self, parent: &Value) -> bool {
        let (section, port) = (object::text(parent, &["sectionName"]), &parent["port"]);
        (section.is_empty() || object::name_of_part(self.spec) == section)
            && (port.is_null() || self.spec["port"] == *port)
    }

    fn lets_in(&self, kind: Kind, namespace: &str, gateway: &Value, objects: &Objects) -> bool {
        let wanted = kind_name(kind);
        let kinds = object::items(self.spec, &["allowedRoutes", "kinds"]);
        if !kinds.is_empty() && !kinds.iter().any(|allowed| allowed["kind"] == wanted) {
            return false;
        }
        match object::text(self.spec, &["allowedRoutes", "namespaces", "from"]) {
            "All" => true,
            "None" => false,
            "Selector" => {
                let selector = object::at(self.spec, &["allowedRoutes", "namespaces", "selector"]);
                objects
                    .find(Kind::Namespace, "", namespace)
                    .is_some_and(|found| selects(selector, found))
            }
            _ => object::namespace(gateway) == namespace,
        }
    }

    fn report(&self, generation: i64) -> Value {
        let accepted = if self.is_http() {
            condition("Accepted", true, "Accepted", "", generation)
        } else {
            let message = "only listeners with protocol HTTP are served";
            condition("Accepted", false, "UnsupportedProtocol", message, generation)
        };
        let programmed = if self.is_http() {
            condition("Programmed", true, "Programmed", "", generation)
        } else {
            condition("Programmed", false, "Invalid", "", generation)
        };
        let kind = |name: &str| json!({ "group": GROUP, "kind": name });
        json!({
            "name": self.spec["name"],
            "attachedRoutes": self.attached,
            "supportedKinds": [kind("HTTPRoute"), kind("GRPCRoute")],
            "conditions": [accepted, programmed, condition("ResolvedRefs", true, "ResolvedRefs", "", generation)],
        })
    }
}

impl<'a> Doors<'a> {
    pub(super) fn new(objects: &'a Objects) -> Self {
        let classes: Vec<&Value> = objects
            .of(Kind::GatewayClass)
            .filter(|class| class["spec"]["controllerName"] == CONTROLLER)
            .collect();
        let of_ours = |gateway: &&Value| {
            let named = object::text(gateway, &["spec", "gatewayClassName"]);
            classes.iter().any(|class| object::name(class) == named)
        };
        let gateways = objects.of(Kind::Gateway).filter(of_ours).map(|gateway| {
            let listeners = object::items(gateway, &["spec", "listeners"]).iter();
            let listeners = listeners.map(|spec| Listener { spec, attached: 0 });
            (gateway, listeners.collect())
        });
        Self {
            objects,
            gateways: gateways.collect(),
            classes,
        }
    }

    /// Attaches a route to every Gateway of ours that it names.
    pub(super) fn attach(&mut self, kind: Kind, route: &Value) -> Vec<Attachment> {
        let namespace = object::namespace(route);
        let wanted: Vec<&str> = object::items(route, &["spec", "hostnames"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut attachments = Vec::new();
        for parent in object::items(route, &["spec", "parentRefs"]) {
            let or = |key: &str, default: &'static str| match object::text(parent, &[key]) {
                "" => default.to_owned(),
                text => text.to_owned(),
            };
            if or("group", GROUP) != GROUP || or("kind", "Gateway") != "Gateway" {
                continue;
            }
            let place = match object::text(parent, &["namespace"]) {
                "" => namespace,
                named => named,
            };
            let named = object::text(parent, &["name"]);
            let gateway = self
                .gateways
                .iter_mut()
                .find(|(gateway, _)| object::namespace(gateway) == place && object::name(gateway) == named);
            if let Some((gateway, listeners)) = gateway {
                let meant: Vec<_> = listeners
                    .iter_mut()
                    .filter(|listener| listener.is_http() && listener.is_named_by(parent))
                    .collect();
                let outcome = if meant.is_empty() {
                    Err(("NoMatchingParent", "no listener has this name and port".to_owned()))
                } else {
                    enter(meant, &wanted, |listener| {
                        listener.lets_in(kind, namespace, gateway, self.objects)
                    })
                };
                attachments.push(Attachment {
                    parent: parent.clone(),
                    outcome,
                });
            }
        }
        attachments
    }

    /// What is told of classes and Gateways.
    pub(super) fn reports(&self) -> Vec<Report> {
        let classes = self.classes.iter().map(|class| {
            let accepted = condition("Accepted", true, "Accepted", "", object::generation(class));
            Report::new(Kind::GatewayClass, class, json!({ "conditions": [accepted] }))
        });
        let gateways = self.gateways.iter().map(|(gateway, listeners)| {
            let generation = object::generation(gateway);
            let listeners: Vec<Value> = listeners.iter().map(|listener| listener.report(generation)).collect();
            let status = json!({
                "conditions": [
                    condition("Accepted", true, "Accepted", "", generation),
                    condition("Programmed", true, "Programmed", "", generation),
                ],
                "listeners": listeners,
            });
            Report::new(Kind::Gateway, gateway, status)
        });
        classes.chain(gateways).collect()
    }
}

/// Attaches to those of the listeners that let the route in and share a host with it.
fn enter(
    listeners: Vec<&mut Listener<'_>>,
    wanted: &[&str],
    lets_in: impl Fn(&Listener<'_>) -> bool,
) -> Result<Vec<String>, (&'static str, String)> {
    let mut hosts = Vec::new();
    let mut is_let_in = false;
    for listener in listeners {
        if !lets_in(listener) {
            continue;
        }
        is_let_in = true;
        let mut common: Vec<String> = wanted
            .iter()
            .filter_map(|host| common_host(host, listener.host()))
            .map(str::to_owned)
            .collect();
        if wanted.is_empty() {
            common.push(listener.host().to_owned());
        }
        if !common.is_empty() {
            listener.attached += 1;
        }
        hosts.extend(common);
    }
    hosts.sort();
    hosts.dedup();
    match (is_let_in, hosts.is_empty()) {
        (false, _) => Err((
            "NotAllowedByListeners",
            "no listener lets in routes of this kind and namespace".to_owned(),
        )),
        (true, true) => Err((
            "NoMatchingListenerHostname",
            "no listener shares a host with this route".to_owned(),
        )),
        (true, false) => Ok(hosts),
    }
}

/// The kind as objects write it.
pub(super) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::GrpcRoute => "GRPCRoute",
        _ => "HTTPRoute",
    }
}

/// Whether a label selector selects the object.
fn selects(selector: &Value, object: &Value) -> bool {
    let has = |key: &str, value: &Value| object::label(object, key).is_some_and(|label| *value == label);
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let all_labels = labels.into_iter().all(|(key, value)| has(key, value));
    all_labels
        && object::items(selector, &["matchExpressions"]).iter().all(|expression| {
            let key = object::text(expression, &["key"]);
            let among = || {
                object::items(expression, &["values"])
                    .iter()
                    .any(|value| has(key, value))
            };
            match object::text(expression, &["operator"]) {
                "In" => among(),
                "NotIn" => !among(),
                "Exists" => object::label(object, key).is_some(),
                "DoesNotExist" => object::label(object, key).is_none(),
                _ => false,
            }
        })
}

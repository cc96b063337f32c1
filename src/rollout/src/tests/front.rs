//! What stands in front of the model's Service: the objects of each family of routes, and what they show.

use serde_json::{Value, json};

use super::model::Model;
use crate::Kind;

/// What stands in front of the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// An Ingress, which tells nothing.
    Ingress,
    /// An HTTPRoute whose gateway tells nothing.
    HttpRoute,
    /// An HTTPRoute whose gateway tells at once which generation it has taken in.
    Reported,
    /// A GRPCRoute whose gateway tells at once which generation it has taken in.
    GrpcRoute,
    /// A VirtualService, of which nobody tells anything.
    VirtualService,
    /// The same, with a DestinationRule whose subsets tell the versions behind one Service apart.
    Subsets,
}

/// Name and weight of a Service that a rule leads to.
type Backend = (&'static str, Option<i64>);

impl Front {
    /// All of them.
    pub(super) const ALL: [Self; 6] = [
        Self::Ingress,
        Self::HttpRoute,
        Self::Reported,
        Self::GrpcRoute,
        Self::VirtualService,
        Self::Subsets,
    ];

    /// The kind of the user's route object.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Ingress => Kind::Ingress,
            Self::HttpRoute | Self::Reported => Kind::HttpRoute,
            Self::GrpcRoute => Kind::GrpcRoute,
            Self::VirtualService | Self::Subsets => Kind::VirtualService,
        }
    }

    /// The kind whose status tells which generation has been taken in, if somebody tells.
    pub(super) fn reported(self) -> Option<Kind> {
        matches!(self, Self::Reported | Self::GrpcRoute).then(|| self.kind())
    }

    /// What the Rollout says of it.
    pub(super) fn named(self) -> Value {
        match self {
            Self::Ingress => json!({"ingress": {"name": "echoserver"}}),
            Self::HttpRoute | Self::Reported => json!({"gateway": {"httpRouteName": "echoserver"}}),
            Self::GrpcRoute => json!({"gateway": {"grpcRouteName": "echoserver"}}),
            Self::VirtualService => json!({"customNetworkRefs": [
                {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "echoserver"}
            ]}),
            Self::Subsets => json!({"customNetworkRefs": [
                {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "echoserver"},
                {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "name": "echoserver"}
            ]}),
        }
    }

    /// The spec of the DestinationRule as its owner wrote it.
    pub(super) fn destination_rule(self) -> Option<Value> {
        let own = json!([{"name": "v1", "labels": {"app": "echoserver"}, "trafficPolicy": {"connectionPool": {}}}]);
        (self == Self::Subsets).then(|| json!({"host": "echoserver", "trafficPolicy": {"tls": {}}, "subsets": own}))
    }

    /// The spec of the route object as its owner wrote it.
    pub(super) fn spec(self) -> Value {
        let rules = self.pristine();
        match self {
            Self::Ingress => json!({"ingressClassName": "nginx", "rules": rules}),
            Self::HttpRoute | Self::Reported | Self::GrpcRoute => {
                json!({"parentRefs": [{"name": "door"}], "rules": rules})
            }
            Self::VirtualService | Self::Subsets => json!({"hosts": ["echo.example.com"], "http": rules}),
        }
    }

    /// The rules as their owner wrote them: in routes that are edited in place, one of the echoserver alone, one that it shares, one of somebody
    /// else's.
    pub(super) fn pristine(self) -> Value {
        let two = [("other", Some(500)), ("echoserver", Some(500))];
        let rules: [(&str, &[Backend]); 3] = [
            ("/", &[("echoserver", Some(37))]),
            ("/both", &two),
            ("/other", &[("other", None)]),
        ];
        match self {
            Self::Ingress => {
                let path = json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "echoserver", "port": {"number": 80}}}});
                json!([{"host": "echo.example.com", "http": {"paths": [path]}}])
            }
            Self::HttpRoute | Self::Reported | Self::GrpcRoute | Self::VirtualService | Self::Subsets => rules
                .iter()
                .map(|(path, backends)| {
                    let backends = backends.iter().map(|(name, weight)| self.backend(name, *weight));
                    self.rule(path, &backends.collect::<Vec<_>>())
                })
                .collect(),
        }
    }

    fn rule(self, path: &str, backends: &[Value]) -> Value {
        match self {
            Self::GrpcRoute => json!({"matches": [{"method": {"service": path}}], "backendRefs": backends}),
            Self::VirtualService | Self::Subsets => json!({"match": [{"uri": {"prefix": path}}], "route": backends}),
            _ => json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends}),
        }
    }

    /// A backend of a rule, or a destination.
    pub(super) fn backend(self, service: &str, weight: Option<i64>) -> Value {
        let mut backend = match self {
            Self::VirtualService | Self::Subsets => json!({"destination": {"host": service, "port": {"number": 80}}}),
            _ => json!({"name": service, "port": 80}),
        };
        if let Some(weight) = weight {
            backend["weight"] = json!(weight);
        }
        backend
    }

    /// The field of the route's spec that holds the rules, the one of a rule that tells its requests, and the one that lists where they go.
    pub(super) const fn fields(self) -> [&'static str; 3] {
        match self {
            Self::VirtualService | Self::Subsets => ["http", "match", "route"],
            _ => ["rules", "matches", "backendRefs"],
        }
    }

    /// The rules as they are; none without the object.
    pub(super) fn rules(self, model: &Model) -> Option<&Vec<Value>> {
        let [rules, ..] = self.fields();
        model.get(self.kind(), "echoserver")?["spec"][rules].as_array()
    }

    /// How many rules lead selected requests to the canary.
    pub(super) fn selected(self, model: &Model) -> usize {
        let rules = self.rules(model).into_iter().flatten();
        rules
            .filter(|rule| self.whole(rule) > 0 && self.share(rule) == Some(100))
            .count()
    }

    /// What the rules that could lead to the new version give it, in percent; the least of them.
    fn shown(self, model: &Model) -> Option<i64> {
        let shares: Vec<i64> = self.rules(model)?.iter().filter_map(|rule| self.share(rule)).collect();
        shares.into_iter().min()
    }

    fn whole(self, rule: &Value) -> i64 {
        self.weigh(rule, "echoserver").unwrap_or(0) + self.weigh(rule, "echoserver-canary").unwrap_or(0)
    }

    fn share(self, rule: &Value) -> Option<i64> {
        let whole = self.whole(rule);
        let canary = self.weigh(rule, "echoserver-canary").unwrap_or(0);
        (whole > 0).then(|| canary * 100 / whole)
    }

    /// What a rule gives a Service; nothing where it is not named.
    fn weigh(self, rule: &Value, service: &str) -> Option<i64> {
        let [.., backends] = self.fields();
        let backends = rule[backends].as_array()?;
        let name = |backend: &Value| match self {
            // The canary's subset counts as the Service that it stands in for.
            Self::VirtualService | Self::Subsets => match backend["destination"]["subset"].as_str() {
                Some("canary") => service == "echoserver-canary",
                _ => backend["destination"]["host"] == service,
            },
            _ => backend["name"] == service,
        };
        let ours: Vec<&Value> = backends.iter().filter(|backend| name(backend)).collect();
        (!ours.is_empty()).then(|| ours.iter().map(|backend| backend["weight"].as_i64().unwrap_or(1)).sum())
    }
}

/// Whether a pod of the new version can answer where the routes lead to it.
pub(super) fn answered(model: &Model) -> bool {
    let shared = model.front == Front::Subsets;
    let slice = if shared { "echoserver-1" } else { "echoserver-canary-1" };
    let canaries: Vec<String> = model
        .objects
        .keys()
        .filter(|(kind, name)| *kind == Kind::Deployment && name != "echoserver")
        .map(|(_, name)| format!("{name}-"))
        .collect();
    let slice = model.get(Kind::EndpointSlice, slice).unwrap();
    let of_canary = |endpoint: &Value| {
        let pod = endpoint["targetRef"]["uid"].as_str().unwrap();
        canaries.iter().any(|canary| pod.starts_with(canary))
    };
    let known = !shared || has_subset(model, "canary");
    known && slice["endpoints"].as_array().unwrap().iter().any(of_canary)
}

/// Whether the DestinationRule has a subset of pods that are there.
pub(super) fn has_subset(model: &Model, name: &str) -> bool {
    let rule = model.get(Kind::DestinationRule, "echoserver").unwrap();
    let subsets = rule["spec"]["subsets"].as_array().into_iter().flatten();
    let mut named = subsets.filter(|subset| subset["name"] == name);
    named.any(|subset| {
        let hash = &subset["labels"]["pod-template-hash"];
        let mut sets = model.objects.iter().filter(|((kind, _), _)| *kind == Kind::ReplicaSet);
        sets.any(|(_, set)| set["metadata"]["labels"]["pod-template-hash"] == *hash)
    })
}

/// The share that the routes give the new version, in percent. A model that moves from an Ingress to a route has both.
pub(super) fn weight(model: &Model) -> i64 {
    let fronts = [Front::HttpRoute, Front::GrpcRoute, Front::VirtualService];
    if let Some(front) = fronts.into_iter().find(|front| front.rules(model).is_some()) {
        return front.shown(model).unwrap();
    }
    let ingress = model.get(Kind::Ingress, "echoserver-canary");
    let weight = ingress
        .and_then(|ingress| ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"].as_str());
    weight.map_or(0, |weight| weight.parse().unwrap())
}

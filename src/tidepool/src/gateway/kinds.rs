//! Which kinds the gateway reads, whether the cluster serves them, and which dialect is spoken in which.
//!
//! The routes of Gateway API and Istio are custom types: each is followed from the moment that its definition is established.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::object;
use crate::resource::{DEFINITIONS, ENDPOINT_SLICES, INGRESS_CLASSES, INGRESSES, NAMESPACES, PODS, Resource, SERVICES};
use crate::store::Stored;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ISTIO: &str = "networking.istio.io";

/// A kind that the gateway reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Ingresses.
    Ingress,
    /// Their classes.
    IngressClass,
    /// Services, behind every kind of route.
    Service,
    /// Where their pods are.
    EndpointSlice,
    /// Namespaces, whose labels a listener may select by.
    Namespace,
    /// Pods, whose labels make a subset.
    Pod,
    /// GatewayClass.
    GatewayClass,
    /// The Gateway API's Gateway.
    Gateway,
    /// HTTPRoute.
    HttpRoute,
    /// GRPCRoute.
    GrpcRoute,
    /// ReferenceGrant.
    ReferenceGrant,
    /// Istio's Gateway.
    IstioGateway,
    /// VirtualService.
    VirtualService,
    /// DestinationRule.
    DestinationRule,
}

/// The custom types by group and plural.
const CUSTOM: [(Kind, &str, &str); 8] = [
    (Kind::GatewayClass, GATEWAY_API, "gatewayclasses"),
    (Kind::Gateway, GATEWAY_API, "gateways"),
    (Kind::HttpRoute, GATEWAY_API, "httproutes"),
    (Kind::GrpcRoute, GATEWAY_API, "grpcroutes"),
    (Kind::ReferenceGrant, GATEWAY_API, "referencegrants"),
    (Kind::IstioGateway, ISTIO, "gateways"),
    (Kind::VirtualService, ISTIO, "virtualservices"),
    (Kind::DestinationRule, ISTIO, "destinationrules"),
];

/// A language of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    Ingress,
    GatewayApi,
    Istio,
}

impl Dialect {
    pub(super) const ALL: [Self; 3] = [Self::Ingress, Self::GatewayApi, Self::Istio];

    /// Whether routes of this dialect depend on objects of that kind.
    pub(super) const fn reads(self, kind: Kind) -> bool {
        match self {
            Self::Ingress => matches!(
                kind,
                Kind::Ingress | Kind::IngressClass | Kind::Service | Kind::EndpointSlice
            ),
            Self::GatewayApi => matches!(
                kind,
                Kind::GatewayClass
                    | Kind::Gateway
                    | Kind::HttpRoute
                    | Kind::GrpcRoute
                    | Kind::ReferenceGrant
                    | Kind::Namespace
                    | Kind::Service
                    | Kind::EndpointSlice
            ),
            Self::Istio => matches!(
                kind,
                Kind::IstioGateway
                    | Kind::VirtualService
                    | Kind::DestinationRule
                    | Kind::Pod
                    | Kind::Service
                    | Kind::EndpointSlice
            ),
        }
    }

    /// Whether the cluster serves what this dialect is written in.
    pub(super) fn is_spoken(self, followed: &[(Kind, Resource)]) -> bool {
        let route = match self {
            Self::Ingress => return true,
            Self::GatewayApi => Kind::Gateway,
            Self::Istio => Kind::VirtualService,
        };
        followed.iter().any(|(kind, _)| *kind == route)
    }
}

/// What the gateway follows of a cluster now, and the collection of each. The cluster's definitions are followed beside these.
pub(super) fn followed(cluster: &dyn Cluster) -> Vec<(Kind, Resource)> {
    let mut all = vec![
        (Kind::Ingress, INGRESSES),
        (Kind::IngressClass, INGRESS_CLASSES),
        (Kind::Service, SERVICES),
        (Kind::EndpointSlice, ENDPOINT_SLICES),
    ];
    for definition in cluster.list(&DEFINITIONS, None) {
        all.extend(custom(&definition.value));
    }
    if Dialect::GatewayApi.is_spoken(&all) {
        all.push((Kind::Namespace, NAMESPACES));
    }
    if Dialect::Istio.is_spoken(&all) {
        all.push((Kind::Pod, PODS));
    }
    all
}

/// The kind that a definition defines, if it is one of ours and served.
fn custom(definition: &Value) -> Option<(Kind, Resource)> {
    let (group, plural) = (
        object::text(definition, &["spec", "group"]),
        object::text(definition, &["spec", "names", "plural"]),
    );
    let (kind, ..) = CUSTOM.iter().find(|(_, g, p)| (*g, *p) == (group, plural))?;
    let is_established = object::items(definition, &["status", "conditions"])
        .iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    if !is_established || object::is_deleting(definition) {
        return None;
    }
    let versions = object::items(definition, &["spec", "versions"]);
    let served = || versions.iter().filter(|version| version["served"] == true);
    let version = served()
        .find(|version| version["storage"] == true)
        .or_else(|| served().next())?;
    let owned = |text: &str| Cow::Owned(text.to_owned());
    let resource = Resource {
        group: owned(group),
        version: owned(object::text(version, &["name"])),
        plural: owned(plural),
        kind: owned(object::text(definition, &["spec", "names", "kind"])),
        namespaced: definition["spec"]["scope"] == "Namespaced",
    };
    Some((*kind, resource))
}

/// The objects that a configuration is compiled from.
#[derive(Clone, Debug, Default)]
pub struct Objects(BTreeMap<Kind, Vec<Arc<Stored>>>);

impl Objects {
    /// What the cluster shows of these kinds.
    pub(super) fn read(cluster: &dyn Cluster, kinds: &[(Kind, Resource)], dialect: Dialect) -> Self {
        let read = kinds.iter().filter(|(kind, _)| dialect.reads(*kind));
        Self(
            read.map(|(kind, resource)| (*kind, cluster.list(resource, None)))
                .collect(),
        )
    }

    /// One more object.
    pub fn add(&mut self, kind: Kind, object: Value) {
        let stored = Stored {
            uid: object::uid(&object).to_owned(),
            version: 0,
            value: object,
        };
        self.0.entry(kind).or_default().push(Arc::new(stored));
    }

    /// All of a kind, in no particular order.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        self.0.get(&kind).into_iter().flatten().map(|stored| &stored.value)
    }

    /// One of a kind; `namespace` is empty where the kind lives in none.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Value> {
        self.of(kind)
            .find(|value| object::namespace(value) == namespace && object::name(value) == name)
    }

    /// All of a kind, the oldest first.
    pub fn oldest_first(&self, kind: Kind) -> Vec<&Value> {
        let mut all: Vec<&Value> = self.of(kind).collect();
        all.sort_by_key(|value| {
            let created = object::text(value, &["metadata", "creationTimestamp"]);
            (created, object::namespace(value), object::name(value))
        });
        all
    }
}

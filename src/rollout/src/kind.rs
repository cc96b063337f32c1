//! The kinds of objects that a plan reads or writes, and how each is addressed in the API. Pure data; the controller uses it to build its
//! watches and its requests, the rules use it to name things.

use std::fmt;

use kube::core::{ApiResource, GroupVersionKind};

/// A kind that a plan reads or writes. The order is the order in which objects are listed in a [`crate::World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `rollouts.kruise.io/v1beta1` Rollout.
    Rollout,
    /// `rollouts.kruise.io/v1beta1` BatchRelease.
    BatchRelease,
    /// `apps/v1` Deployment: the user's workload and our canaries of it.
    Deployment,
    /// `apps/v1` ReplicaSet: the revisions of a Deployment.
    ReplicaSet,
    /// `v1` Service.
    Service,
    /// `discovery.k8s.io/v1` EndpointSlice.
    EndpointSlice,
    /// `networking.k8s.io/v1` Ingress.
    Ingress,
    /// `gateway.networking.k8s.io` HTTPRoute.
    HttpRoute,
    /// `gateway.networking.k8s.io` GRPCRoute.
    GrpcRoute,
    /// `networking.istio.io` VirtualService.
    VirtualService,
    /// `networking.istio.io` DestinationRule.
    DestinationRule,
}

impl Kind {
    /// All kinds, in order: what a controller has to watch.
    pub const ALL: [Self; 7] = [
        Self::Rollout,
        Self::BatchRelease,
        Self::Deployment,
        Self::ReplicaSet,
        Self::Service,
        Self::EndpointSlice,
        Self::Ingress,
    ];

    /// Group, version and kind.
    pub fn gvk(self) -> GroupVersionKind {
        let (group, version, kind) = match self {
            Self::Rollout => ("rollouts.kruise.io", "v1beta1", "Rollout"),
            Self::BatchRelease => ("rollouts.kruise.io", "v1beta1", "BatchRelease"),
            Self::Deployment => ("apps", "v1", "Deployment"),
            Self::ReplicaSet => ("apps", "v1", "ReplicaSet"),
            Self::Service => ("", "v1", "Service"),
            Self::EndpointSlice => ("discovery.k8s.io", "v1", "EndpointSlice"),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress"),
            Self::HttpRoute => ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
            Self::GrpcRoute => ("gateway.networking.k8s.io", "v1", "GRPCRoute"),
            Self::VirtualService => ("networking.istio.io", "v1", "VirtualService"),
            Self::DestinationRule => ("networking.istio.io", "v1", "DestinationRule"),
        };
        GroupVersionKind::gvk(group, version, kind)
    }

    /// The address of the kind in the API, with its plural.
    pub fn api_resource(self) -> ApiResource {
        let plural = match self {
            Self::Rollout => "rollouts",
            Self::BatchRelease => "batchreleases",
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::Service => "services",
            Self::EndpointSlice => "endpointslices",
            Self::Ingress => "ingresses",
            Self::HttpRoute => "httproutes",
            Self::GrpcRoute => "grpcroutes",
            Self::VirtualService => "virtualservices",
            Self::DestinationRule => "destinationrules",
        };
        ApiResource::from_gvk_with_plural(&self.gvk(), plural)
    }

    /// The kind that a router speaks of.
    pub const fn of_route(kind: traffic::RouteKind) -> Self {
        match kind {
            traffic::RouteKind::Ingress => Self::Ingress,
            traffic::RouteKind::HttpRoute => Self::HttpRoute,
            traffic::RouteKind::GrpcRoute => Self::GrpcRoute,
            traffic::RouteKind::VirtualService => Self::VirtualService,
            traffic::RouteKind::DestinationRule => Self::DestinationRule,
        }
    }

    /// What a router calls the kind, if it is a route's.
    pub const fn route(self) -> Option<traffic::RouteKind> {
        match self {
            Self::Ingress => Some(traffic::RouteKind::Ingress),
            Self::HttpRoute => Some(traffic::RouteKind::HttpRoute),
            Self::GrpcRoute => Some(traffic::RouteKind::GrpcRoute),
            Self::VirtualService => Some(traffic::RouteKind::VirtualService),
            Self::DestinationRule => Some(traffic::RouteKind::DestinationRule),
            Self::Rollout
            | Self::BatchRelease
            | Self::Deployment
            | Self::ReplicaSet
            | Self::Service
            | Self::EndpointSlice => None,
        }
    }

    /// The kind of this group and kind name, whatever its version, when it is one of ours to know.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| {
            let gvk = known.gvk();
            gvk.group == group && gvk.kind == kind
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.gvk().kind)
    }
}

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
    /// `rollouts.kruise.io/v1alpha1` AnalysisTemplate.
    AnalysisTemplate,
    /// `rollouts.kruise.io/v1alpha1` ClusterAnalysisTemplate.
    ClusterAnalysisTemplate,
    /// `rollouts.kruise.io/v1alpha1` AnalysisRun.
    AnalysisRun,
}

impl Kind {
    /// All kinds, in order: what a controller has to watch, as far as the cluster serves it.
    pub const ALL: [Self; 14] = [
        Self::Rollout,
        Self::BatchRelease,
        Self::Deployment,
        Self::ReplicaSet,
        Self::Service,
        Self::EndpointSlice,
        Self::Ingress,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::VirtualService,
        Self::DestinationRule,
        Self::AnalysisTemplate,
        Self::ClusterAnalysisTemplate,
        Self::AnalysisRun,
    ];

    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Rollout
            | Self::BatchRelease
            | Self::AnalysisTemplate
            | Self::ClusterAnalysisTemplate
            | Self::AnalysisRun => "rollouts.kruise.io",
            Self::Deployment | Self::ReplicaSet => "apps",
            Self::Service => "",
            Self::EndpointSlice => "discovery.k8s.io",
            Self::Ingress => "networking.k8s.io",
            Self::HttpRoute | Self::GrpcRoute => "gateway.networking.k8s.io",
            Self::VirtualService | Self::DestinationRule => "networking.istio.io",
        }
    }

    /// The versions that the rules can read and write, the preferred one first. In what the rules look at they have the same form.
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Rollout | Self::BatchRelease => &["v1beta1"],
            Self::Deployment | Self::ReplicaSet | Self::Service | Self::EndpointSlice | Self::Ingress => &["v1"],
            Self::HttpRoute => &["v1", "v1beta1"],
            Self::GrpcRoute => &["v1", "v1alpha2"],
            Self::VirtualService | Self::DestinationRule => &["v1", "v1beta1", "v1alpha3"],
            Self::AnalysisTemplate | Self::ClusterAnalysisTemplate | Self::AnalysisRun => &["v1alpha1"],
        }
    }

    /// The first of [`Kind::versions`].
    pub const fn preferred(self) -> &'static str {
        match self.versions() {
            [preferred, ..] => preferred,
            [] => "",
        }
    }

    /// Whether a cluster may do without it: somebody else's definitions, which come and go.
    pub const fn optional(self) -> bool {
        match self {
            Self::HttpRoute | Self::GrpcRoute | Self::VirtualService | Self::DestinationRule => true,
            Self::Rollout
            | Self::BatchRelease
            | Self::Deployment
            | Self::ReplicaSet
            | Self::Service
            | Self::EndpointSlice
            | Self::Ingress
            | Self::AnalysisTemplate
            | Self::ClusterAnalysisTemplate
            | Self::AnalysisRun => false,
        }
    }

    /// The name of the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rollout => "Rollout",
            Self::BatchRelease => "BatchRelease",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Ingress => "Ingress",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::AnalysisTemplate => "AnalysisTemplate",
            Self::ClusterAnalysisTemplate => "ClusterAnalysisTemplate",
            Self::AnalysisRun => "AnalysisRun",
        }
    }

    /// The name of the resource in the API.
    pub const fn plural(self) -> &'static str {
        match self {
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
            Self::AnalysisTemplate => "analysistemplates",
            Self::ClusterAnalysisTemplate => "clusteranalysistemplates",
            Self::AnalysisRun => "analysisruns",
        }
    }

    /// Group, kind, and the preferred version.
    pub fn gvk(self) -> GroupVersionKind {
        GroupVersionKind::gvk(self.group(), self.preferred(), self.name())
    }

    /// The address of the kind in the API, in the preferred version.
    pub fn api_resource(self) -> ApiResource {
        self.api_resource_in(self.preferred())
    }

    /// The address of the kind in the API, in `version`: one of [`Kind::versions`], the one that the cluster serves.
    pub fn api_resource_in(self, version: &str) -> ApiResource {
        let gvk = GroupVersionKind::gvk(self.group(), version, self.name());
        ApiResource::from_gvk_with_plural(&gvk, self.plural())
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
            | Self::EndpointSlice
            | Self::AnalysisTemplate
            | Self::ClusterAnalysisTemplate
            | Self::AnalysisRun => None,
        }
    }

    /// The kind of this group and kind name, whatever its version, when it is one of ours to know.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.group() == group && known.name() == kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

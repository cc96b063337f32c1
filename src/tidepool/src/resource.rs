//! Which collection a request or a controller means: group, version, plural and kind, and whether it lives in namespaces.
//!
//! Plain data, used everywhere in this crate. The constants name what the built-in controllers touch; the API server itself learns its types
//! from the schema catalogue and from CustomResourceDefinitions, never from here.

use std::borrow::Cow;

/// A served collection of objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// Version in which objects are read and written.
    pub version: Cow<'static, str>,
    /// Plural name, as in paths.
    pub plural: Cow<'static, str>,
    /// Kind, as in objects.
    pub kind: Cow<'static, str>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// A resource known at compile time.
    pub const fn of(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
        namespaced: bool,
    ) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            plural: Cow::Borrowed(plural),
            kind: Cow::Borrowed(kind),
            namespaced,
        }
    }

    /// `group/version`, or `version` in the core group: the value of `apiVersion`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The collection's identity in the store, the same for all of its versions.
    pub fn storage(&self) -> StorageName {
        StorageName {
            group: self.group.to_string(),
            plural: self.plural.to_string(),
        }
    }
}

/// The identity of a collection in the store, independent of API versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageName {
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name.
    pub plural: String,
}

impl std::fmt::Display for StorageName {
    /// `deployments.apps`, or `pods` in the core group: how Kubernetes' messages name a resource.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.plural)
        } else {
            write!(f, "{}.{}", self.plural, self.group)
        }
    }
}

/// `namespaces`.
pub const NAMESPACES: Resource = Resource::of("", "v1", "namespaces", "Namespace", false);
/// `nodes`.
pub const NODES: Resource = Resource::of("", "v1", "nodes", "Node", false);
/// `pods`.
pub const PODS: Resource = Resource::of("", "v1", "pods", "Pod", true);
/// `services`.
pub const SERVICES: Resource = Resource::of("", "v1", "services", "Service", true);
/// `events` of the core group.
pub const EVENTS: Resource = Resource::of("", "v1", "events", "Event", true);
/// `deployments.apps`.
pub const DEPLOYMENTS: Resource = Resource::of("apps", "v1", "deployments", "Deployment", true);
/// `replicasets.apps`.
pub const REPLICA_SETS: Resource = Resource::of("apps", "v1", "replicasets", "ReplicaSet", true);
/// `endpointslices.discovery.k8s.io`.
pub const ENDPOINT_SLICES: Resource = Resource::of("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true);
/// `ingresses.networking.k8s.io`.
pub const INGRESSES: Resource = Resource::of("networking.k8s.io", "v1", "ingresses", "Ingress", true);
/// `ingressclasses.networking.k8s.io`.
pub const INGRESS_CLASSES: Resource = Resource::of("networking.k8s.io", "v1", "ingressclasses", "IngressClass", false);
/// `customresourcedefinitions.apiextensions.k8s.io`.
pub const DEFINITIONS: Resource = Resource::of(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    false,
);

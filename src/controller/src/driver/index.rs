//! By what objects are found other than by name: the selections of [`rollout::World`], as index entries.
//!
//! Pure. Used by the caches when an object comes or goes, and by observe and relation when they look one up.

use kube::core::DynamicObject;
use rollout::{Key, Kind, RouteNames};

/// A way to find objects. What is looked up is always looked up within one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Index {
    /// By the uid of an owner.
    Owner,
    /// By the key that the object belongs to.
    Key,
    /// By the name of a Service that it names or belongs to.
    Service,
    /// By the name of a route object of this kind that it names.
    Route(Kind),
    /// Rollouts that measure something, all under the empty text: a template may be taken in by any of their templates.
    Analysis,
}

/// The entries under which `object`, of `kind`, is found.
pub(crate) fn entries(kind: Kind, object: &DynamicObject) -> Vec<(Index, String)> {
    let mut found = Vec::new();
    match kind {
        Kind::Rollout => {
            let names = RouteNames::of(object);
            found.extend(Key::of_rollout(object).map(|key| (Index::Key, key.to_string())));
            found.extend(names.services.into_iter().map(|name| (Index::Service, name)));
            found.extend(names.routes.into_iter().map(|(kind, name)| (Index::Route(kind), name)));
            found.extend(rollout::has_analysis(object).then(|| (Index::Analysis, String::new())));
        }
        Kind::BatchRelease => found.extend(Key::named_by(object).map(|key| (Index::Key, key.to_string()))),
        Kind::Deployment => found.extend(Key::of_deployment(object).map(|key| (Index::Key, key.to_string()))),
        Kind::ReplicaSet | Kind::AnalysisRun => found.extend(
            object
                .metadata
                .owner_references
                .iter()
                .flatten()
                .map(|owner| (Index::Owner, owner.uid.clone())),
        ),
        Kind::EndpointSlice => {
            found.extend(rollout::service_of_slice(object).map(|service| (Index::Service, service.to_owned())));
        }
        Kind::Service
        | Kind::Ingress
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::VirtualService
        | Kind::DestinationRule
        | Kind::AnalysisTemplate
        | Kind::ClusterAnalysisTemplate => {}
    }
    found
}

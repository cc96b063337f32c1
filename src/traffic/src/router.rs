//! What every router has in common: which objects it looks at, what a step wants of it, and the edits that lead there and back.
//!
//! A router is pure: objects as they were read go in, edits come out. Level-triggered: it never remembers, it compares. One implementation per
//! family of route objects ([`crate::ingress`], [`crate::gateway_api`], [`crate::istio`]), chosen by [`crate::routers`]. Used by `rollout`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use api::parts::HeaderModifier;
use api::plan::Route;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::Op;

/// A kind of route object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// `networking.k8s.io` Ingress.
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

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "Ingress",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
        })
    }
}

/// The address of a route object in the Rollout's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteName {
    /// Kind.
    pub kind: RouteKind,
    /// Name.
    pub name: String,
}

impl RouteName {
    /// The address of an object.
    pub fn new(kind: RouteKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// The route objects of one namespace as they were read. What is not in it does not exist.
#[derive(Clone, Debug, Default)]
pub struct Routes<'a>(BTreeMap<RouteName, &'a DynamicObject>);

impl<'a> Routes<'a> {
    /// Adds an object that was read as `kind`.
    pub fn add(&mut self, kind: RouteKind, object: &'a DynamicObject) {
        let name = object.metadata.name.clone().unwrap_or_default();
        self.0.insert(RouteName::new(kind, name), object);
    }

    /// An object, if it exists.
    pub fn get(&self, name: &RouteName) -> Option<&'a DynamicObject> {
        self.0.get(name).copied()
    }
}

/// The two sides between which requests are split, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Namespace of all that is named here.
    pub namespace: &'a str,
    /// The user's Service.
    pub stable_service: &'a str,
    /// The Service of the new version; the stable one's name when the release makes none.
    pub canary_service: &'a str,
    /// Owner reference to the Rollout, for what is made for it and to know it by: `uid` tells ours from others'.
    pub owner: &'a Value,
}

impl Sides<'_> {
    /// Uid of the Rollout.
    pub fn owner_uid(&self) -> &str {
        self.owner.get("uid").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the versions share one Service, so that they are told apart by subsets.
    pub fn share_a_service(&self) -> bool {
        self.stable_service == self.canary_service
    }
}

/// The revisions of a release, as the labels of their pods tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revisions<'a> {
    /// Key of the label.
    pub key: &'a str,
    /// The stable revision's value; empty while it is not known.
    pub stable: &'a str,
    /// The new revision's value; empty while it is not known.
    pub canary: &'a str,
}

/// What a step wants of the routers.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The two sides.
    pub sides: Sides<'a>,
    /// How their pods are told apart.
    pub revisions: Revisions<'a>,
    /// Which requests go to the new version.
    pub route: &'a Route,
    /// Changes to the headers of those requests.
    pub header_modifier: Option<&'a HeaderModifier>,
}

/// One write to a route object. At most one per object.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Creates an object.
    Create {
        /// Its kind.
        kind: RouteKind,
        /// The whole object, with apiVersion, kind and metadata.
        object: Value,
    },
    /// Patches an object that was read.
    Patch {
        /// Which.
        name: RouteName,
        /// The operations, in order; not empty.
        ops: Vec<Op>,
    },
    /// Deletes an object that was read and is ours.
    Delete {
        /// Which.
        name: RouteName,
    },
}

/// Where the routes are, seen from what is wanted, and the edits that lead there.
#[derive(Clone, Debug, PartialEq)]
pub enum Position {
    /// They show what is wanted.
    There,
    /// They show more for the new version than is wanted, or something else at no more: the way there needs no evidence.
    Above(Vec<Edit>),
    /// They show less: the way there needs evidence that the new version's pods are ready.
    Below(Vec<Edit>),
    /// An object of ours is on its way out; it has to be gone first.
    Leaving(RouteName),
}

/// What the data plane is known to have taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Nobody tells: only time can be given.
    Untold,
    /// The implementation reports the objects' current generation.
    Current,
    /// The implementation reports, and has not come to the current generation yet.
    Behind {
        /// Which object, by whom, which generation; in words.
        why: String,
    },
    /// The implementation reports that it does not accept the object as it is.
    Refused {
        /// Which object, by whom, and what it says; in words.
        why: String,
    },
}

/// Why routes cannot be made to show what is wanted, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// An object that the Rollout names does not exist.
    #[error("{kind} {namespace}/{name} is not found; create it, or correct trafficRoutings[0].{field}")]
    Missing {
        /// Its kind.
        kind: RouteKind,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The field that names it.
        field: &'static str,
    },
    /// Nothing of an object leads to the Service.
    #[error("{object} has no {place} to Service {service}; add one, or correct trafficRoutings[0]")]
    NoWay {
        /// The object.
        object: RouteName,
        /// What leads to Services there: `path`, `rule`.
        place: &'static str,
        /// The stable Service.
        service: String,
    },
    /// The step asks for what such an object cannot say.
    #[error("matches[{index}] cannot be said to {to}: {why}")]
    Unsayable {
        /// Which of the step's matches, from 0.
        index: usize,
        /// Whom: `an Ingress`, `an HTTPRoute`.
        to: &'static str,
        /// What cannot be said, and what to do.
        why: &'static str,
    },
    /// The step changes headers, which such an object cannot do.
    #[error("requestHeaderModifier cannot be said to {to}; remove it")]
    NoHeaderModifier {
        /// Whom.
        to: &'static str,
    },
    /// The object is written in a way that leaves no room for a split.
    #[error("{object} cannot be split: {why}")]
    Unsplittable {
        /// The object.
        object: RouteName,
        /// Why, and what to do.
        why: String,
    },
    /// Somebody else's object has the name that ours would have.
    #[error("{kind} {namespace}/{name} exists and is not of this release; rename or delete it")]
    Foreign {
        /// Its kind.
        kind: RouteKind,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A family of route objects in front of a Service.
pub trait Router: fmt::Debug + Send + Sync {
    /// The objects that it reads and writes, the user's and those that it makes.
    fn objects(&self) -> Vec<RouteName>;

    /// Whether it has words for what a step wants, whatever the objects look like.
    ///
    /// # Errors
    /// What it has no words for.
    fn sayable(&self, route: &Route, header_modifier: Option<&HeaderModifier>) -> Result<(), RouteError>;

    /// Whether it can tell the versions apart behind one Service ([`Sides::share_a_service`]).
    fn splits_one_service(&self) -> bool {
        false
    }

    /// Whether it makes the subsets by which others tell the versions behind one Service apart.
    fn makes_subsets(&self) -> bool {
        false
    }

    /// The edits that have to be in force before requests can be split, and change nothing for any request; none when they are there.
    fn prepare(&self, routes: &Routes<'_>, sides: Sides<'_>, revisions: Revisions<'_>) -> Vec<Edit> {
        let _ = (routes, sides, revisions);
        Vec::new()
    }

    /// The edits that take away what was prepared; in order once the data plane sends nobody there.
    fn clear(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Vec<Edit> {
        let _ = (routes, sides);
        Vec::new()
    }

    /// Whether any request is led to the new version.
    fn leads_to_canary(&self, routes: &Routes<'_>, sides: Sides<'_>) -> bool {
        !self.withdraw(routes, sides).is_empty()
    }

    /// Whether nothing that is meant for the stable revision's pods can reach those of the new one behind the same Service.
    fn tells_apart(&self, routes: &Routes<'_>, sides: Sides<'_>) -> bool {
        let _ = (routes, sides);
        true
    }

    /// Whether the objects as they are can be split at all: asked before the first pod is made and at every step.
    ///
    /// # Errors
    /// What is missing or in the way.
    fn usable(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Result<(), RouteError>;

    /// Where the objects are, seen from what is wanted.
    ///
    /// # Errors
    /// Why they cannot be led there.
    fn lead(&self, routes: &Routes<'_>, wanted: Wanted<'_>) -> Result<Position, RouteError>;

    /// The edits that send every request to the stable side and put back what was there before, exactly; none when nothing is left of the release.
    /// What others changed meanwhile stays.
    fn withdraw(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Vec<Edit>;

    /// What the data plane is known to have taken in of the objects as they are.
    fn observed(&self, routes: &Routes<'_>) -> Observed {
        let _ = routes;
        Observed::Untold
    }

    /// The longest that a data plane of this family is known to take until it follows a write, where nobody tells when it has.
    fn slowest(&self) -> Duration;
}

//! Routes, pure: what a step wants of the traffic and the route objects as they are go in, the wanted objects and the patches that lead there
//! come out. One file per router, behind one trait. Objects are handled as JSON, so that nothing of the user's that this crate does not know is
//! ever lost. Used by the rules in `rollout`; knows no client and no clock.

pub mod gateway_api;
pub mod ingress;
pub mod istio;
mod op;
mod originals;
mod router;
mod select;
pub mod service;
#[cfg(test)]
mod tests;

pub use op::{Op, escape};
pub use router::{
    Edit, Observed, Position, Revisions, RouteError, RouteKind, RouteName, Router, Routes, Sides, Wanted,
};
pub use select::{NotServed, routers};

use kube::core::DynamicObject;

/// Whether an object's controller owner has this uid.
pub(crate) fn owned_by(object: &DynamicObject, uid: &str) -> bool {
    let mut owners = object.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true) && owner.uid == uid)
}

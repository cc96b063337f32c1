//! From the routers that a plan names to those that this crate has. Used by `rollout`, which says to the user what is not served.

use api::plan;

use crate::ingress::{Dialect, Ingresses};
use crate::router::Router;

/// A router that a plan names and that this crate does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// A class of Ingress controller whose annotations are not known.
    #[error("trafficRoutings[0].ingress.classType {0} is not served yet; nginx and higress are")]
    IngressClass(String),
    /// An object edited by a script.
    #[error("trafficRoutings[0].customNetworkRefs: {0} is not served yet")]
    Custom(String),
    /// A Gateway API route.
    #[error("trafficRoutings[0].gateway is not served yet")]
    Gateway,
}

/// The routers of a plan, in the order in which they are edited.
///
/// # Errors
/// The first that is not served.
pub fn routers(named: &[plan::Router]) -> Result<Vec<Box<dyn Router>>, NotServed> {
    named.iter().map(router).collect()
}

fn router(named: &plan::Router) -> Result<Box<dyn Router>, NotServed> {
    match named {
        plan::Router::Ingress { class, name } => {
            let dialect = Dialect::of(class).ok_or_else(|| NotServed::IngressClass(class.clone()))?;
            Ok(Box::new(Ingresses {
                name: name.clone(),
                dialect,
            }))
        }
        plan::Router::HttpRoute { .. } => Err(NotServed::Gateway),
        plan::Router::Custom(objects) => {
            let kinds: Vec<&str> = objects.iter().map(|object| object.kind.as_str()).collect();
            Err(NotServed::Custom(kinds.join(", ")))
        }
    }
}

//! From the routers that a plan names to those that this crate has. Used by `rollout`, which says to the user what is not served.

use api::parts::ObjectReference;
use api::plan;

use crate::gateway_api::{GatewayRoute, RouteType};
use crate::ingress::{Dialect, Ingresses};
use crate::istio::{DestinationRule, VirtualService};
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
}

/// The routers of a plan, in the order in which they are edited.
///
/// # Errors
/// The first that is not served.
pub fn routers(named: &[plan::Router]) -> Result<Vec<Box<dyn Router>>, NotServed> {
    let mut routers: Vec<Box<dyn Router>> = Vec::new();
    for router in named {
        match router {
            plan::Router::Ingress { class, name } => {
                let dialect = Dialect::of(class).ok_or_else(|| NotServed::IngressClass(class.clone()))?;
                routers.push(Box::new(Ingresses {
                    name: name.clone(),
                    dialect,
                }));
            }
            plan::Router::HttpRoute { name } => routers.push(route(RouteType::Http, name, "gateway.httpRouteName")),
            plan::Router::GrpcRoute { name } => routers.push(route(RouteType::Grpc, name, "gateway.grpcRouteName")),
            plan::Router::Custom(objects) => {
                for (index, object) in objects.iter().enumerate() {
                    let same = |other: &ObjectReference| {
                        (other.group(), &other.kind, &other.name) == (object.group(), &object.kind, &object.name)
                    };
                    // Two edits of one object would undo each other.
                    if !objects.iter().take(index).any(same) {
                        routers.push(custom(object, objects)?);
                    }
                }
            }
        }
    }
    Ok(routers)
}

fn route(route_type: RouteType, name: &str, field: &'static str) -> Box<dyn Router> {
    Box::new(GatewayRoute {
        route_type,
        name: name.to_owned(),
        field,
    })
}

/// Objects that are served natively, whatever the list that names them is called.
fn custom(object: &ObjectReference, all: &[ObjectReference]) -> Result<Box<dyn Router>, NotServed> {
    match (object.group(), object.kind.as_str()) {
        ("gateway.networking.k8s.io", "HTTPRoute") => Ok(route(RouteType::Http, &object.name, "customNetworkRefs")),
        ("gateway.networking.k8s.io", "GRPCRoute") => Ok(route(RouteType::Grpc, &object.name, "customNetworkRefs")),
        ("networking.istio.io", "VirtualService") => Ok(Box::new(VirtualService {
            name: object.name.clone(),
        })),
        ("networking.istio.io", "DestinationRule") => {
            let services = all.iter().filter(|one| one.kind == "VirtualService");
            Ok(Box::new(DestinationRule {
                name: object.name.clone(),
                services: services.map(|one| one.name.clone()).collect(),
            }))
        }
        (_, kind) => Err(NotServed::Custom(kind.to_owned())),
    }
}

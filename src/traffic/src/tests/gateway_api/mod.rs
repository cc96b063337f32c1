//! HTTPRoutes and GRPCRoutes: weights, selected requests, other people's parts, and the way there and back.

mod laws;
mod selection;
mod status;
mod weights;

use api::parts::HeaderModifier;
use api::plan::Route;
use api::quantity::Weight;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::{object, owner, patched};
use crate::gateway_api::{GatewayRoute, RouteType};
use crate::{Edit, Position, Revisions, RouteError, RouteKind, Router, Routes, Sides, Wanted};

fn backend(name: &str, weight: Option<i64>) -> Value {
    let mut backend = json!({"group": "", "kind": "Service", "name": name, "port": 80});
    if let Some(weight) = weight {
        backend["weight"] = json!(weight);
    }
    backend
}

fn rule(path: &str, backends: &[Value]) -> Value {
    json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends})
}

fn route(rules: &[Value]) -> DynamicObject {
    object(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "generation": 3},
        "spec": {"parentRefs": [{"name": "door"}], "hostnames": ["a.example.com"], "rules": rules},
    }))
}

fn plain() -> DynamicObject {
    route(&[rule("/", &[backend("web", Some(1))])])
}

fn share(percents: i32) -> Route {
    Route::Weight(Weight::new(percents).unwrap())
}

fn selection(wanted: Value) -> Route {
    Route::Matches(serde_json::from_value(wanted).unwrap())
}

fn header() -> Route {
    selection(json!([{"headers": [{"name": "X-User", "value": "beta"}]}]))
}

fn http() -> GatewayRoute {
    GatewayRoute {
        route_type: RouteType::Http,
        name: "web".into(),
        field: "gateway.httpRouteName",
    }
}

fn sides<'a>(service: &'a str, canary: &'a str, owner: &'a Value) -> Sides<'a> {
    Sides {
        namespace: "shop",
        stable_service: service,
        canary_service: canary,
        owner,
    }
}

fn lead_of(
    service: &str,
    route: &DynamicObject,
    to: &Route,
    modifier: Option<&HeaderModifier>,
) -> Result<Position, RouteError> {
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, route);
    let owner = owner();
    let canary = format!("{service}-canary");
    let wanted = Wanted {
        sides: sides(service, &canary, &owner),
        revisions: Revisions {
            key: "pod-template-hash",
            stable: "1",
            canary: "2",
        },
        route: to,
        header_modifier: modifier,
    };
    http().lead(&routes, wanted)
}

fn applied(route: &DynamicObject, edits: Vec<Edit>) -> DynamicObject {
    edits.into_iter().fold(route.clone(), |route, edit| match edit {
        Edit::Patch { ops, .. } => patched(&route, &ops),
        other => panic!("a route is only ever patched: {other:?}"),
    })
}

fn led_for(service: &str, route: &DynamicObject, to: &Route) -> DynamicObject {
    match lead_of(service, route, to, None).unwrap() {
        Position::There => route.clone(),
        Position::Above(edits) | Position::Below(edits) => applied(route, edits),
        Position::Leaving(name) => panic!("{name} does not leave"),
    }
}

fn led(route: &DynamicObject, to: &Route) -> DynamicObject {
    led_for("web", route, to)
}

fn back_for(service: &str, route: &DynamicObject) -> DynamicObject {
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, route);
    let owner = owner();
    applied(
        route,
        http().withdraw(&routes, sides(service, &format!("{service}-canary"), &owner)),
    )
}

fn rules(route: &DynamicObject) -> &Vec<Value> {
    route.data["spec"]["rules"].as_array().unwrap()
}

/// Names and weights of each rule's backends.
fn weights(route: &DynamicObject) -> Vec<String> {
    let backend = |backend: &Value| format!("{} {}", backend["name"].as_str().unwrap(), backend["weight"]);
    rules(route)
        .iter()
        .map(|rule| {
            let backends = rule["backendRefs"].as_array().unwrap();
            backends.iter().map(backend).collect::<Vec<_>>().join(", ")
        })
        .collect()
}

/// Why a step cannot be shown.
fn refused(route: &DynamicObject, to: &Route, modifier: Option<&HeaderModifier>) -> String {
    lead_of("web", route, to, modifier).unwrap_err().to_string()
}

fn usable_for(route: &DynamicObject, service: &str, canary: &str) -> Result<(), RouteError> {
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, route);
    http().usable(&routes, sides(service, canary, &owner()))
}

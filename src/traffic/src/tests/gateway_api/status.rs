//! What gateways report about a route.

use rstest::rstest;
use serde_json::{Value, json};

use super::{http, led, plain, share};
use crate::{Observed, RouteKind, Router, Routes};

#[rstest]
#[case::nobody_tells(json!({}), Observed::Untold)]
#[case::current(told(3, "True", "door"), Observed::Current)]
#[case::behind(told(2, "True", "door"), Observed::Behind { why: "HTTPRoute web: example.com/gateway has taken in generation 2 of 3".into() })]
#[case::refused(told(3, "False", "door"), Observed::Refused { why: "HTTPRoute web is not accepted by example.com/gateway: no".into() })]
#[case::no_generation(json!({"parents": [{"parentRef": {"name": "door"}, "conditions": [{"type": "Accepted", "status": "True"}]}]}), Observed::Untold)]
#[case::undecided(told(3, "Unknown", "door"), Observed::Behind { why: "HTTPRoute web: example.com/gateway has not decided yet: no".into() })]
#[case::another_port_of_the_gateway(json!({"parents": [{"parentRef": {"name": "door", "port": 80}, "conditions": [{"type": "Accepted", "status": "True", "observedGeneration": 3}]}]}), Observed::Untold)]
#[case::about_a_gateway_that_is_no_parent_any_more(told(2, "True", "gone"), Observed::Untold)]
fn what_gateways_report(#[case] status: Value, #[case] says: Observed) {
    let mut route = plain();
    route.data["status"] = status;
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, &route);
    assert_eq!(http().observed(&routes), says);
}

fn told(generation: i64, accepted: &str, gateway: &str) -> Value {
    json!({"parents": [{
        "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway},
        "controllerName": "example.com/gateway",
        "conditions": [
            {"type": "Accepted", "status": accepted, "observedGeneration": generation, "reason": "r", "message": "no"},
            {"type": "ResolvedRefs", "status": "True", "observedGeneration": generation, "reason": "r", "message": ""},
        ],
    }]})
}

/// One gateway of two that accepts the route is enough to serve it; both have to be up to date.
#[rstest]
#[case::one_accepts((3, "True"), (3, "False"), Observed::Current)]
#[case::none_accepts((3, "False"), (3, "False"), Observed::Refused { why: "HTTPRoute web is not accepted by example.com/gateway: no".into() })]
#[case::one_is_late((3, "True"), (2, "True"), Observed::Behind { why: "HTTPRoute web: example.com/gateway has taken in generation 2 of 3".into() })]
fn two_gateways_report(#[case] first: (i64, &str), #[case] second: (i64, &str), #[case] says: Observed) {
    let mut route = plain();
    route.data["spec"]["parentRefs"] = json!([{"name": "door"}, {"name": "gate", "namespace": "infra"}]);
    let (mut reports, mut gate) = (told(first.0, first.1, "door"), told(second.0, second.1, "gate"));
    gate["parents"][0]["parentRef"]["namespace"] = json!("infra");
    reports["parents"]
        .as_array_mut()
        .unwrap()
        .push(gate["parents"][0].clone());
    route.data["status"] = reports;
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, &route);
    assert_eq!(http().observed(&routes), says);
}

/// A backend that is not found holds a release up only when it is the release's: the owner's own were missing before.
#[rstest]
#[case::the_canary("backend(web-canary.shop.svc.cluster.local) not found", true)]
#[case::nobody_in_particular("BackendNotFound", true)]
#[case::the_owners("Service shop/web not found", false)]
fn a_backend_that_is_not_found(#[case] message: &str, #[case] waits: bool) {
    let mut route = led(&plain(), &share(5));
    let unresolved = |route: &mut kube::core::DynamicObject| {
        route.data["status"] = told(3, "True", "door");
        route.data["status"]["parents"][0]["conditions"][1]["status"] = json!("False");
        route.data["status"]["parents"][0]["conditions"][1]["message"] = json!(message);
        let mut routes = Routes::default();
        routes.add(RouteKind::HttpRoute, route);
        http().observed(&routes)
    };
    let why = format!("HTTPRoute web: example.com/gateway does not find its backends: {message}");
    let says = if waits {
        Observed::Behind { why }
    } else {
        Observed::Current
    };
    assert_eq!(unresolved(&mut route), says);
    assert_eq!(
        unresolved(&mut plain()),
        Observed::Current,
        "before and after the release it is not ours"
    );
}

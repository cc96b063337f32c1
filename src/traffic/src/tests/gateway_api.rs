//! HTTPRoutes and GRPCRoutes: weights, selected requests, other people's parts, and the way there and back.

use api::parts::HeaderModifier;
use api::plan::Route;
use api::quantity::Weight;
use kube::core::DynamicObject;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{object, owner, patched};
use crate::gateway_api::{GatewayRoute, RouteType};
use crate::{Edit, Observed, Position, Revisions, RouteKind, Router, Routes, Sides, Wanted};

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
) -> Result<Position, crate::RouteError> {
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

#[rstest]
#[case::one_backend(&[backend("web", Some(1))], 5, "web 95, web-canary 5")]
#[case::a_weight_of_its_own(&[backend("web", Some(37))], 5, "web 95, web-canary 5")]
#[case::all(&[backend("web", None)], 100, "web 0, web-canary 100")]
#[case::beside_nothing(&[backend("web", Some(1)), backend("old", Some(0))], 20, "web 80, web-canary 20, old 0")]
#[case::beside_others(&[backend("old", Some(100)), backend("web", Some(900))], 20, "old 100, web 720, web-canary 180")]
#[case::nothing(&[backend("web", Some(7))], 0, "web 7")]
#[case::somebody_elses(&[backend("other", Some(1))], 5, "other 1")]
fn a_weight_divides_the_stable_share_alone(#[case] backends: &[Value], #[case] percents: i32, #[case] shows: &str) {
    let route = route(&[rule("/", backends), rule("/more", &[backend("web", Some(1))])]);
    assert_eq!(weights(&led(&route, &share(percents)))[0], shows);
}

#[test]
fn a_share_that_cannot_be_divided_is_told_before_the_first_pod() {
    let route = route(&[rule("/", &[backend("web", Some(1)), backend("old", Some(1))])]);
    let mut routes = Routes::default();
    routes.add(RouteKind::HttpRoute, &route);
    let owner = owner();
    let refused = http().usable(&routes, sides("web", "web-canary", &owner)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "HTTPRoute web cannot be split: spec.rules[0] gives Service web the weight 1 beside other backends, of which not every percent is whole; multiply all weights of the rule by 100"
    );
}

#[test]
fn selected_requests_get_a_rule_before_each_that_leads_to_stable() {
    let mut own = rule("/shop", &[backend("web", Some(1))]);
    own["name"] = json!("shop");
    own["timeouts"] = json!({"request": "3s"});
    own["matches"][0]["headers"] =
        json!([{"type": "Exact", "name": "x-user", "value": "old"}, {"type": "Exact", "name": "x-shop", "value": "1"}]);
    let other = rule("/api", &[backend("api", Some(1))]);
    let route = route(&[other.clone(), own.clone()]);
    let wanted = selection(json!([
        {"headers": [{"name": "X-User", "value": "beta"}], "queryParams": [{"name": "v", "type": "RegularExpression", "value": "2.*"}]},
        {"path": {"type": "Exact", "value": "/new"}},
    ]));
    let led = led(&route, &wanted);
    assert_eq!(rules(&led).len(), 3);
    assert_eq!(rules(&led)[0], other);
    assert_eq!(rules(&led)[2], own);
    let shop = json!({"type": "Exact", "name": "x-shop", "value": "1"});
    let beta = json!({"type": "Exact", "name": "X-User", "value": "beta"});
    let old = json!({"type": "Exact", "name": "x-user", "value": "old"});
    assert_eq!(
        rules(&led)[1],
        json!({
            "matches": [
                {"path": {"type": "PathPrefix", "value": "/shop"}, "headers": [shop, beta],
                 "queryParams": [{"type": "RegularExpression", "name": "v", "value": "2.*"}]},
                {"path": {"type": "Exact", "value": "/new"}, "headers": [old, shop]},
            ],
            "timeouts": {"request": "3s"},
            "backendRefs": [backend("web-canary", Some(1))],
        })
    );
}

#[test]
fn headers_are_changed_for_the_canary_alone() {
    let modifier: HeaderModifier = serde_json::from_value(json!({
        "set": [{"name": "X-Canary", "value": "yes"}], "add": [{"name": "x-seen", "value": "1"}], "remove": ["X-Old"]}))
    .unwrap();
    let mut own = backend("web", Some(1));
    own["filters"] = json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-canary", "value": "no"}, {"name": "a", "value": "b"}]}}]);
    let route = route(&[rule("/", &[own.clone()])]);
    let edits = |to: &Route| match lead_of("web", &route, to, Some(&modifier)).unwrap() {
        Position::Below(edits) => applied(&route, edits),
        other => panic!("{other:?}"),
    };
    let weighted = edits(&share(10));
    assert_eq!(rules(&weighted)[0]["backendRefs"][0]["filters"], own["filters"]);
    assert_eq!(
        rules(&weighted)[0]["backendRefs"][1]["filters"],
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {
            "set": [{"name": "a", "value": "b"}, {"name": "X-Canary", "value": "yes"}],
            "add": [{"name": "x-seen", "value": "1"}],
            "remove": ["X-Old"],
        }}])
    );
    let selected = edits(&header());
    assert_eq!(
        rules(&selected)[0]["filters"],
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}])
    );
    assert_eq!(back_for("web", &selected), route);
}

#[test]
fn going_from_weights_to_selected_requests_and_back_keeps_the_stable_rule() {
    let route = route(&[rule("/", &[backend("web", Some(37))])]);
    let weighted = led(&route, &share(5));
    let selected = led(&weighted, &header());
    assert_eq!(weights(&selected), ["web-canary 1", "web 37"]);
    assert_eq!(weights(&led(&selected, &share(50))), ["web 50, web-canary 50"]);
    assert_eq!(back_for("web", &selected), route);
}

#[test]
fn two_rollouts_on_one_route_do_not_see_each_other() {
    let route = route(&[
        rule("/", &[backend("web", Some(300)), backend("shop", Some(700))]),
        rule("/shop", &[backend("shop", Some(3))]),
    ]);
    let both = led_for("shop", &led(&route, &share(10)), &share(50));
    assert_eq!(
        weights(&both),
        [
            "web 270, web-canary 30, shop 350, shop-canary 350",
            "shop 50, shop-canary 50"
        ]
    );
    assert_eq!(back_for("shop", &both), led(&route, &share(10)));
    assert_eq!(back_for("web", &back_for("shop", &both)), route);
    assert_eq!(back_for("shop", &back_for("web", &both)), route);
}

#[test]
fn an_owner_who_writes_the_route_again_in_the_middle_is_followed() {
    let weighted = led(&plain(), &share(5));
    let mut written = weighted.clone();
    written.data["spec"]["rules"] = json!([
        rule("/new", &[backend("api", Some(1))]),
        rule("/", &[backend("web", Some(8))])
    ]);
    assert!(matches!(
        lead_of("web", &written, &share(5), None),
        Ok(Position::Below(_))
    ));
    let again = led(&written, &share(5));
    assert_eq!(weights(&again), ["api 1", "web 95, web-canary 5"]);
    assert_eq!(weights(&back_for("web", &again)), ["api 1", "web 8"]);
}

#[rstest]
#[case::lower(share(50), share(5), true)]
#[case::higher(share(5), share(50), false)]
#[case::none(share(5), share(0), true)]
#[case::from_nothing(share(0), share(5), false)]
#[case::to_selected(share(50), header(), false)]
#[case::from_selected(header(), share(5), false)]
#[case::from_selected_to_none(header(), share(0), true)]
fn only_less_needs_no_evidence(#[case] from: Route, #[case] to: Route, #[case] lower: bool) {
    let position = lead_of("web", &led(&plain(), &from), &to, None).unwrap();
    assert_eq!(matches!(position, Position::Above(_)), lower, "{position:?}");
    assert_eq!(matches!(position, Position::Below(_)), !lower, "{position:?}");
}

#[rstest]
#[case::nobody_tells(json!({}), Observed::Untold)]
#[case::current(told(3, "True", "door"), Observed::Current)]
#[case::behind(told(2, "True", "door"), Observed::Behind { why: "HTTPRoute web: example.com/gateway has taken in generation 2 of 3".into() })]
#[case::refused(told(3, "False", "door"), Observed::Refused { why: "HTTPRoute web is not accepted by example.com/gateway: no".into() })]
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

#[rstest]
#[case::path(json!([{"path": {"type": "Exact", "value": "/a"}}]), "matches[0] cannot be said to a GRPCRoute: it selects by headers alone; remove path and queryParams")]
#[case::query(json!([{"headers": [{"name": "a", "value": "b"}]}, {"queryParams": [{"name": "a", "value": "b"}]}]), "matches[1] cannot be said to a GRPCRoute: it selects by headers alone; remove path and queryParams")]
#[case::everything(json!([{}]), "matches[0] cannot be said to a Gateway API route: it would be all requests; add a header, a query parameter or a path, or use traffic")]
fn what_a_grpc_route_has_no_words_for(#[case] wanted: Value, #[case] says: &str) {
    let grpc = GatewayRoute {
        route_type: RouteType::Grpc,
        name: "web".into(),
    };
    assert_eq!(grpc.sayable(&selection(wanted), None).unwrap_err().to_string(), says);
}

fn any_backend() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(vec!["web", "shop", "api"]),
        prop::option::of(0_i64..10),
    )
        .prop_map(|(name, hundreds)| {
            let mut backend = backend(name, hundreds.map(|hundreds| hundreds * 100));
            if hundreds == Some(3) {
                backend["filters"] =
                    json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["a"]}}]);
            }
            backend
        })
}

fn any_route() -> impl Strategy<Value = DynamicObject> {
    let rules = (
        prop::sample::select(vec!["/", "/a", "/b"]),
        prop::collection::vec(any_backend(), 1..4),
    );
    prop::collection::vec(rules.prop_map(|(path, backends)| rule(path, &backends)), 1..5)
        .prop_map(|rules| route(&rules))
}

fn any_step() -> impl Strategy<Value = Route> {
    prop_oneof![(0..=100).prop_map(share), Just(header())]
}

proptest! {
    #[test]
    fn any_walk_leads_back_exactly(route in any_route(), steps in prop::collection::vec((any::<bool>(), any_step()), 1..5)) {
        let mut now = route.clone();
        for (web, step) in &steps {
            let service = if *web { "web" } else { "shop" };
            let Ok(position) = lead_of(service, &now, step, None) else { continue };
            let others = |route: &DynamicObject| -> Vec<Value> {
                let backends = rules(route).iter().flat_map(|rule| rule["backendRefs"].as_array().unwrap().clone());
                backends.filter(|backend| backend["name"] == "api").collect()
            };
            let next = match position {
                Position::There => now.clone(),
                Position::Above(edits) | Position::Below(edits) => applied(&now, edits),
                Position::Leaving(_) => unreachable!(),
            };
            prop_assert_eq!(others(&next), others(&now), "others are not touched");
            prop_assert_eq!(lead_of(service, &next, step, None), Ok(Position::There), "once is enough");
            now = next;
        }
        prop_assert_eq!(back_for("shop", &back_for("web", &now)), route.clone());
        prop_assert_eq!(back_for("web", &back_for("shop", &now)), route);
    }
}

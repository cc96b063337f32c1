//! Selected requests: the rule that the canary gets, its matches and filters, and what cannot be said.

use api::parts::HeaderModifier;
use api::plan::Route;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    applied, back_for, backend, header, http, lead_of, led, led_for, plain, refused, route, rule, rules, selection,
    share, weights,
};
use crate::gateway_api::{GatewayRoute, RouteType};
use crate::{Position, Router};

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

#[rstest]
#[case::no_matches(json!([]), json!([{"headers": [{"name": "a", "value": "b"}]}]), json!([
    {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"type": "Exact", "name": "a", "value": "b"}]}]))]
#[case::the_default_path_is_none(json!([{"path": {"type": "PathPrefix", "value": "/shop"}}]),
    json!([{"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "a", "value": "b"}]}]), json!([
    {"path": {"type": "PathPrefix", "value": "/shop"}, "headers": [{"type": "Exact", "name": "a", "value": "b"}]}]))]
#[case::the_same_twice_is_once(json!([{"path": {"type": "Exact", "value": "/a"}}, {"path": {"type": "Exact", "value": "/b"}}]),
    json!([{"path": {"value": "/c"}}]), json!([{"path": {"type": "PathPrefix", "value": "/c"}}]))]
#[case::paths_and_headers_mixed(json!([{"method": "GET"}]),
    json!([{"path": {"value": "/c"}}, {"headers": [{"name": "a", "value": "b"}]}]),
    json!([{"method": "GET", "path": {"type": "PathPrefix", "value": "/c"}}, {"method": "GET", "headers": [{"type": "Exact", "name": "a", "value": "b"}]}]))]
#[case::parameters_are_told_apart_by_case(json!([{"queryParams": [{"type": "Exact", "name": "V", "value": "1"}, {"type": "Exact", "name": "v", "value": "1"}]}]),
    json!([{"queryParams": [{"name": "v", "value": "2"}]}]),
    json!([{"queryParams": [{"type": "Exact", "name": "V", "value": "1"}, {"type": "Exact", "name": "v", "value": "2"}]}]))]
fn each_match_of_the_rule_meets_each_of_the_step(#[case] own: Value, #[case] wanted: Value, #[case] both: Value) {
    let mut stable = rule("/", &[backend("web", Some(1))]);
    stable["matches"] = own;
    let led = led(&route(&[stable]), &selection(wanted));
    assert_eq!(rules(&led)[0]["matches"], both);
}

/// Both want a rule before the one that they share; neither moves the other's.
#[test]
fn two_rollouts_that_select_on_one_rule_agree_on_the_order() {
    let before = route(&[rule("/", &[backend("web", Some(500)), backend("shop", Some(500))])]);
    let both = led_for("shop", &led_for("web", &before, &header()), &header());
    assert_eq!(both, led_for("web", &led_for("shop", &before, &header()), &header()));
    assert_eq!(weights(&both), ["shop-canary 1", "web-canary 1", "web 500, shop 500"]);
    for service in ["web", "shop"] {
        assert_eq!(lead_of(service, &both, &header(), None), Ok(Position::There));
    }
    assert_eq!(back_for("web", &back_for("shop", &both)), before);
}

/// The API allows one match beside such a filter.
#[test]
fn a_filter_that_replaces_a_prefix_gets_a_rule_for_each_match() {
    let mut stable = rule("/old", &[backend("web", Some(1))]);
    stable["filters"] = json!([{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}}]);
    let before = route(&[stable.clone()]);
    let either = |second: Value| selection(json!([{"headers": [{"name": "a", "value": "b"}]}, second]));
    let now = led(&before, &either(json!({"queryParams": [{"name": "a", "value": "b"}]})));
    assert_eq!(weights(&now), ["web-canary 1", "web-canary 1", "web 1"]);
    for canary in &rules(&now)[..2] {
        assert_eq!(canary["matches"].as_array().unwrap().len(), 1);
        assert_eq!(canary["filters"], stable["filters"]);
    }
    assert_eq!(back_for("web", &now), before);
    assert_eq!(
        refused(
            &before,
            &either(json!({"path": {"type": "Exact", "value": "/b"}})),
            None
        ),
        "HTTPRoute web cannot be split: spec.rules[0] replaces the prefix of a path, which a path of another type than PathPrefix does not have; use PathPrefix in the step's matches"
    );
}

fn many(count: usize) -> Value {
    let one = |index| json!({"type": "Exact", "name": format!("h{index}"), "value": "1"});
    (0..count).map(one).collect()
}

#[rstest]
#[case::rules((0..9).map(|at| rule(&format!("/{at}"), &[backend("web", Some(1))])).collect(), json!([{"headers": many(1)}]), "18 rules, and the API allows 16")]
#[case::matches(vec![json!({"matches": (0..13).map(|at| json!({"path": {"type": "Exact", "value": format!("/{at}")}})).collect::<Value>(), "backendRefs": [backend("web", Some(1))]})],
    (0..5).map(|at| json!({"headers": [{"name": "a", "value": at.to_string()}]})).collect(), "65 matches in one rule, and the API allows 64")]
#[case::headers(vec![json!({"matches": [{"headers": many(10)}], "backendRefs": [backend("web", Some(1))]})],
    json!([{"headers": (20..27).map(|at| json!({"name": format!("h{at}"), "value": "1"})).collect::<Value>()}]), "17 headers in one match, and the API allows 16")]
fn what_the_api_has_no_room_for_is_told_with_the_count(
    #[case] rules: Vec<Value>,
    #[case] wanted: Value,
    #[case] why: &str,
) {
    assert_eq!(
        refused(&route(&rules), &selection(wanted), None),
        format!("HTTPRoute web cannot be split: with the step's own it would have {why}; use fewer")
    );
}

/// One filter of the kind is all that the API allows: a step's change comes after the one that is there.
#[rstest]
#[case::set_after_set(json!({"set": [{"name": "a", "value": "1"}]}), json!({"set": [{"name": "A", "value": "2"}]}), json!({"set": [{"name": "A", "value": "2"}]}))]
#[case::set_after_remove(json!({"remove": ["a"]}), json!({"set": [{"name": "A", "value": "2"}]}), json!({"set": [{"name": "A", "value": "2"}]}))]
#[case::set_after_add(json!({"add": [{"name": "a", "value": "1"}]}), json!({"set": [{"name": "a", "value": "2"}]}), json!({"set": [{"name": "a", "value": "2"}]}))]
#[case::add_after_set(json!({"set": [{"name": "a", "value": "1"}]}), json!({"add": [{"name": "A", "value": "2"}]}), json!({"set": [{"name": "a", "value": "1,2"}]}))]
#[case::add_after_add(json!({"add": [{"name": "a", "value": "1"}]}), json!({"add": [{"name": "a", "value": "2"}]}), json!({"add": [{"name": "a", "value": "1,2"}]}))]
#[case::add_after_remove(json!({"remove": ["a", "b"]}), json!({"add": [{"name": "a", "value": "2"}]}), json!({"set": [{"name": "a", "value": "2"}], "remove": ["b"]}))]
#[case::remove_after_all(json!({"set": [{"name": "a", "value": "1"}], "add": [{"name": "b", "value": "1"}], "remove": ["c"]}), json!({"remove": ["A", "B", "c"]}), json!({"remove": ["A", "B", "c"]}))]
fn a_filter_that_is_there_is_widened(#[case] own: Value, #[case] step: Value, #[case] both: Value) {
    let mut stable = rule("/", &[backend("web", Some(1))]);
    stable["filters"] =
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": own}, {"type": "CORS", "cors": {}}]);
    let modifier: HeaderModifier = serde_json::from_value(step).unwrap();
    let before = route(&[stable.clone()]);
    let Ok(Position::Below(edits)) = lead_of("web", &before, &header(), Some(&modifier)) else {
        panic!("a rule is missing");
    };
    let now = applied(&before, edits);
    assert_eq!(
        rules(&now)[0]["filters"],
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": both}, {"type": "CORS", "cors": {}}])
    );
    assert_eq!(rules(&now)[1], stable);
}

#[test]
fn a_change_of_no_header_adds_no_filter() {
    let Ok(Position::Below(edits)) = lead_of("web", &plain(), &header(), Some(&HeaderModifier::default())) else {
        panic!("a rule is missing");
    };
    assert_eq!(rules(&applied(&plain(), edits))[0].get("filters"), None);
}

#[test]
fn a_grpc_route_is_selected_by_headers_beside_its_methods() {
    let method = json!({"type": "Exact", "service": "shop.Cart", "method": "Add"});
    let route = super::object(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"rules": [{"matches": [{"method": method}], "backendRefs": [backend("web", Some(1))]}, {"backendRefs": [backend("web", Some(1))]}]},
    }));
    let mut routes = crate::Routes::default();
    routes.add(crate::RouteKind::GrpcRoute, &route);
    let owner = super::owner();
    let wanted = crate::Wanted {
        sides: super::sides("web", "web-canary", &owner),
        revisions: crate::Revisions {
            key: "k",
            stable: "1",
            canary: "2",
        },
        route: &header(),
        header_modifier: None,
    };
    let Ok(Position::Below(edits)) = grpc().lead(&routes, wanted) else {
        panic!("a rule is missing");
    };
    let now = applied(&route, edits);
    let user = json!([{"type": "Exact", "name": "X-User", "value": "beta"}]);
    assert_eq!(rules(&now)[0]["matches"], json!([{"method": method, "headers": user}]));
    assert_eq!(rules(&now)[2]["matches"], json!([{"headers": user}]));
}

fn grpc() -> GatewayRoute {
    GatewayRoute {
        route_type: RouteType::Grpc,
        name: "web".into(),
        field: "gateway.grpcRouteName",
    }
}

#[rstest]
#[case::path(json!([{"path": {"type": "Exact", "value": "/a"}}]), "matches[0] cannot be said to a GRPCRoute: it selects by headers alone; remove path and queryParams")]
#[case::query(json!([{"headers": [{"name": "a", "value": "b"}]}, {"queryParams": [{"name": "a", "value": "b"}]}]), "matches[1] cannot be said to a GRPCRoute: it selects by headers alone; remove path and queryParams")]
#[case::everything(json!([{}]), "matches[0] cannot be said to a GRPCRoute: it would be all requests; add a header, or use traffic")]
fn what_a_grpc_route_has_no_words_for(#[case] wanted: Value, #[case] says: &str) {
    assert_eq!(grpc().sayable(&selection(wanted), None).unwrap_err().to_string(), says);
}

#[rstest]
#[case::everything(json!([{"path": {"type": "PathPrefix", "value": "/"}}]), "matches[0] cannot be said to an HTTPRoute: it would be all requests; add a header, a query parameter or a path, or use traffic")]
#[case::a_relative_path(json!([{"path": {"type": "Exact", "value": "a"}}]), "matches[0] cannot be said to an HTTPRoute: its paths begin with /; correct path.value")]
fn what_an_http_route_has_no_words_for(#[case] wanted: Value, #[case] says: &str) {
    assert_eq!(http().sayable(&selection(wanted), None).unwrap_err().to_string(), says);
}

//! The Gateway API, row by row: who is attached, which rule counts, and what each backend gets.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{Asked, Config, Edit, GATEWAY_CONTROLLER, Kind, Objects, Outcome, Target, choose, compile};
use super::{service, slice};

/// A class, a Gateway that lets in routes of everywhere, and three Services: two with a pod, one with none.
fn cluster() -> Objects {
    let mut objects = Objects::default();
    objects.add(
        Kind::GatewayClass,
        json!({ "metadata": { "name": "tidepool" }, "spec": { "controllerName": GATEWAY_CONTROLLER } }),
    );
    objects.add(Kind::Gateway, gateway(json!({ "from": "All" }), ""));
    for (name, pods) in [
        ("echo", vec!["stable"]),
        ("echo-canary", vec!["canary"]),
        ("empty", vec![]),
    ] {
        objects.add(Kind::Service, service(name));
        objects.add(Kind::EndpointSlice, slice(name, &pods));
    }
    objects
}

fn gateway(from: Value, host: &str) -> Value {
    let mut gateway = json!({
        "metadata": { "namespace": "gateways", "name": "door", "generation": 1 },
        "spec": { "gatewayClassName": "tidepool", "listeners": [{
            "name": "web", "port": 80, "protocol": "HTTP", "hostname": host, "allowedRoutes": {},
        }] },
    });
    gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"] = from;
    gateway
}

fn to(service: &str, weight: u32) -> Value {
    json!({ "name": service, "port": 80, "weight": weight })
}

fn http_route(rules: Value) -> Value {
    let mut route = json!({
        "metadata": { "namespace": "default", "name": "echo", "generation": 3 },
        "spec": {
            "parentRefs": [{ "namespace": "gateways", "name": "door" }],
            "hostnames": ["echo.example.com"],
        },
    });
    route["spec"]["rules"] = rules;
    route
}

fn with(rules: Value) -> Config {
    let mut objects = cluster();
    objects.add(Kind::HttpRoute, http_route(rules));
    compile(&objects)
}

fn ask(config: &Config, method: &str, host: &str, path: &str, headers: &[(&str, &str)]) -> Vec<(String, f64)> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let asked = Asked {
        method,
        host,
        path,
        headers: &headers,
    };
    match choose(config, asked) {
        Outcome::Forward(shares) => shares
            .iter()
            .map(|share| match &share.target {
                Target::Pod { endpoint, .. } => (endpoint.pod.clone(), share.probability),
                Target::Refused(status) => (status.to_string(), share.probability),
            })
            .collect(),
        Outcome::NoRoute => vec![("404".to_owned(), 1.0)],
        Outcome::NoEndpoints => vec![("503".to_owned(), 1.0)],
    }
}

#[rstest]
#[case::weights_of_a_hundred(json!([to("echo", 80), to("echo-canary", 20)]), &[("stable", 0.8), ("canary", 0.2)])]
#[case::weights_of_their_sum(json!([to("echo", 1), to("echo-canary", 3)]), &[("stable", 0.25), ("canary", 0.75)])]
#[case::no_weight_is_one(json!([{ "name": "echo", "port": 80 }, to("echo-canary", 1)]), &[("stable", 0.5), ("canary", 0.5)])]
#[case::a_weight_of_0_gets_nothing(json!([to("echo", 100), to("echo-canary", 0)]), &[("stable", 1.0)])]
#[case::nobody_behind_a_weight_loses_it(json!([to("echo", 95), to("empty", 5)]), &[("stable", 0.95), ("503", 0.05)])]
#[case::nobody_behind_a_weight_of_0_loses_nothing(json!([to("echo", 95), to("empty", 0)]), &[("stable", 1.0)])]
#[case::a_missing_service_loses_its_weight(json!([to("echo", 3), to("nowhere", 1)]), &[("stable", 0.75), ("500", 0.25)])]
#[case::a_missing_port_loses_its_weight(json!([to("echo", 1), { "name": "echo", "port": 81, "weight": 1 }]), &[("stable", 0.5), ("500", 0.5)])]
#[case::all_weights_0(json!([to("echo", 0), to("echo-canary", 0)]), &[("500", 1.0)])]
#[case::no_backends(json!([]), &[("500", 1.0)])]
fn backends_get_their_shares(#[case] backends: Value, #[case] expected: &[(&str, f64)]) {
    let config = with(json!([{ "backendRefs": backends }]));
    let seen = ask(&config, "GET", "echo.example.com", "/x", &[]);
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
    for ((pod, share), (wanted, of)) in seen.iter().zip(expected) {
        assert!(pod == wanted && (share - of).abs() < 1e-9, "{seen:?}");
    }
}

/// The rule with the match goes to the canary, the one without to stable.
fn matched(one: Value) -> Config {
    let mut rules = json!([
        { "backendRefs": [to("echo", 1)] },
        { "matches": [null], "backendRefs": [to("echo-canary", 1)] },
    ]);
    rules[1]["matches"][0] = one;
    with(rules)
}

#[rstest]
#[case::header(json!({ "headers": [{ "name": "X-User", "value": "a" }] }), "/", &[("x-user", "a")], "canary")]
#[case::header_of_another_value(json!({ "headers": [{ "name": "x-user", "value": "a" }] }), "/", &[("x-user", "ab")], "stable")]
#[case::header_pattern_is_whole(json!({ "headers": [{ "name": "x-user", "type": "RegularExpression", "value": "a+" }] }), "/", &[("x-user", "aab")], "stable")]
#[case::header_pattern(json!({ "headers": [{ "name": "x-user", "type": "RegularExpression", "value": "a+" }] }), "/", &[("x-user", "aaa")], "canary")]
#[case::both_headers(json!({ "headers": [{ "name": "a", "value": "1" }, { "name": "b", "value": "2" }] }), "/", &[("a", "1")], "stable")]
#[case::query(json!({ "queryParams": [{ "name": "v", "value": "2" }] }), "/x?u=1&v=2", &[], "canary")]
#[case::query_of_another_value(json!({ "queryParams": [{ "name": "v", "value": "2" }] }), "/x?v=1", &[], "stable")]
#[case::exact_path(json!({ "path": { "type": "Exact", "value": "/a" } }), "/a?x=y", &[], "canary")]
#[case::exact_path_is_whole(json!({ "path": { "type": "Exact", "value": "/a" } }), "/a/b", &[], "stable")]
#[case::prefix_of_elements(json!({ "path": { "type": "PathPrefix", "value": "/a" } }), "/a/b", &[], "canary")]
#[case::prefix_is_not_of_text(json!({ "path": { "type": "PathPrefix", "value": "/a" } }), "/ab", &[], "stable")]
#[case::path_pattern_ranks_below_a_prefix(json!({ "path": { "type": "RegularExpression", "value": "/a.*" } }), "/ab", &[], "stable")]
#[case::method(json!({ "method": "GET" }), "/", &[], "canary")]
#[case::another_method(json!({ "method": "POST" }), "/", &[], "stable")]
fn a_match_decides(#[case] one: Value, #[case] path: &str, #[case] headers: &[(&str, &str)], #[case] expected: &str) {
    let seen = ask(&matched(one), "GET", "echo.example.com", path, headers);
    assert_eq!(seen, [(expected.to_owned(), 1.0)]);
}

#[rstest]
#[case::exact_before_prefix(json!({ "path": { "type": "PathPrefix", "value": "/a/b" } }), json!({ "path": { "type": "Exact", "value": "/a/b" } }), true)]
#[case::longer_prefix(json!({ "path": { "value": "/a" } }), json!({ "path": { "value": "/a/b" } }), true)]
#[case::prefix_before_method(json!({ "path": { "value": "/a/b" } }), json!({ "method": "GET" }), false)]
#[case::method_before_headers(json!({ "headers": [{ "name": "x", "value": "1" }] }), json!({ "method": "GET" }), true)]
#[case::more_headers(json!({ "headers": [{ "name": "x", "value": "1" }] }), json!({ "headers": [{ "name": "x", "value": "1" }, { "name": "y", "value": "2" }] }), true)]
#[case::headers_before_query(json!({ "queryParams": [{ "name": "q", "value": "1" }] }), json!({ "headers": [{ "name": "x", "value": "1" }] }), true)]
#[case::else_the_first_rule(json!({ "headers": [{ "name": "x", "value": "1" }] }), json!({ "headers": [{ "name": "y", "value": "2" }] }), false)]
fn the_more_special_match_comes_first(#[case] first: Value, #[case] second: Value, #[case] second_wins: bool) {
    let config = with(json!([
        { "matches": [first], "backendRefs": [to("echo", 1)] },
        { "matches": [second], "backendRefs": [to("echo-canary", 1)] },
    ]));
    let seen = ask(
        &config,
        "GET",
        "echo.example.com",
        "/a/b?q=1",
        &[("x", "1"), ("y", "2")],
    );
    let expected = if second_wins { "canary" } else { "stable" };
    assert_eq!(seen, [(expected.to_owned(), 1.0)]);
}

#[test]
fn of_equal_routes_the_oldest_counts() {
    let mut objects = cluster();
    for (name, created, service) in [
        ("a", "2026-01-02T00:00:00Z", "echo-canary"),
        ("b", "2026-01-01T00:00:00Z", "echo"),
    ] {
        let mut route = http_route(json!([{ "backendRefs": [to(service, 1)] }]));
        route["metadata"]["name"] = json!(name);
        route["metadata"]["creationTimestamp"] = json!(created);
        objects.add(Kind::HttpRoute, route);
    }
    let seen = ask(&compile(&objects), "GET", "echo.example.com", "/", &[]);
    assert_eq!(seen, [("stable".to_owned(), 1.0)]);
}

#[rstest]
#[case::same_host("echo.example.com", json!(["echo.example.com"]), "echo.example.com", true)]
#[case::route_without_host("", json!([]), "anything.example.org", true)]
#[case::listener_gives_the_host("echo.example.com", json!([]), "echo.example.com", true)]
#[case::only_under_the_listeners_host("echo.example.com", json!([]), "other.example.com", false)]
#[case::under_a_wildcard_listener("*.example.com", json!(["echo.example.com"]), "echo.example.com", true)]
#[case::wildcard_route_under_a_listener("echo.example.com", json!(["*.example.com"]), "other.example.com", false)]
#[case::wildcard_route("", json!(["*.example.com"]), "a.b.example.com", true)]
#[case::a_wildcard_is_not_its_own_parent("", json!(["*.example.com"]), "example.com", false)]
fn hosts_are_what_listener_and_route_share(
    #[case] listener: &str,
    #[case] hostnames: Value,
    #[case] host: &str,
    #[case] served: bool,
) {
    let mut objects = Objects::default();
    for kind in [Kind::GatewayClass, Kind::Service, Kind::EndpointSlice] {
        cluster().of(kind).for_each(|object| objects.add(kind, object.clone()));
    }
    objects.add(Kind::Gateway, gateway(json!({ "from": "All" }), listener));
    let mut route = http_route(json!([{ "backendRefs": [to("echo", 1)] }]));
    route["spec"]["hostnames"] = hostnames;
    objects.add(Kind::HttpRoute, route);
    let seen = ask(&compile(&objects), "GET", host, "/", &[]);
    assert_eq!(seen[0].0, if served { "stable" } else { "404" });
}

#[rstest]
#[case::all(json!({ "from": "All" }), json!({}), None)]
#[case::same_by_default(Value::Null, json!({}), Some("NotAllowedByListeners"))]
#[case::selected(json!({ "from": "Selector", "selector": { "matchLabels": { "team": "a" } } }), json!({}), None)]
#[case::not_selected(json!({ "from": "Selector", "selector": { "matchLabels": { "team": "b" } } }), json!({}), Some("NotAllowedByListeners"))]
#[case::section(json!({ "from": "All" }), json!({ "sectionName": "web", "port": 80 }), None)]
#[case::no_such_section(json!({ "from": "All" }), json!({ "sectionName": "other" }), Some("NoMatchingParent"))]
#[case::no_such_port(json!({ "from": "All" }), json!({ "port": 81 }), Some("NoMatchingParent"))]
fn a_route_is_let_in_or_told_why_not(#[case] from: Value, #[case] parent: Value, #[case] refused: Option<&str>) {
    let mut objects = Objects::default();
    for kind in [Kind::GatewayClass, Kind::Service, Kind::EndpointSlice] {
        cluster().of(kind).for_each(|object| objects.add(kind, object.clone()));
    }
    objects.add(Kind::Gateway, gateway(from, ""));
    objects.add(
        Kind::Namespace,
        json!({ "metadata": { "name": "default", "labels": { "team": "a" } } }),
    );
    let mut route = http_route(json!([{ "backendRefs": [to("echo", 1)] }]));
    for (key, value) in parent.as_object().expect("it is a map") {
        route["spec"]["parentRefs"][0][key] = value.clone();
    }
    objects.add(Kind::HttpRoute, route);
    let seen = ask(&compile(&objects), "GET", "echo.example.com", "/", &[]);
    assert_eq!(seen[0].0, if refused.is_some() { "404" } else { "stable" });
    let (_, reports) = super::super::gateway_api::compile(&objects);
    let told = &reports[0].status["parents"][0]["conditions"][0];
    assert_eq!(told["reason"], refused.unwrap_or("Accepted"));
    assert_eq!(told["observedGeneration"], 3);
}

#[rstest]
#[case::found("echo", "", false, "ResolvedRefs", "stable")]
#[case::nobody_there_is_resolved("empty", "", false, "ResolvedRefs", "503")]
#[case::missing("nowhere", "", false, "BackendNotFound", "500")]
#[case::elsewhere("away", "other", false, "RefNotPermitted", "500")]
#[case::elsewhere_with_a_grant("away", "other", true, "ResolvedRefs", "far")]
fn references_are_resolved_or_reported(
    #[case] name: &str,
    #[case] namespace: &str,
    #[case] granted: bool,
    #[case] reason: &str,
    #[case] answer: &str,
) {
    let mut objects = cluster();
    let (mut away, mut pods) = (service("away"), slice("away", &["far"]));
    away["metadata"]["namespace"] = json!("other");
    pods["metadata"]["namespace"] = json!("other");
    objects.add(Kind::Service, away);
    objects.add(Kind::EndpointSlice, pods);
    if granted {
        objects.add(
            Kind::ReferenceGrant,
            json!({ "metadata": { "namespace": "other", "name": "grant" }, "spec": {
                "from": [{ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default" }],
                "to": [{ "group": "", "kind": "Service" }],
            } }),
        );
    }
    let mut backend = to(name, 1);
    if !namespace.is_empty() {
        backend["namespace"] = json!(namespace);
    }
    objects.add(Kind::HttpRoute, http_route(json!([{ "backendRefs": [backend] }])));
    assert_eq!(
        ask(&compile(&objects), "GET", "echo.example.com", "/", &[])[0].0,
        answer
    );
    let (_, reports) = super::super::gateway_api::compile(&objects);
    assert_eq!(reports[0].status["parents"][0]["conditions"][1]["reason"], reason);
}

#[test]
fn filters_of_the_rule_come_before_those_of_the_backend() {
    let modifier = |block: Value| json!([{ "type": "RequestHeaderModifier", "requestHeaderModifier": block }]);
    let mut backend = to("echo", 1);
    backend["filters"] = modifier(json!({ "add": [{ "name": "b", "value": "2" }] }));
    let config = with(json!([{
        "filters": modifier(json!({ "set": [{ "name": "a", "value": "1" }], "remove": ["c"] })),
        "backendRefs": [backend],
    }]));
    let asked = Asked {
        method: "GET",
        host: "echo.example.com",
        path: "/",
        headers: &[],
    };
    let Outcome::Forward(shares) = choose(&config, asked) else {
        panic!("nobody answers");
    };
    let Target::Pod { edits, .. } = &shares[0].target else {
        panic!("it is refused");
    };
    let text = |name: &str| name.to_owned();
    let expected = [
        Edit::Set(text("a"), text("1")),
        Edit::Remove(text("c")),
        Edit::Add(text("b"), text("2")),
    ];
    assert_eq!(edits.request, expected);
}

#[rstest]
#[case::a_call(json!({ "service": "shop.Cart", "method": "Add" }), "/shop.Cart/Add", "canary")]
#[case::another_call(json!({ "service": "shop.Cart", "method": "Add" }), "/shop.Cart/Remove", "stable")]
#[case::a_service(json!({ "service": "shop.Cart" }), "/shop.Cart/Remove", "canary")]
#[case::a_method(json!({ "method": "Add" }), "/shop.Other/Add", "canary")]
#[case::a_pattern_ranks_below(json!({ "type": "RegularExpression", "service": "shop.*", "method": "A.*" }), "/shop.Cart/Add", "stable")]
fn calls_are_matched_by_service_and_method(#[case] method: Value, #[case] path: &str, #[case] expected: &str) {
    let mut objects = cluster();
    let route = http_route(json!([
        { "backendRefs": [to("echo", 1)] },
        { "matches": [{ "method": method }], "backendRefs": [to("echo-canary", 1)] },
    ]));
    objects.add(Kind::GrpcRoute, route);
    let seen = ask(&compile(&objects), "POST", "echo.example.com", path, &[]);
    assert_eq!(seen, [(expected.to_owned(), 1.0)]);
}

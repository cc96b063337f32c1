//! Requests that a step selects, and the changes to their headers.

use serde_json::json;

use super::*;

#[test]
fn upstreams_three_matches_stand_in_upstreams_order() {
    let object = http(&[json!({"route": [{"destination": {"host": "echoserver"}}]})]);
    let wanted = selection(json!([
        {"headers": [{"type": "Exact", "name": "user-agent", "value": "pc"}]},
        {"queryParams": [{"type": "RegularExpression", "name": "user-agent", "value": ".*pc.*"}]},
        {"path": {"type": "PathPrefix", "value": "/pc"}},
    ]));
    let now = led_for("echoserver", &object, &wanted);
    insta::assert_snapshot!(json!(rules(&now, "http")).to_string(), @r#"[{"match":[{"uri":{"prefix":"/pc"}}],"route":[{"destination":{"host":"echoserver-canary"}}]},{"match":[{"queryParams":{"user-agent":{"regex":".*pc.*"}}}],"route":[{"destination":{"host":"echoserver-canary"}}]},{"match":[{"headers":{"user-agent":{"exact":"pc"}}}],"route":[{"destination":{"host":"echoserver-canary"}}]},{"route":[{"destination":{"host":"echoserver"}}]}]"#);
    assert_eq!(back_for("echoserver", &now), object);
}

#[test]
fn selected_requests_keep_all_else_that_their_rule_says() {
    let other = rule("/api", &[to("api", None)]);
    let own = json!({
        "name": "shop",
        "match": [
            {"uri": {"prefix": "/shop"}, "ignoreUriCase": true, "headers": {"x-user": {"exact": "old"}, "x-shop": {"exact": "1"}}},
            {"uri": {"exact": "/pay"}, "method": {"exact": "POST"}, "gateways": ["mesh"]},
        ],
        "timeout": "3s", "retries": {"attempts": 2}, "rewrite": {"uri": "/"}, "mirror": {"host": "copy"},
        "route": [to("web", Some(37))],
    });
    let delegate = json!({"match": [{"uri": {"prefix": "/d"}}], "delegate": {"name": "more"}});
    let redirect = json!({"redirect": {"uri": "/"}});
    let object = http(&[other.clone(), own.clone(), delegate.clone(), redirect.clone()]);
    let wanted = selection(json!([
        {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "X-User", "value": "beta"}]},
        {"path": {"type": "Exact", "value": "/new"}, "queryParams": [{"name": "v", "type": "RegularExpression", "value": "2.*"}]},
    ]));
    let now = led(&object, &wanted);
    let canary = |matches: Value| {
        json!({
            "match": matches,
            "timeout": "3s", "retries": {"attempts": 2}, "rewrite": {"uri": "/"}, "mirror": {"host": "copy"},
            "route": [to("web-canary", None)],
        })
    };
    let v2 = json!({"v": {"regex": "2.*"}});
    let beta = json!({"exact": "beta"});
    let by_path = canary(json!([
        {"uri": {"exact": "/new"}, "ignoreUriCase": true, "queryParams": v2, "headers": {"x-user": {"exact": "old"}, "x-shop": {"exact": "1"}}},
        {"uri": {"exact": "/new"}, "queryParams": v2, "method": {"exact": "POST"}, "gateways": ["mesh"]},
    ]));
    let by_user = canary(json!([
        {"uri": {"prefix": "/shop"}, "ignoreUriCase": true, "headers": {"x-user": beta, "x-shop": {"exact": "1"}}},
        {"uri": {"exact": "/pay"}, "method": {"exact": "POST"}, "gateways": ["mesh"], "headers": {"x-user": beta}},
    ]));
    assert_eq!(rules(&now, "http"), &[other, by_path, by_user, own, delegate, redirect]);
    assert_eq!(back_for("web", &now), object);
}

#[test]
fn headers_are_changed_for_the_canary_alone() {
    let modifier: HeaderModifier = serde_json::from_value(json!({
        "set": [{"name": "X-Canary", "value": "yes"}], "add": [{"name": "x-seen", "value": "1"}], "remove": ["X-Old"]}))
    .unwrap();
    let mut own = to("web", None);
    own["headers"] =
        json!({"request": {"set": {"x-canary": "no", "a": "b"}, "remove": ["x-old"]}, "response": {"remove": ["c"]}});
    let object = http(&[json!({"route": [own.clone()]})]);
    let weighted = led_with("web", &object, &share(10), Some(&modifier));
    assert_eq!(rules(&weighted, "http")[0]["route"][0]["headers"], own["headers"]);
    assert_eq!(
        rules(&weighted, "http")[0]["route"][1]["headers"],
        json!({
            "request": {"set": {"X-Canary": "yes", "a": "b"}, "add": {"x-seen": "1"}, "remove": ["x-old"]},
            "response": {"remove": ["c"]},
        })
    );
    let selected = led_with("web", &object, &header(), Some(&modifier));
    assert_eq!(
        rules(&selected, "http")[0]["headers"],
        json!({"request": {"set": {"X-Canary": "yes"}, "add": {"x-seen": "1"}, "remove": ["X-Old"]}})
    );
    assert_eq!(rules(&selected, "http")[1], json!({"route": [own]}));
    assert_eq!(back_for("web", &selected), object);
    assert_eq!(back_for("web", &weighted), object);
}

#[test]
fn going_from_weights_to_selected_requests_and_back_keeps_the_stable_rule() {
    let object = http(&[rule("/", &[to("web", Some(37))])]);
    let selected = led(&led(&object, &share(5)), &header());
    assert_eq!(weights(&selected, "http"), ["web-canary null", "web 37"]);
    assert_eq!(weights(&led(&selected, &share(50)), "http"), ["web 50, web-canary 50"]);
    assert_eq!(back_for("web", &selected), object);
}

#[test]
fn several_stable_destinations_stay_in_proportion() {
    let to_subset = |host: &str, subset: &str, weight: i64| {
        let mut to = to(host, Some(weight));
        to["destination"]["subset"] = json!(subset);
        to
    };
    let object = http(&[rule("/", &[to_subset("web", "a", 40), to_subset("web", "b", 60)])]);
    assert_eq!(
        weights(&led(&object, &header()), "http"),
        ["web-canary 40, web-canary 60", "web 40, web 60"]
    );
    assert_eq!(
        weights(&led(&object, &share(5)), "http"),
        ["web 38, web-canary 2, web 57, web-canary 3"]
    );
}

#[test]
fn streams_cannot_be_selected() {
    let object = service(&json!({"tcp": [{"route": [to("web", None)]}]}));
    assert_eq!(
        lead_of("web", &object, &header(), None).unwrap_err().to_string(),
        "VirtualService web cannot be split: no http rule leads to Service web, and others cannot select requests; use traffic in the step"
    );
}

#[test]
fn a_match_without_condition_is_no_selection() {
    let everything = selection(json!([{"path": {"type": "PathPrefix", "value": "/"}}]));
    assert_eq!(
        router().sayable(&everything, None).unwrap_err().to_string(),
        "matches[0] cannot be said to a VirtualService: it would be all requests; add a header, a query parameter or a path, or use traffic"
    );
    assert_eq!(router().sayable(&header(), None), Ok(()));
}

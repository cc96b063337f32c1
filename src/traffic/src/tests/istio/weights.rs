//! Shares of all requests.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

#[rstest]
#[case::one_destination(&[to("web", None)], 5, "web 95, web-canary 5")]
#[case::a_weight_of_its_own(&[to("web", Some(37))], 5, "web 95, web-canary 5")]
#[case::all(&[to("web", Some(100))], 100, "web 0, web-canary 100")]
#[case::beside_nothing(&[to("web", Some(1)), to("old", Some(0))], 20, "web 80, web-canary 20, old 0")]
#[case::beside_others(&[to("old", Some(20)), to("web", Some(80))], 25, "old 20, web 60, web-canary 20")]
#[case::nothing(&[to("web", Some(7))], 0, "web 7")]
#[case::no_share(&[to("web", Some(0)), to("old", Some(9))], 5, "web 0, old 9")]
#[case::somebody_elses(&[to("other", None)], 5, "other null")]
#[case::with_namespace(&[to("web.shop", None)], 5, "web.shop 95, web-canary.shop 5")]
#[case::with_svc(&[to("web.shop.svc", None)], 5, "web.shop.svc 95, web-canary.shop.svc 5")]
#[case::in_full(&[to("web.shop.svc.cluster.local", None)], 5, "web.shop.svc.cluster.local 95, web-canary.shop.svc.cluster.local 5")]
#[case::of_another_namespace(&[to("web.shopping", None)], 5, "web.shopping null")]
#[case::on_the_internet(&[to("web.example.com", None)], 5, "web.example.com null")]
fn a_weight_divides_the_stable_share_alone(#[case] destinations: &[Value], #[case] percents: i32, #[case] shows: &str) {
    let object = http(&[rule("/", destinations), rule("/more", &[to("web", None)])]);
    assert_eq!(weights(&led(&object, &share(percents)), "http")[0], shows);
}

#[test]
fn upstreams_even_split_reads_the_same() {
    let object = http(&[json!({"route": [{"destination": {"host": "echoserver"}}]})]);
    let half = led_for("echoserver", &object, &share(50));
    assert_eq!(
        json!(rules(&half, "http")).to_string(),
        r#"[{"route":[{"destination":{"host":"echoserver"},"weight":50},{"destination":{"host":"echoserver-canary"},"weight":50}]}]"#
    );
    assert_eq!(back_for("echoserver", &half), object);
}

#[test]
fn a_share_that_cannot_be_divided_is_told() {
    let object = http(&[rule("/", &[to("web", Some(50)), to("old", Some(50))])]);
    assert_eq!(
        lead_of("web", &object, &share(5), None).unwrap_err().to_string(),
        "VirtualService web cannot be split: spec.http[0] gives Service web the weight 50 beside other destinations, and 5% of that is not whole; multiply all weights of the rule by 100"
    );
}

#[test]
fn tls_and_tcp_are_split_by_weight() {
    let object = service(&json!({
        "http": [{"route": [to("web", None)]}],
        "tls": [{"match": [{"port": 443, "sniHosts": ["a.example.com"]}], "route": [to("web", None)]}],
        "tcp": [{"route": [to("api", None)]}, {"route": [to("web", Some(100))]}],
    }));
    let now = led(&object, &share(10));
    for section in ["http", "tls"] {
        assert_eq!(weights(&now, section), ["web 90, web-canary 10"]);
    }
    assert_eq!(weights(&now, "tcp"), ["api null", "web 90, web-canary 10"]);
    assert_eq!(back_for("web", &now), object);
}

#[test]
fn the_canary_has_no_subsets() {
    let mut own = to("web", None);
    own["destination"]["subset"] = json!("v1");
    let now = led(&http(&[json!({"route": [own.clone()]})]), &share(10));
    own["weight"] = json!(90);
    assert_eq!(
        rules(&now, "http")[0]["route"],
        json!([own, to("web-canary", Some(10))])
    );
}

#[test]
fn an_owner_who_writes_the_object_again_in_the_middle_is_followed() {
    let mut written = led(&plain(), &share(5));
    written.data["spec"]["http"] = json!([rule("/new", &[to("api", None)]), rule("/", &[to("web", Some(8))])]);
    assert!(matches!(
        lead_of("web", &written, &share(5), None),
        Ok(Position::Below(_))
    ));
    let again = led(&written, &share(5));
    assert_eq!(weights(&again, "http"), ["api null", "web 95, web-canary 5"]);
    assert_eq!(weights(&back_for("web", &again), "http"), ["api null", "web 8"]);
}

#[test]
fn a_lost_record_loses_no_share() {
    let object = http(&[rule("/", &[to("web", Some(80)), to("old", Some(20))])]);
    let mut now = led(&object, &share(25));
    now.metadata.annotations = None;
    assert_eq!(back_for("web", &now), object);
}

#[test]
fn a_rule_is_not_left_without_destination() {
    let mut now = led(&plain(), &share(25));
    now.data["spec"]["http"][0]["route"].as_array_mut().unwrap().remove(0);
    assert_eq!(back_for("web", &now), plain());
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

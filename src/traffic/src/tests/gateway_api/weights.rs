//! A step's weight on the rules of a route, and the original weights back.

use api::plan::Route;
use kube::core::DynamicObject;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    applied, back_for, backend, header, lead_of, led, led_for, plain, refused, route, rule, rules, share, usable_for,
    weights,
};
use crate::Position;

const KEY: &str = "rollouts.kruise.io/original-weights";

#[rstest]
#[case::one_backend(&[backend("web", Some(1))], 5, "web 95, web-canary 5")]
#[case::a_weight_of_its_own(&[backend("web", Some(37))], 5, "web 95, web-canary 5")]
#[case::all(&[backend("web", None)], 100, "web 0, web-canary 100")]
#[case::beside_nothing(&[backend("web", Some(1)), backend("old", Some(0))], 20, "web 80, web-canary 20, old 0")]
#[case::beside_others(&[backend("old", Some(100)), backend("web", Some(900))], 20, "old 100, web 720, web-canary 180")]
#[case::nothing(&[backend("web", Some(7))], 0, "web 7")]
#[case::nothing_to_divide(&[backend("old", Some(100)), backend("web", Some(0))], 50, "old 100, web 0")]
#[case::two_ports(&[backend("web", Some(100)), backend("web", Some(300))], 5, "web 95, web-canary 5, web 285, web-canary 15")]
#[case::whole_though_not_of_every_percent(&[backend("old", Some(10)), backend("web", Some(90))], 50, "old 10, web 45, web-canary 45")]
#[case::somebody_elses(&[backend("other", Some(1))], 5, "other 1")]
fn a_weight_divides_the_stable_share_alone(#[case] backends: &[Value], #[case] percents: i32, #[case] shows: &str) {
    let route = route(&[rule("/", backends), rule("/more", &[backend("web", Some(1))])]);
    assert_eq!(weights(&led(&route, &share(percents)))[0], shows);
}

/// [E2E 2429], with every rule restored to its own weight.
#[rstest]
#[case::unset(None)]
#[case::one(Some(1))]
#[case::another(Some(37))]
fn the_way_back_is_exact(#[case] weight: Option<i64>) {
    let before = route(&[
        rule("/", &[backend("web", weight)]),
        rule("/api", &[backend("api", Some(3))]),
    ]);
    let mut now = before.clone();
    for percents in [20, 60, 100, 5] {
        now = led(&now, &share(percents));
        assert_eq!(
            weights(&now)[0],
            format!("web {}, web-canary {percents}", 100 - percents)
        );
        assert_eq!(weights(&now)[1], "api 3");
    }
    assert_eq!(led(&now, &share(0)), before);
    assert_eq!(back_for("web", &now), before);
}

#[test]
fn a_share_that_cannot_be_divided_says_what_to_do() {
    let route = route(&[rule("/", &[backend("web", Some(1)), backend("old", Some(1))])]);
    assert_eq!(
        refused(&route, &share(5), None),
        "HTTPRoute web cannot be split: spec.rules[0] gives Service web the weight 1 beside other backends, and 5% of that is not whole; multiply all weights of the rule by 100"
    );
    assert_eq!(
        weights(&led(&route, &header())),
        ["web-canary 1", "web 1, old 1"],
        "selected requests divide nothing"
    );
}

#[rstest]
#[case::no_rule_leads_there(
    "other",
    "other-canary",
    "HTTPRoute web has no rule to Service other; add one, or correct trafficRoutings[0]"
)]
#[case::no_weight(
    "idle",
    "idle-canary",
    "HTTPRoute web cannot be split: Service idle has the weight 0 in every rule that names it; give it a weight"
)]
#[case::one_service_for_both(
    "web",
    "web",
    "HTTPRoute web cannot be split: both versions are behind Service web; remove disableGenerateCanaryService"
)]
fn what_cannot_be_split_is_told_before_the_first_pod(#[case] service: &str, #[case] canary: &str, #[case] why: &str) {
    let route = route(&[
        rule("/", &[backend("web", Some(1))]),
        rule("/idle", &[backend("idle", Some(0))]),
    ]);
    assert_eq!(usable_for(&route, service, canary).unwrap_err().to_string(), why);
}

#[rstest]
#[case::another_kind(json!({"group": "multicluster.x-k8s.io", "kind": "ServiceImport", "name": "web", "port": 80}))]
#[case::another_namespace(json!({"name": "web", "namespace": "elsewhere", "port": 80}))]
fn what_merely_has_the_name_is_not_the_service(#[case] other: Value) {
    let route = route(&[
        rule("/", std::slice::from_ref(&other)),
        rule("/more", &[backend("web", Some(1))]),
    ]);
    let led = led(&route, &share(5));
    assert_eq!(rules(&led)[0]["backendRefs"], json!([other]));
    assert_eq!(weights(&led)[1], "web 95, web-canary 5");
}

#[rstest]
#[case::nothing_but_the_name(json!({"name": "web"}))]
#[case::all_defaults_written(json!({"group": "", "kind": "Service", "namespace": "shop", "name": "web", "port": 8080}))]
fn the_canary_is_the_stable_backend_under_another_name(#[case] stable: Value) {
    let led = led(&route(&[rule("/", std::slice::from_ref(&stable))]), &share(5));
    let mut canary = stable.clone();
    canary["name"] = json!("web-canary");
    canary["weight"] = json!(5);
    assert_eq!(rules(&led)[0]["backendRefs"][1], canary);
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

/// The owner takes the stable backend out of a rule in the middle: the rule stays, with what the owner left in it.
#[rstest]
#[case::for_another(&["web-canary 5", "api 1"], &["api 1"])]
#[case::for_nothing(&["web-canary 5"], &[])]
fn a_rule_that_does_not_lead_to_stable_any_more_keeps_what_is_its_owners(#[case] left: &[&str], #[case] back: &[&str]) {
    let mut now = led(
        &route(&[
            rule("/", &[backend("web", Some(1))]),
            rule("/b", &[backend("web", Some(1))]),
        ]),
        &share(5),
    );
    let parse = |text: &&str| {
        let (name, weight) = text.split_once(' ').unwrap();
        backend(name, weight.parse().ok())
    };
    now.data["spec"]["rules"][0]["backendRefs"] = left.iter().map(parse).collect();
    assert_eq!(weights(&back_for("web", &now)), [back.join(", "), "web 1".to_owned()]);
    assert_eq!(
        weights(&led(&now, &share(50))),
        [back.join(", "), "web 50, web-canary 50".to_owned()]
    );
}

#[test]
fn rules_may_be_moved_and_taken_away_in_the_middle() {
    let weigh = |path: &str, weight| rule(path, &[backend("web", Some(weight))]);
    let mut now = led(&route(&[weigh("/a", 1), weigh("/b", 2), weigh("/c", 3)]), &share(5));
    let rules = now.data["spec"]["rules"].as_array_mut().unwrap();
    rules.swap(0, 2);
    rules.remove(1);
    assert_eq!(
        back_for("web", &now).data["spec"],
        route(&[weigh("/c", 3), weigh("/a", 1)]).data["spec"]
    );
    assert!(
        matches!(lead_of("web", &now, &share(5), None), Ok(Position::Above(_))),
        "only the record is shortened"
    );
}

/// Somebody deletes the record, or writes over it: a sole share has no weight again, one beside others is put together.
#[rstest]
#[case::deleted(None)]
#[case::overwritten(Some("nonsense"))]
fn a_lost_record_loses_no_share(#[case] record: Option<&str>) {
    let before = route(&[
        rule("/", &[backend("web", Some(37))]),
        rule("/b", &[backend("api", Some(700)), backend("web", Some(300))]),
    ]);
    let mut now = led(&before, &share(5));
    now.metadata.annotations = record.map(|text| [(KEY.to_owned(), text.to_owned())].into());
    assert_eq!(
        weights(&led(&now, &share(50))),
        ["web 50, web-canary 50", "api 700, web 150, web-canary 150"]
    );
    let back = back_for("web", &now);
    assert_eq!(weights(&back), ["web null", "api 700, web 300"]);
    assert_eq!(back.metadata.annotations, None);
}

#[test]
fn the_record_is_text_that_a_person_can_read_and_goes_with_the_release() {
    let mut before = plain();
    before.metadata.annotations = Some([("team".to_owned(), "shop".to_owned())].into());
    let now = led(&before, &share(5));
    let text = &now.metadata.annotations.as_ref().unwrap()[KEY];
    let known = text.split('"').nth(5).unwrap();
    assert_eq!(*text, format!(r#"{{"web":[{{"rule":"{known}","weights":[1]}}]}}"#));
    assert_eq!(back_for("web", &now), before);
}

/// A Rollout whose versions share one Service never takes the stable backends for its own.
#[test]
fn withdrawing_never_takes_the_stable_backend() {
    let route = plain();
    let mut routes = crate::Routes::default();
    routes.add(crate::RouteKind::HttpRoute, &route);
    let owner = super::owner();
    let edits = crate::Router::withdraw(&super::http(), &routes, super::sides("web", "web", &owner));
    assert_eq!(applied(&route, edits), route);
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

/// A GitOps tool puts the weight back: the way up again needs evidence like the first.
#[test]
fn a_weight_that_was_reset_is_led_up_again() {
    let position = lead_of("web", &plain(), &share(5), None);
    assert!(matches!(position, Ok(Position::Below(_))), "{position:?}");
    let mut half: DynamicObject = led(
        &route(&[rule("/a", &[backend("web", None)]), rule("/b", &[backend("web", None)])]),
        &share(50),
    );
    half.data["spec"]["rules"][1]["backendRefs"] = json!([backend("web", None)]);
    let to: Route = share(20);
    assert!(
        matches!(lead_of("web", &half, &to, None), Ok(Position::Below(_))),
        "one rule shows less"
    );
}

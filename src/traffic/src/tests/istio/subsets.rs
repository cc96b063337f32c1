//! One Service for both versions: the subsets of a DestinationRule, the routes that lead to them, and the way back.

use proptest::prelude::*;

use super::*;
use crate::istio::DestinationRule;

fn rule_object(spec: &Value) -> DynamicObject {
    object(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"note": "mine"}}, "spec": spec,
    }))
}

fn maker() -> DestinationRule {
    DestinationRule {
        name: "web".into(),
        services: vec!["web".into()],
    }
}

fn revisions(canary: &str) -> Revisions<'_> {
    Revisions {
        key: "pod-template-hash",
        stable: "1",
        canary,
    }
}

fn both<'a>(service: &'a DynamicObject, rule: &'a DynamicObject) -> Routes<'a> {
    let mut routes = routes(service);
    routes.add(RouteKind::DestinationRule, rule);
    routes
}

fn shared(service: &DynamicObject, to: &Route) -> DynamicObject {
    let owner = owner();
    let wanted = Wanted {
        sides: sides("web", "web", &owner),
        revisions: revisions("2"),
        route: to,
        header_modifier: None,
    };
    match router().lead(&routes(service), wanted).unwrap() {
        Position::Above(edits) | Position::Below(edits) => applied(service, edits),
        _ => service.clone(),
    }
}

fn back(service: &DynamicObject) -> DynamicObject {
    let owner = owner();
    applied(
        service,
        router().withdraw(&routes(service), sides("web", "web", &owner)),
    )
}

#[test]
fn an_owners_subsets_stay_and_ours_stand_after_them() {
    let mut own = to("web", None);
    own["destination"]["subset"] = json!("v1");
    let service = http(&[rule("/a", &[own]), rule("/", &[to("web", None)])]);
    let v1 = json!({"name": "v1", "labels": {"version": "v1"}, "trafficPolicy": {"tls": {"mode": "DISABLE"}}});
    let other = json!({"name": "other", "labels": {"x": "y"}});
    let before = rule_object(&json!({"host": "web", "subsets": [v1, other], "trafficPolicy": {"a": 1}}));
    let owner = owner();
    let sides = sides("web", "web", &owner);
    let now = applied(
        &before,
        maker().prepare(&both(&service, &before), sides, revisions("2")),
    );
    let policy = json!({"tls": {"mode": "DISABLE"}});
    assert_eq!(
        now.data["spec"]["subsets"],
        json!([
            v1, other,
            {"name": "stable", "labels": {"pod-template-hash": "1"}},
            {"name": "canary", "labels": {"pod-template-hash": "2"}},
            {"name": "v1--stable", "labels": {"version": "v1", "pod-template-hash": "1"}, "trafficPolicy": policy},
            {"name": "v1--canary", "labels": {"pod-template-hash": "2"}, "trafficPolicy": policy},
        ])
    );
    assert_eq!(maker().prepare(&both(&service, &now), sides, revisions("2")), []);
    assert_eq!(
        maker().prepare(&both(&service, &now), sides, revisions("")),
        [],
        "what is not known stays"
    );
    assert_eq!(applied(&now, maker().clear(&both(&service, &now), sides)), before);
    let split = shared(&service, &share(20));
    let led = |subset: &str, weight: i64| {
        let mut led = to("web", Some(weight));
        led["destination"]["subset"] = json!(subset);
        led
    };
    assert_eq!(
        rules(&split, "http"),
        &[
            rule("/a", &[led("v1--stable", 80), led("v1--canary", 20)]),
            rule("/", &[led("stable", 80), led("canary", 20)]),
        ]
    );
    assert_eq!(back(&split), service);
}

#[rstest]
#[case::of_another_service(json!({"host": "api"}), "DestinationRule web cannot be split: its host is api, not Service web; name the DestinationRule of that Service")]
#[case::a_name_that_is_taken(json!({"host": "web", "subsets": [{"name": "canary", "labels": {"v": "2"}}]}), "DestinationRule web cannot be split: it has a subset \"canary\" already, and the release makes one of that name; rename it")]
fn what_is_in_the_way_is_told(#[case] spec: Value, #[case] says: &str) {
    let (service, rule, owner) = (plain(), rule_object(&spec), owner());
    let sides = sides("web", "web", &owner);
    let routes = both(&service, &rule);
    assert_eq!(maker().usable(&routes, sides).unwrap_err().to_string(), says);
    assert_eq!(maker().prepare(&routes, sides, revisions("2")), []);
    assert_eq!(maker().clear(&routes, sides), []);
}

fn any_destination() -> impl Strategy<Value = Value> {
    let host = prop::sample::select(vec!["web", "web.shop.svc.cluster.local", "api"]);
    let subset = prop::option::of(prop::sample::select(vec!["v1", "v2"]));
    (host, prop::option::of(0_i64..10), subset).prop_map(|(host, hundreds, subset)| {
        let mut to = to(host, hundreds.map(|hundreds| hundreds * 100));
        if let Some(subset) = subset {
            to["destination"]["subset"] = json!(subset);
        }
        to
    })
}

proptest! {
    #[test]
    fn any_walk_leads_back_exactly_and_never_to_all_pods(
        destinations in prop::collection::vec(prop::collection::vec(any_destination(), 1..4), 1..4),
        steps in prop::collection::vec(prop_oneof![3 => (0..=100).prop_map(share), 1 => Just(header())], 1..4),
    ) {
        let all: Vec<Value> = destinations.iter().map(|all| rule("/", all)).collect();
        let object = http(&all);
        let owner = owner();
        let sides = sides("web", "web", &owner);
        prop_assume!(router().usable(&routes(&object), sides).is_ok());
        let mut now = object.clone();
        for step in &steps {
            let wanted = Wanted { sides, revisions: revisions("2"), route: step, header_modifier: None };
            if router().lead(&routes(&now), wanted).is_err() {
                continue;
            }
            now = shared(&now, step);
            prop_assert!(router().tells_apart(&routes(&now), sides));
            prop_assert_eq!(router().lead(&routes(&now), wanted), Ok(Position::There), "once is enough");
        }
        prop_assert_eq!(back(&now), object);
    }
}

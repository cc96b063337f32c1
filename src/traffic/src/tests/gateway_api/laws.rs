//! Laws that hold for any route: the way back is exact, once is enough, two rollouts do not see each other, others' backends stay.

use api::plan::Route;
use kube::core::DynamicObject;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{applied, back_for, backend, header, lead_of, led_for, route, rule, rules, selection, share};
use crate::Position;

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
    prop_oneof![
        3 => (0..=100).prop_map(share),
        1 => Just(header()),
        1 => Just(selection(json!([{"path": {"type": "Exact", "value": "/new"}}, {"queryParams": [{"name": "v", "value": "2"}]}]))),
    ]
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

    #[test]
    fn two_rollouts_commute(
        rules in prop::collection::vec((prop::sample::select(vec!["/", "/a", "/b"]), prop::collection::vec(any_backend(), 0..2)), 0..4),
        web in any_step(), shop in any_step(),
    ) {
        let mut all = vec![rule("/", &[backend("web", Some(300)), backend("shop", Some(700))])];
        all.extend(rules.iter().map(|(path, backends)| rule(path, backends)));
        let route = route(&all);
        let first = led_for("web", &route, &web);
        let both = led_for("shop", &first, &shop);
        prop_assert_eq!(&both, &led_for("web", &led_for("shop", &route, &shop), &web));
        for (service, step) in [("web", &web), ("shop", &shop)] {
            prop_assert_eq!(lead_of(service, &both, step, None), Ok(Position::There), "they do not fight");
        }
    }

    #[test]
    fn weights_are_what_the_api_takes(route in any_route(), step in (0..=100_i32)) {
        let Ok(_) = lead_of("web", &route, &share(step), None) else { return Ok(()) };
        let now = led_for("web", &route, &share(step));
        for rule in rules(&now) {
            for backend in rule["backendRefs"].as_array().unwrap() {
                let weight = backend.get("weight").map_or(1, |weight| weight.as_i64().unwrap());
                prop_assert!((0..=1_000_000).contains(&weight), "{}", weight);
            }
        }
    }
}

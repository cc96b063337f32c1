//! Laws that hold for any VirtualService: the way back is exact, once is enough, two rollouts do not see each other, others' destinations stay.

use api::plan::Route;
use kube::core::DynamicObject;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{back_for, header, lead_of, led_for, rule, rules, selection, service, share, to};
use crate::Position;

const SECTIONS: [&str; 3] = ["http", "tls", "tcp"];

fn any_destination() -> impl Strategy<Value = Value> {
    let host = prop::sample::select(vec!["web", "shop.shop.svc.cluster.local", "api"]);
    (host, prop::option::of(0_i64..10), any::<bool>()).prop_map(|(host, hundreds, subset)| {
        let mut to = to(host, hundreds.map(|hundreds| hundreds * 100));
        if subset {
            to["destination"]["subset"] = json!("v1");
            to["headers"] = json!({"response": {"remove": ["a"]}});
        }
        to
    })
}

fn any_rules() -> impl Strategy<Value = Vec<Value>> {
    let one = (
        prop::sample::select(vec!["/", "/a", "/b"]),
        prop::collection::vec(any_destination(), 1..4),
    );
    prop::collection::vec(one.prop_map(|(path, destinations)| rule(path, &destinations)), 0..4)
}

fn any_object() -> impl Strategy<Value = DynamicObject> {
    (any_rules(), any_rules()).prop_map(|(http, tcp)| service(&json!({"http": http, "tcp": tcp})))
}

fn any_step() -> impl Strategy<Value = Route> {
    prop_oneof![
        3 => (0..=100).prop_map(share),
        1 => Just(header()),
        1 => Just(selection(json!([{"path": {"type": "Exact", "value": "/new"}}, {"queryParams": [{"name": "v", "value": "2"}]}]))),
    ]
}

fn others(object: &DynamicObject) -> Vec<Value> {
    let sections = SECTIONS
        .iter()
        .filter(|section| object.data["spec"].get(section).is_some());
    let rules = sections.flat_map(|section| rules(object, section));
    let all = rules.flat_map(|rule| rule["route"].as_array().unwrap());
    all.filter(|one| one["destination"]["host"] == "api").cloned().collect()
}

proptest! {
    #[test]
    fn any_walk_leads_back_exactly(object in any_object(), steps in prop::collection::vec((any::<bool>(), any_step()), 1..5)) {
        let mut now = object.clone();
        for (web, step) in &steps {
            let service = if *web { "web" } else { "shop" };
            let Ok(_) = lead_of(service, &now, step, None) else { continue };
            let next = led_for(service, &now, step);
            prop_assert_eq!(others(&next), others(&now), "others are not touched");
            prop_assert_eq!(lead_of(service, &next, step, None), Ok(Position::There), "once is enough");
            now = next;
        }
        prop_assert_eq!(back_for("shop", &back_for("web", &now)), object.clone());
        prop_assert_eq!(back_for("web", &back_for("shop", &now)), object);
    }

    #[test]
    fn two_rollouts_commute(http in any_rules(), web in any_step(), shop in any_step()) {
        let mut all = vec![rule("/", &[to("web", Some(300)), to("shop", Some(700))])];
        all.extend(http);
        let object = service(&json!({"http": all}));
        prop_assume!(lead_of("web", &object, &web, None).is_ok() && lead_of("shop", &object, &shop, None).is_ok());
        let both = led_for("shop", &led_for("web", &object, &web), &shop);
        prop_assert_eq!(&both, &led_for("web", &led_for("shop", &object, &shop), &web));
        for (service, step) in [("web", &web), ("shop", &shop)] {
            prop_assert_eq!(lead_of(service, &both, step, None), Ok(Position::There), "they do not fight");
        }
    }
}

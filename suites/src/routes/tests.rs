//! One scenario's routes in each family, and what each family reads back.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Behind, Door, Family, Shown};

const ARTICLE: &str = concat!(
    include_str!("../../../fixtures/article/ingress.yaml"),
    "\n---\n",
    include_str!("../../../fixtures/article/rollout.yaml"),
    "\n---\n",
    include_str!("../../../fixtures/rollouts/four-gates.yaml")
);

#[rstest]
#[case(Family::HttpRoute)]
#[case(Family::VirtualService)]
fn a_scenario_in_another_family(#[case] family: Family) {
    let documents = crate::manifest::documents(ARTICLE, &crate::manifest::AsWritten).unwrap();
    let translated = family.translate(documents, &Door::default());
    let mut shown: Vec<Value> = vec![translated[0].clone()];
    let routing = |document: &Value| document["spec"]["strategy"]["canary"]["trafficRoutings"].clone();
    shown.extend(translated[1..].iter().map(routing));
    insta::assert_snapshot!(family.id(), serde_yaml::to_string(&shown).unwrap());
}

fn http_route(rules: &Value) -> Value {
    json!({ "spec": { "rules": rules } })
}

fn virtual_service(rules: &Value) -> Value {
    json!({ "spec": { "http": rules } })
}

#[rstest]
#[case::weights(Family::HttpRoute, http_route(&json!([{"backendRefs": [{"name": "web", "weight": 95}, {"name": "web-canary", "weight": 5}]}])), 5, true)]
#[case::all(Family::HttpRoute, http_route(&json!([{"backendRefs": [{"name": "web", "weight": 0}, {"name": "web-canary", "weight": 100}]}])), 100, true)]
#[case::selected(Family::HttpRoute, http_route(&json!([{"backendRefs": [{"name": "web-canary"}]}, {"backendRefs": [{"name": "web"}]}])), 0, true)]
#[case::untouched(Family::HttpRoute, http_route(&json!([{"backendRefs": [{"name": "web", "weight": 37}]}])), 0, false)]
#[case::destinations(Family::VirtualService, virtual_service(&json!([{"route": [{"destination": {"host": "web.shop.svc.cluster.local"}, "weight": 80}, {"destination": {"host": "web-canary"}, "weight": 20}]}])), 20, true)]
#[case::one_destination(Family::VirtualService, virtual_service(&json!([{"route": [{"destination": {"host": "web"}}]}])), 0, false)]
fn a_route_shows_its_weight(#[case] family: Family, #[case] object: Value, #[case] weight: u32, #[case] leads: bool) {
    let canary = leads.then(|| Behind::service("web-canary"));
    assert_eq!(family.shown(&object, "web"), Shown { weight, canary });
}

#[rstest]
#[case::alone("stable", "canary")]
#[case::of_an_owners("v1--stable", "v1--canary")]
fn subsets_of_one_service_are_told_apart(#[case] stable: &str, #[case] canary: &str) {
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "web", "subset": subset}, "weight": weight});
    let object = virtual_service(&json!([{"route": [to(stable, 60), to(canary, 40)]}]));
    let canary = Some(Behind {
        service: "web".to_owned(),
        subset: Some(canary.to_owned()),
    });
    assert_eq!(
        Family::VirtualService.shown(&object, "web"),
        Shown { weight: 40, canary }
    );
}

//! VirtualServices: weights, selected requests, other people's parts, and the way there and back.

mod laws;
mod selection;
mod subsets;
mod weights;

use api::parts::HeaderModifier;
use api::plan::Route;
use api::quantity::Weight;
use kube::core::DynamicObject;
use rstest::rstest;
use serde_json::{Value, json};

use super::{object, owner, patched};
use crate::istio::VirtualService;
use crate::{Edit, Observed, Position, Revisions, RouteError, RouteKind, Router, Routes, Sides, Wanted};

fn to(host: &str, weight: Option<i64>) -> Value {
    let mut destination = json!({"destination": {"host": host, "port": {"number": 80}}});
    if let Some(weight) = weight {
        destination["weight"] = json!(weight);
    }
    destination
}

fn rule(path: &str, destinations: &[Value]) -> Value {
    json!({"match": [{"uri": {"prefix": path}}], "route": destinations})
}

fn service(spec: &Value) -> DynamicObject {
    let mut all = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "generation": 3},
        "spec": {"hosts": ["a.example.com"], "gateways": ["gateways/door"]},
    });
    json_patch::merge(&mut all["spec"], spec);
    object(all)
}

fn http(rules: &[Value]) -> DynamicObject {
    service(&json!({"http": rules}))
}

fn plain() -> DynamicObject {
    http(&[json!({"route": [{"destination": {"host": "web"}}]})])
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

fn router() -> VirtualService {
    VirtualService { name: "web".into() }
}

fn routes(object: &DynamicObject) -> Routes<'_> {
    let mut routes = Routes::default();
    routes.add(RouteKind::VirtualService, object);
    routes
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
    object: &DynamicObject,
    to: &Route,
    modifier: Option<&HeaderModifier>,
) -> Result<Position, RouteError> {
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
    router().lead(&routes(object), wanted)
}

fn applied(object: &DynamicObject, edits: Vec<Edit>) -> DynamicObject {
    edits.into_iter().fold(object.clone(), |object, edit| match edit {
        Edit::Patch { ops, .. } => patched(&object, &ops),
        other => panic!("a VirtualService is only ever patched: {other:?}"),
    })
}

fn led_with(service: &str, object: &DynamicObject, to: &Route, modifier: Option<&HeaderModifier>) -> DynamicObject {
    match lead_of(service, object, to, modifier).unwrap() {
        Position::There => object.clone(),
        Position::Above(edits) | Position::Below(edits) => applied(object, edits),
        Position::Leaving(name) => panic!("{name} does not leave"),
    }
}

fn led_for(service: &str, object: &DynamicObject, to: &Route) -> DynamicObject {
    led_with(service, object, to, None)
}

fn led(object: &DynamicObject, to: &Route) -> DynamicObject {
    led_for("web", object, to)
}

fn back_for(service: &str, object: &DynamicObject) -> DynamicObject {
    let canary = format!("{service}-canary");
    let owner = owner();
    let edits = router().withdraw(&routes(object), sides(service, &canary, &owner));
    applied(object, edits)
}

fn rules<'a>(object: &'a DynamicObject, section: &str) -> &'a Vec<Value> {
    object.data["spec"][section].as_array().unwrap()
}

/// Hosts and weights of each rule's destinations.
fn weights(object: &DynamicObject, section: &str) -> Vec<String> {
    let one = |one: &Value| format!("{} {}", one["destination"]["host"].as_str().unwrap(), one["weight"]);
    rules(object, section)
        .iter()
        .map(|rule| {
            let all = rule["route"].as_array().unwrap();
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        })
        .collect()
}

#[rstest]
#[case::nobody_tells(json!({}), Observed::Untold)]
#[case::current(json!({"observedGeneration": "3", "conditions": [{"type": "Reconciled", "status": "True"}]}), Observed::Current)]
#[case::behind(json!({"observedGeneration": 2, "conditions": [{"type": "Reconciled", "status": "True"}]}), Observed::Behind { why: "VirtualService web: Istio has taken in generation 2 of 3".into() })]
#[case::some_proxies(json!({"observedGeneration": 3, "conditions": [{"type": "Reconciled", "status": "False", "message": "1/2 proxies"}]}), Observed::Behind { why: "VirtualService web: not all proxies have taken it in: 1/2 proxies".into() })]
#[case::about_something_else(json!({"observedGeneration": 2, "conditions": [{"type": "PassedValidation", "status": "True"}]}), Observed::Untold)]
fn what_istio_reports(#[case] status: Value, #[case] says: Observed) {
    let mut object = plain();
    object.data["status"] = status;
    assert_eq!(router().observed(&routes(&object)), says);
}

#[rstest]
#[case::nothing_leads_there(http(&[rule("/", &[to("api", None)])]), "web-canary", "VirtualService web has no rule to Service web; add one, or correct trafficRoutings[0]")]
#[case::of_another_namespace(http(&[rule("/", &[to("web.other.svc.cluster.local", None)])]), "web-canary", "VirtualService web has no rule to Service web; add one, or correct trafficRoutings[0]")]
#[case::nobody_comes(http(&[rule("/", &[to("web", Some(0)), to("api", Some(100))])]), "web-canary", "VirtualService web cannot be split: Service web has the weight 0 in every rule that names it; give it a weight")]
fn what_cannot_be_split_is_told_before_the_first_pod(
    #[case] object: DynamicObject,
    #[case] canary: &str,
    #[case] says: &str,
) {
    let owner = owner();
    let sides = sides("web", canary, &owner);
    assert_eq!(router().usable(&routes(&object), sides).unwrap_err().to_string(), says);
    assert_eq!(
        router().withdraw(&routes(&object), sides),
        [],
        "and nothing is taken away"
    );
}

#[test]
fn one_that_is_not_there_is_told() {
    let owner = owner();
    let nothing = Routes::default();
    let sides = sides("web", "web-canary", &owner);
    assert_eq!(
        router().usable(&nothing, sides).unwrap_err().to_string(),
        "VirtualService shop/web is not found; create it, or correct trafficRoutings[0].customNetworkRefs"
    );
    assert_eq!(router().withdraw(&nothing, sides), []);
}

#[test]
fn a_list_that_names_one_twice_means_it_once() {
    let named = |version: &str, kind: &str, name: &str| json!({"apiVersion": format!("networking.istio.io/{version}"), "kind": kind, "name": name});
    let list = |objects: Value| vec![api::plan::Router::Custom(serde_json::from_value(objects).unwrap())];
    let routers = crate::routers(&list(json!([
        named("v1", "VirtualService", "web"),
        named("v1beta1", "VirtualService", "web"),
        named("v1", "VirtualService", "more"),
    ])));
    let names: Vec<String> = routers
        .unwrap()
        .iter()
        .flat_map(|router| router.objects())
        .map(|name| name.to_string())
        .collect();
    assert_eq!(names, ["VirtualService web", "VirtualService more"]);
    let refused = crate::routers(&list(json!([named("v1", "EnvoyFilter", "web")])));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "trafficRoutings[0].customNetworkRefs: EnvoyFilter is not served yet"
    );
}

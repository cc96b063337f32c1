//! The canary Ingress in the nginx dialect.

use api::plan::Route;
use api::quantity::Weight;
use kube::core::DynamicObject;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{object, owner, patched};
use crate::ingress::{CanaryIngress, Dialect, leads_to, matches, sayable, weight};

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

fn path(path: &str, service: &str) -> Value {
    json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

fn stable() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example.com", "http": {"paths": [path("/", "web")]}}]},
    })
}

fn with(patch: &Value) -> Value {
    let mut stable = stable();
    json_patch::merge(&mut stable, patch);
    stable
}

fn share(percents: i32) -> Route {
    Route::Weight(Weight::new(percents).unwrap())
}

fn selection(wanted: Value) -> Route {
    Route::Matches(serde_json::from_value(wanted).unwrap())
}

/// What a canary Ingress is made from, held together for a test.
struct Wish {
    stable: DynamicObject,
    owner: Value,
    route: Route,
}

impl Wish {
    fn new(stable: Value, route: Route) -> Self {
        Self {
            stable: object(stable),
            owner: owner(),
            route,
        }
    }

    fn canary(&self) -> CanaryIngress<'_> {
        CanaryIngress {
            stable: &self.stable,
            name: "web-canary",
            owner: &self.owner,
            stable_service: "web",
            canary_service: "web-canary",
            dialect: Dialect::Nginx,
            route: &self.route,
        }
    }

    fn made(&self) -> DynamicObject {
        object(self.canary().object().unwrap())
    }

    fn annotations(&self) -> String {
        let made = self.made();
        let lines = made.metadata.annotations.iter().flatten();
        let lines = lines.map(|(key, value)| format!("{}={value}", key.trim_start_matches(PREFIX)));
        lines.collect::<Vec<_>>().join(" ")
    }
}

#[rstest]
#[case::weight(share(5), "canary=true canary-weight=5")]
#[case::nothing(share(0), "canary=true canary-weight=0")]
#[case::everything(share(100), "canary=true canary-weight=100")]
#[case::header(selection(json!([{"headers": [{"name": "user", "value": "me"}]}])), "canary=true canary-by-header=user canary-by-header-value=me")]
#[case::exact(selection(json!([{"headers": [{"type": "Exact", "name": "user", "value": "me"}]}])), "canary=true canary-by-header=user canary-by-header-value=me")]
#[case::pattern(selection(json!([{"headers": [{"type": "RegularExpression", "name": "user", "value": "^m.*"}]}])), "canary=true canary-by-header=user canary-by-header-pattern=^m.*")]
#[case::cookie(selection(json!([{"headers": [{"name": "canary-by-cookie", "value": "beta"}]}])), "canary=true canary-by-cookie=beta")]
#[case::header_or_cookie(
    selection(json!([{"headers": [{"name": "user", "value": "me"}]}, {"headers": [{"name": "canary-by-cookie", "value": "beta"}]}])),
    "canary=true canary-by-cookie=beta canary-by-header=user canary-by-header-value=me"
)]
#[case::any_path_is_what_the_api_fills_in(
    selection(json!([{"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "user", "value": "me"}]}])),
    "canary=true canary-by-header=user canary-by-header-value=me"
)]
fn a_route_is_said_in_annotations(#[case] route: Route, #[case] said: &str) {
    assert_eq!(sayable(&route), Ok(()));
    assert_eq!(Wish::new(stable(), route).annotations(), said);
}

#[rstest]
#[case::no_header(json!([{}]), "matches[0] cannot be said to an Ingress: it has no headers, and would be all requests; add a header, or use traffic")]
#[case::two_headers_at_once(json!([{"headers": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]}]), "matches[0] cannot be said to an Ingress: only one header can be asked for at a time; keep one")]
#[case::two_headers(json!([{"headers": [{"name": "a", "value": "1"}]}, {"headers": [{"name": "a", "value": "2"}]}]), "matches[1] cannot be said to an Ingress: only one header can be asked for; keep one, or say all its values in one regular expression")]
#[case::two_cookies(json!([{"headers": [{"name": "canary-by-cookie", "value": "1"}]}, {"headers": [{"name": "canary-by-cookie", "value": "2"}]}]), "matches[1] cannot be said to an Ingress: only one cookie can be asked for; keep one")]
#[case::cookie_pattern(json!([{"headers": [{"type": "RegularExpression", "name": "canary-by-cookie", "value": "x.*"}]}]), "matches[0] cannot be said to an Ingress: a cookie is known by its name; use type Exact")]
#[case::query(json!([{"headers": [{"name": "a", "value": "1"}], "queryParams": [{"name": "q", "value": "1"}]}]), "matches[0] cannot be said to an Ingress: it cannot select by query parameters; remove queryParams")]
#[case::path(json!([{"path": {"type": "Exact", "value": "/cart"}, "headers": [{"name": "a", "value": "1"}]}]), "matches[0] cannot be said to an Ingress: its paths are the stable Ingress's; remove path")]
fn what_cannot_be_said_is_refused_by_name(#[case] matches: Value, #[case] says: &str) {
    let route = selection(matches);
    assert_eq!(sayable(&route).unwrap_err().to_string(), says);
    assert_eq!(
        Wish::new(stable(), route).canary().object().unwrap_err().to_string(),
        says
    );
}

#[rstest]
#[case::class_by_field(json!({}), Some("nginx"), None)]
#[case::class_by_annotation(
    json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}, "spec": {"ingressClassName": null}}),
    None,
    Some("nginx")
)]
fn the_class_is_said_the_way_the_user_says_it(
    #[case] patch: Value,
    #[case] field: Option<&str>,
    #[case] annotation: Option<&str>,
) {
    let made = Wish::new(with(&patch), share(5)).made();
    assert_eq!(
        made.data.pointer("/spec/ingressClassName").and_then(Value::as_str),
        field
    );
    let annotations = made.metadata.annotations.unwrap();
    assert_eq!(
        annotations.get("kubernetes.io/ingress.class").map(String::as_str),
        annotation
    );
}

#[test]
fn the_copy_has_the_users_annotations_but_for_canary_ones_and_the_record_of_apply() {
    let stable = with(&json!({"metadata": {
        "labels": {"team": "shop"},
        "annotations": {
            "nginx.ingress.kubernetes.io/rewrite-target": "/",
            "nginx.ingress.kubernetes.io/canary-weight-total": "1000",
            "example.com/note": "mine",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
    }}));
    let wish = Wish::new(stable, share(20));
    assert_eq!(
        wish.annotations(),
        "example.com/note=mine canary=true canary-weight=20 rewrite-target=/"
    );
    let made = wish.made();
    assert_eq!(json!(made.metadata.labels), json!({"team": "shop"}));
    assert_eq!(
        json!(made.metadata.owner_references),
        json!([owner()]).as_array().map(|all| json!(all)).unwrap()
    );
    assert_eq!(made.metadata.name.as_deref(), Some("web-canary"));
    assert_eq!(made.metadata.namespace.as_deref(), Some("shop"));
}

#[test]
fn only_the_paths_to_the_stable_service_are_copied_from_every_host() {
    let resource = json!({"path": "/files", "pathType": "Prefix", "backend": {"resource": {"apiGroup": "k8s.example.com", "kind": "Bucket", "name": "files"}}});
    let stable = with(&json!({"spec": {
        "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
        "tls": [{"hosts": ["a.example.com"], "secretName": "cert"}],
        "rules": [
            {"host": "a.example.com", "http": {"paths": [path("/", "web"), path("/cart", "cart"), resource, path("/new", "web")]}},
            {"host": "b.example.com", "http": {"paths": [path("/", "other")]}},
            {"http": {"paths": [path("/", "web")]}},
            {"host": "c.example.com"},
        ],
    }}));
    let made = Wish::new(stable, share(5)).made();
    let spec = &made.data["spec"];
    let lines = spec["rules"].as_array().unwrap().iter().chain([&spec["tls"]]);
    insta::assert_snapshot!(lines.map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r#"
    {"host":"a.example.com","http":{"paths":[{"backend":{"service":{"name":"web-canary","port":{"number":80}}},"path":"/","pathType":"Prefix"},{"backend":{"service":{"name":"web-canary","port":{"number":80}}},"path":"/new","pathType":"Prefix"}]}}
    {"http":{"paths":[{"backend":{"service":{"name":"web-canary","port":{"number":80}}},"path":"/","pathType":"Prefix"}]}}
    [{"hosts":["a.example.com"],"secretName":"cert"}]
    "#);
    assert_eq!(spec.get("defaultBackend"), None);
}

#[rstest]
#[case::no_rules(json!({"spec": {"rules": null, "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}}))]
#[case::another_service(json!({"spec": {"rules": [{"http": {"paths": [path("/", "other")]}}]}}))]
#[case::no_paths(json!({"spec": {"rules": [{"host": "a.example.com"}]}}))]
fn an_ingress_that_does_not_lead_to_the_service_is_named(#[case] patch: Value) {
    let says = "Ingress web has no path to Service web; add one, or correct trafficRoutings[0]";
    let wish = Wish::new(with(&patch), share(5));
    assert_eq!(wish.canary().object().unwrap_err().to_string(), says);
    assert_eq!(leads_to(&wish.stable, "web").unwrap_err().to_string(), says);
}

#[rstest]
#[case("", Some(Dialect::Nginx))]
#[case("nginx", Some(Dialect::Nginx))]
#[case("higress", Some(Dialect::Higress))]
#[case("aliyun-alb", None)]
#[case("carrier-pigeon", None)]
fn the_dialects_that_are_spoken(#[case] class: &str, #[case] dialect: Option<Dialect>) {
    assert_eq!(Dialect::of(class), dialect);
}

#[test]
fn higress_reads_the_same_words() {
    let wish = Wish::new(stable(), share(7));
    let higress = CanaryIngress {
        dialect: Dialect::Higress,
        ..wish.canary()
    };
    assert_eq!(higress.object(), wish.canary().object());
}

#[rstest]
#[case::none(json!({}), 0)]
#[case::plain(json!({"canary-weight": "30"}), 30)]
#[case::of_a_total(json!({"canary-weight": "50", "canary-weight-total": "200"}), 25)]
#[case::rounded_down(json!({"canary-weight": "1", "canary-weight-total": "300"}), 0)]
#[case::no_total(json!({"canary-weight": "30", "canary-weight-total": "0"}), 30)]
#[case::too_much(json!({"canary-weight": "400"}), 100)]
#[case::words(json!({"canary-weight": "many"}), 0)]
#[case::negative(json!({"canary-weight": "-5"}), 0)]
fn a_weight_is_read_as_the_router_reads_it(#[case] annotations: Value, #[case] percents: i32) {
    let mut ingress = stable();
    for (key, value) in annotations.as_object().unwrap() {
        ingress["metadata"]["annotations"][format!("{PREFIX}{key}")] = value.clone();
    }
    assert_eq!(weight(&object(ingress), Dialect::Nginx), percents);
}

#[test]
fn what_the_user_edits_in_the_middle_is_followed_and_what_others_note_is_left() {
    let mut existing = Wish::new(
        with(&json!({"spec": {"tls": [{"hosts": ["a.example.com"]}]}})),
        share(5),
    )
    .made();
    let notes = existing.metadata.annotations.get_or_insert_default();
    notes.insert("example.com/note".into(), "theirs".into());
    notes.insert(format!("{PREFIX}canary-weight-total"), "1000".into());
    let edited = with(&json!({
        "metadata": {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}, "labels": {"team": "shop"}},
        "spec": {"ingressClassName": null, "rules": [{"host": "new.example.com", "http": {"paths": [path("/", "web")]}}]},
    }));
    let wish = Wish::new(edited, share(20));
    let led = patched(&existing, &wish.canary().drift(&existing).unwrap());
    assert_eq!(wish.canary().drift(&led), Ok(Vec::new()));
    let mut expected = wish.made();
    let annotations = expected.metadata.annotations.get_or_insert_default();
    annotations.insert("example.com/note".into(), "theirs".into());
    assert_eq!(json!(led), json!(expected));
}

fn any_route() -> impl Strategy<Value = Route> {
    let header = ("[a-z]{1,3}", "[a-z]{1,3}", any::<bool>()).prop_map(|(name, value, pattern)| {
        let kind = if pattern { "RegularExpression" } else { "Exact" };
        json!([{"headers": [{"type": kind, "name": name, "value": value}]}])
    });
    let cookie = "[a-z]{1,3}".prop_map(|name| json!([{"headers": [{"name": "canary-by-cookie", "value": name}]}]));
    prop_oneof![
        (0..=100i32).prop_map(share),
        header.prop_map(selection),
        cookie.prop_map(selection)
    ]
}

proptest! {
    /// From any route to any other, one patch leads there, and nothing of the one before is left.
    #[test]
    fn one_patch_leads_from_any_route_to_any_other(from in any_route(), to in any_route()) {
        let existing = Wish::new(stable(), from).made();
        let wish = Wish::new(stable(), to.clone());
        let led = patched(&existing, &wish.canary().drift(&existing).unwrap());
        prop_assert_eq!(json!(led), json!(wish.made()));
        prop_assert_eq!(wish.canary().drift(&led), Ok(Vec::new()));
        match to {
            Route::Weight(asked) => {
                prop_assert_eq!(weight(&led, Dialect::Nginx), asked.percents());
                prop_assert!(!matches(&led, Dialect::Nginx));
            }
            Route::Matches(_) => prop_assert!(matches(&led, Dialect::Nginx)),
        }
    }
}

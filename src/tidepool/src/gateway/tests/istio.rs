//! Istio, row by row: which route counts, and what each destination gets.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{Asked, Config, Kind, Objects, Outcome, Target, choose, compile};
use super::{service, slice};

/// A Gateway for all hosts, a Service with a pod of each version, and one with nobody behind it.
fn cluster() -> Objects {
    let mut objects = Objects::default();
    objects.add(
        Kind::IstioGateway,
        json!({ "metadata": { "namespace": "gateways", "name": "door" }, "spec": {
            "selector": { "istio": "ingressgateway" },
            "servers": [{ "port": { "number": 80, "name": "http", "protocol": "HTTP" }, "hosts": ["*"] }],
        } }),
    );
    for (name, pods) in [
        ("echo", vec!["v1", "v2"]),
        ("stable", vec!["stable"]),
        ("canary", vec!["canary"]),
        ("empty", vec![]),
    ] {
        objects.add(Kind::Service, service(name));
        objects.add(Kind::EndpointSlice, slice(name, &pods));
    }
    for version in ["v1", "v2"] {
        objects.add(
            Kind::Pod,
            json!({ "metadata": { "namespace": "default", "name": version, "labels": { "version": version } } }),
        );
    }
    let subset = |name: &str| json!({ "name": name, "labels": { "version": name } });
    objects.add(
        Kind::DestinationRule,
        json!({ "metadata": { "namespace": "default", "name": "echo" }, "spec": {
            "host": "echo", "subsets": [subset("v1"), subset("v2"), subset("v3")],
        } }),
    );
    objects
}

fn virtual_service(http: Value) -> Value {
    let mut service = json!({ "metadata": { "namespace": "default", "name": "echo" }, "spec": {
        "gateways": ["gateways/door"], "hosts": ["echo.example.com"],
    } });
    service["spec"]["http"] = http;
    service
}

fn with(http: Value) -> Config {
    let mut objects = cluster();
    objects.add(Kind::VirtualService, virtual_service(http));
    compile(&objects)
}

fn ask(config: &Config, path: &str, headers: &[(&str, &str)]) -> Vec<(String, f64)> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let asked = Asked {
        method: "GET",
        host: "echo.example.com",
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

fn to(host: &str, weight: u32) -> Value {
    json!({ "destination": { "host": host }, "weight": weight })
}

#[rstest]
#[case::weights(json!([to("stable", 80), to("canary", 20)]), &[("stable", 0.8), ("canary", 0.2)])]
#[case::weights_of_their_sum(json!([to("stable", 1), to("canary", 1)]), &[("stable", 0.5), ("canary", 0.5)])]
#[case::one_alone_needs_no_weight(json!([{ "destination": { "host": "stable" } }]), &[("stable", 1.0)])]
#[case::one_alone_of_weight_0(json!([to("stable", 0)]), &[("stable", 1.0)])]
#[case::among_others_no_weight_is_nothing(json!([to("stable", 1), { "destination": { "host": "canary" } }]), &[("stable", 1.0)])]
#[case::nobody_behind_loses_its_weight(json!([to("stable", 95), to("empty", 5)]), &[("stable", 0.95), ("503", 0.05)])]
#[case::an_unknown_host_loses_its_weight(json!([to("stable", 3), to("nowhere", 1)]), &[("stable", 0.75), ("503", 0.25)])]
#[case::full_name(json!([to("stable.default.svc.cluster.local", 1)]), &[("stable", 1.0)])]
#[case::half_a_name_means_nothing(json!([to("stable.default", 1)]), &[("503", 1.0)])]
#[case::port(json!([{ "destination": { "host": "stable", "port": { "number": 80 } } }]), &[("stable", 1.0)])]
#[case::no_such_port(json!([{ "destination": { "host": "stable", "port": { "number": 81 } } }]), &[("503", 1.0)])]
#[case::no_subset_is_everybody(json!([to("echo", 1)]), &[("v1", 0.5), ("v2", 0.5)])]
#[case::subset(json!([{ "destination": { "host": "echo", "subset": "v2" } }]), &[("v2", 1.0)])]
#[case::subset_without_pods(json!([{ "destination": { "host": "echo", "subset": "v3" } }]), &[("503", 1.0)])]
#[case::unknown_subset(json!([{ "destination": { "host": "echo", "subset": "v4" } }]), &[("503", 1.0)])]
fn destinations_get_their_shares(#[case] route: Value, #[case] expected: &[(&str, f64)]) {
    let seen = ask(&with(json!([{ "route": route }])), "/", &[]);
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
    for ((pod, share), (wanted, of)) in seen.iter().zip(expected) {
        assert!(pod == wanted && (share - of).abs() < 1e-9, "{seen:?}");
    }
}

#[rstest]
#[case::header_exact(json!([{ "headers": { "x-user": { "exact": "a" } } }]), "/", &[("X-User", "a")], "canary")]
#[case::header_prefix(json!([{ "headers": { "x-user": { "prefix": "a" } } }]), "/", &[("x-user", "ab")], "canary")]
#[case::header_pattern_is_whole(json!([{ "headers": { "x-user": { "regex": "a" } } }]), "/", &[("x-user", "ab")], "stable")]
#[case::header_is_there(json!([{ "headers": { "x-user": {} } }]), "/", &[("x-user", "any")], "canary")]
#[case::header_is_not_there(json!([{ "headers": { "x-user": {} } }]), "/", &[], "stable")]
#[case::without_header(json!([{ "withoutHeaders": { "x-user": { "exact": "a" } } }]), "/", &[], "canary")]
#[case::all_of_one_entry(json!([{ "headers": { "a": { "exact": "1" }, "b": { "exact": "2" } } }]), "/", &[("a", "1")], "stable")]
#[case::any_of_the_entries(json!([{ "headers": { "a": { "exact": "1" } } }, { "headers": { "b": { "exact": "2" } } }]), "/", &[("b", "2")], "canary")]
#[case::prefix_is_of_text(json!([{ "uri": { "prefix": "/a" } }]), "/ab", &[], "canary")]
#[case::exact_path(json!([{ "uri": { "exact": "/a" } }]), "/a/b", &[], "stable")]
#[case::path_in_any_case(json!([{ "uri": { "exact": "/a" }, "ignoreUriCase": true }]), "/A", &[], "canary")]
#[case::query(json!([{ "queryParams": { "v": { "exact": "2" } } }]), "/?v=2", &[], "canary")]
#[case::method(json!([{ "method": { "exact": "POST" } }]), "/", &[], "stable")]
#[case::authority(json!([{ "authority": { "prefix": "echo" } }]), "/", &[], "canary")]
#[case::another_gateway(json!([{ "gateways": ["gateways/other"] }]), "/", &[], "stable")]
#[case::the_mesh_only(json!([{ "gateways": ["mesh"] }]), "/", &[], "stable")]
fn the_first_route_that_matches_counts(
    #[case] wanted: Value,
    #[case] path: &str,
    #[case] headers: &[(&str, &str)],
    #[case] expected: &str,
) {
    let config = with(json!([
        { "match": wanted, "route": [to("canary", 1)] },
        { "route": [to("stable", 1)] },
    ]));
    assert_eq!(ask(&config, path, headers), [(expected.to_owned(), 1.0)]);
}

#[rstest]
#[case::bound(json!(["gateways/door"]), json!("*"), json!({ "istio": "ingressgateway" }), true)]
#[case::only_in_the_mesh(json!([]), json!("*"), json!({ "istio": "ingressgateway" }), false)]
#[case::another_namespace_is_let_in(json!(["gateways/door"]), json!("default/*"), json!({ "istio": "ingressgateway" }), true)]
#[case::this_namespace_is_not(json!(["gateways/door"]), json!("./*"), json!({ "istio": "ingressgateway" }), false)]
#[case::another_host(json!(["gateways/door"]), json!("*.example.org"), json!({ "istio": "ingressgateway" }), false)]
#[case::wildcard_host(json!(["gateways/door"]), json!("*.example.com"), json!({ "istio": "ingressgateway" }), true)]
#[case::another_gateways_pods(json!(["gateways/door"]), json!("*"), json!({ "istio": "egressgateway" }), false)]
fn a_virtual_service_is_served_where_it_is_bound(
    #[case] gateways: Value,
    #[case] host: Value,
    #[case] selector: Value,
    #[case] served: bool,
) {
    let mut objects = Objects::default();
    for kind in [Kind::Service, Kind::EndpointSlice] {
        cluster().of(kind).for_each(|object| objects.add(kind, object.clone()));
    }
    let mut gateway = cluster().of(Kind::IstioGateway).next().expect("it is there").clone();
    gateway["spec"]["selector"] = selector;
    gateway["spec"]["servers"][0]["hosts"] = json!([host]);
    objects.add(Kind::IstioGateway, gateway);
    let mut service = virtual_service(json!([{ "route": [to("stable", 1)] }]));
    service["spec"]["gateways"] = gateways;
    objects.add(Kind::VirtualService, service);
    let seen = ask(&compile(&objects), "/", &[]);
    assert_eq!(seen[0].0, if served { "stable" } else { "404" });
}

#[test]
fn a_host_belongs_to_the_ingress_that_knows_it() {
    let mut objects = cluster();
    let to_canary = json!([{ "route": [to("canary", 1)] }]);
    objects.add(Kind::VirtualService, virtual_service(to_canary));
    assert_eq!(ask(&compile(&objects), "/", &[]), [("canary".to_owned(), 1.0)]);
    objects.add(Kind::Ingress, super::ingress("echo", "stable", &[]));
    assert_eq!(ask(&compile(&objects), "/", &[]), [("stable".to_owned(), 1.0)]);
}

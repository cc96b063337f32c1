//! The addresses and node ports of Services.

use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};

const SERVICES: &str = "/api/v1/namespaces/default/services";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

fn service(name: &str, spec: &Value) -> String {
    let mut spec = spec.clone();
    spec["selector"] = json!({ "app": name });
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": spec }).to_string()
}

fn in_the_network(address: &Value) -> bool {
    let parsed: Option<std::net::Ipv4Addr> = address.as_str().and_then(|text| text.parse().ok());
    parsed.is_some_and(|address| address.octets()[0] == 10 && (96..112).contains(&address.octets()[1]))
}

#[test]
fn each_service_gets_an_address_of_its_own_and_keeps_it() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let ports = json!({ "ports": [{ "port": 80 }] });
        let (code, one) = raw(&api, "POST", SERVICES, JSON, service("one", &ports)).await;
        assert_eq!(code, 201, "{one}");
        let (_, two) = raw(&api, "POST", SERVICES, JSON, service("two", &ports)).await;
        assert!(in_the_network(&one["spec"]["clusterIP"]), "{one}");
        assert_eq!(one["spec"]["clusterIPs"], json!([one["spec"]["clusterIP"]]));
        assert_ne!(one["spec"]["clusterIP"], two["spec"]["clusterIP"]);
        // A replacement that says nothing of it keeps the address, as `kubectl replace` relies on.
        let path = format!("{SERVICES}/one");
        let (code, replaced) = raw(
            &api,
            "PUT",
            &path,
            JSON,
            service("one", &json!({ "ports": [{ "port": 81 }] })),
        )
        .await;
        assert_eq!(code, 200, "{replaced}");
        assert_eq!(replaced["spec"]["clusterIP"], one["spec"]["clusterIP"]);
        let (code, refused) = raw(&api, "PATCH", &path, MERGE, r#"{"spec":{"clusterIP":"10.96.0.9"}}"#).await;
        assert_eq!(code, 422);
        insta::assert_snapshot!(refused["message"].as_str().unwrap_or_default(), @r#"Service "one" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change once set"#);
    });
}

#[rstest]
#[case::headless(json!({ "clusterIP": "None" }), json!("None"))]
#[case::asked_for(json!({ "clusterIP": "10.96.0.10", "ports": [{ "port": 80 }] }), json!("10.96.0.10"))]
#[case::elsewhere(json!({ "type": "ExternalName", "externalName": "example.com" }), Value::Null)]
fn an_address_that_was_chosen(#[case] spec: Value, #[case] address: Value) {
    with_cluster(|cluster| async move {
        let (code, made) = raw(&cluster.api(), "POST", SERVICES, JSON, service("web", &spec)).await;
        assert_eq!(code, 201, "{made}");
        assert_eq!(made["spec"]["clusterIP"], address);
    });
}

#[rstest]
#[case::taken("10.96.0.10", "provided IP is already allocated")]
#[case::outside(
    "192.0.2.1",
    "the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12"
)]
fn an_address_that_cannot_be_had_is_refused(#[case] asked: &str, #[case] why: &str) {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let first = json!({ "clusterIP": "10.96.0.10", "ports": [{ "port": 80 }] });
        raw(&api, "POST", SERVICES, JSON, service("first", &first)).await;
        let second = json!({ "clusterIP": asked, "ports": [{ "port": 80 }] });
        let (code, answer) = raw(&api, "POST", SERVICES, JSON, service("second", &second)).await;
        assert_eq!(code, 422, "{answer}");
        let message = answer["message"].as_str().unwrap_or_default();
        assert!(
            message.ends_with(&format!("failed to allocate IP {asked}: {why}")),
            "{message}"
        );
    });
}

#[test]
fn node_ports_are_given_kept_and_dropped() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let spec = json!({ "type": "NodePort", "ports": [{ "name": "a", "port": 80 }, { "name": "b", "port": 81 }] });
        let (_, made) = raw(&api, "POST", SERVICES, JSON, service("web", &spec)).await;
        let port = |object: &Value, index: usize| object["spec"]["ports"][index]["nodePort"].as_u64();
        let (a, b) = (port(&made, 0).expect("a port"), port(&made, 1).expect("a port"));
        assert!(
            a != b && (30_000..32_768).contains(&a) && (30_000..32_768).contains(&b),
            "{made}"
        );
        let path = format!("{SERVICES}/web");
        let (_, replaced) = raw(&api, "PUT", &path, JSON, service("web", &spec)).await;
        assert_eq!((port(&replaced, 0), port(&replaced, 1)), (Some(a), Some(b)));
        let (_, inside) = raw(&api, "PATCH", &path, MERGE, r#"{"spec":{"type":"ClusterIP"}}"#).await;
        assert_eq!((port(&inside, 0), port(&inside, 1)), (None, None));
    });
}

#[test]
fn a_port_put_in_front_of_others_gets_a_number_of_its_own() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let spec = json!({ "type": "NodePort", "ports": [{ "name": "a", "port": 80 }] });
        let (_, made) = raw(&api, "POST", SERVICES, JSON, service("web", &spec)).await;
        let path = format!("{SERVICES}/web");
        let spec = json!({ "type": "NodePort", "ports": [{ "name": "b", "port": 81 }, { "name": "a", "port": 80 }] });
        let (code, replaced) = raw(&api, "PUT", &path, JSON, service("web", &spec)).await;
        assert_eq!(code, 200, "{replaced}");
        let ports = &replaced["spec"]["ports"];
        assert_eq!(ports[1]["nodePort"], made["spec"]["ports"][0]["nodePort"]);
        assert_ne!(ports[0]["nodePort"], ports[1]["nodePort"]);
    });
}

#[test]
fn a_node_port_outside_of_the_range_is_refused() {
    with_cluster(|cluster| async move {
        let spec = json!({ "type": "NodePort", "ports": [{ "port": 80, "nodePort": 80 }] });
        let (code, answer) = raw(&cluster.api(), "POST", SERVICES, JSON, service("web", &spec)).await;
        assert_eq!(code, 422, "{answer}");
        insta::assert_snapshot!(answer["message"].as_str().unwrap_or_default(), @r#"Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"#);
    });
}

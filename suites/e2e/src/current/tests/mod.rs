//! What is refused before anything is touched, where the gateway is found; and in [`played`] what a run does to a cluster.

mod played;

use kube::config::Kubeconfig;
use rstest::rstest;
use serde_json::{Value, json};

use super::address::{GatewayUrl, is_of_nginx_dialect, of_gateway, of_ingress, of_service, serves};
use super::kubeconfig::{current, refuse_production};
use super::name::production_word;

#[rstest]
#[case("prod", Some("prod"))]
#[case("admin@PROD", Some("PROD"))]
#[case("gke_shop-production_europe-west1_main", Some("production"))]
#[case("arn:aws:eks:eu-west-1:123456789012:cluster/prd", Some("prd"))]
#[case("prod2-eu", Some("prod2"))]
#[case("shopProd", Some("Prod"))]
#[case("www-live", Some("live"))]
#[case("pre-prod", Some("prod"))]
#[case("non-prod", None)]
#[case("not_production", None)]
#[case("kind-kind", None)]
#[case("products", None)]
#[case("reproduction", None)]
#[case("oliver", None)]
#[case("delivery", None)]
#[case("", None)]
fn names_that_look_like_production(#[case] name: &str, #[case] word: Option<&str>) {
    assert_eq!(production_word(name).as_deref(), word);
}

fn kubeconfig(context: &str, cluster: &str) -> Kubeconfig {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "contexts": [{ "name": context, "context": { "cluster": cluster, "user": "me" } }],
    });
    Kubeconfig::from_yaml(&text.to_string()).expect("it is a kubeconfig")
}

#[rstest]
#[case("staging", "kind", None)]
#[case(
    "prod-eu",
    "kind",
    Some(r#"the context "prod-eu" looks like production (the word "prod")"#)
)]
#[case(
    "mine",
    "live-1",
    Some(r#"the cluster of the context "live-1" looks like production (the word "live")"#)
)]
fn a_context_that_looks_like_production_is_refused(
    #[case] context: &str,
    #[case] cluster: &str,
    #[case] says: Option<&str>,
) {
    let refused = refuse_production(&kubeconfig(context, cluster), context).map_err(|error| error.to_string());
    match says {
        None => assert_eq!(refused, Ok(())),
        Some(says) => {
            let refused = refused.expect_err("it is refused");
            assert!(refused.starts_with(says), "{refused}");
            assert!(refused.ends_with("or add --context-is-safe"), "{refused}");
        }
    }
}

#[test]
fn a_kubeconfig_without_a_current_context_is_told_from_others() {
    let nothing = current(&kubeconfig("", "kind")).expect_err("there is none");
    assert_eq!(
        nothing.to_string(),
        "the kubeconfig has no current context: choose one with kubectl config use-context"
    );
}

#[rstest]
#[case("http://192.0.2.7:30080", Some("http://192.0.2.7:30080"))]
#[case("https://shop.example.com/", Some("https://shop.example.com"))]
#[case("127.0.0.1:8080", Some("http://127.0.0.1:8080"))]
#[case("gateway", Some("http://gateway"))]
#[case("http://gateway/path", None)]
#[case("ftp://gateway", None)]
#[case("", None)]
fn where_a_gateway_answers(#[case] text: &str, #[case] is: Option<&str>) {
    let read: Result<GatewayUrl, String> = text.parse();
    assert_eq!(read.ok().map(|url| url.0).as_deref(), is);
}

fn balanced(mut object: Value, address: &Value) -> Value {
    object["status"]["loadBalancer"]["ingress"] = json!([address]);
    object
}

#[rstest]
#[case(json!({ "ip": "192.0.2.7" }), "192.0.2.7:80")]
#[case(json!({ "hostname": "lb.example.com" }), "lb.example.com:80")]
#[case(json!({ "ip": "2001:db8::7" }), "[2001:db8::7]:80")]
fn an_ingress_says_where_its_gateway_is(#[case] address: Value, #[case] is: &str) {
    let of_class = json!({ "spec": { "ingressClassName": "nginx" } });
    assert_eq!(of_ingress(&of_class), None);
    assert_eq!(of_ingress(&balanced(of_class, &address)).as_deref(), Some(is));
    let old = json!({ "metadata": { "annotations": { "kubernetes.io/ingress.class": "nginx" } } });
    assert_eq!(of_ingress(&balanced(old, &address)).as_deref(), Some(is));
    let other = json!({ "spec": { "ingressClassName": "haproxy" } });
    assert_eq!(of_ingress(&balanced(other, &address)), None);
}

#[test]
fn a_service_and_a_gateway_say_where_they_are() {
    let service = json!({
        "metadata": { "name": "traefik" },
        "spec": {
            "selector": { "istio": "ingressgateway", "app": "istio" },
            "ports": [{ "name": "https", "port": 443 }, { "name": "web", "port": 8000 }],
        },
    });
    assert_eq!(of_service(&service), None);
    let service = balanced(service, &json!({ "ip": "192.0.2.8" }));
    assert_eq!(of_service(&service).as_deref(), Some("192.0.2.8:8000"));
    assert!(is_of_nginx_dialect(&service));
    assert!(serves(
        &service,
        &json!({ "spec": { "selector": { "istio": "ingressgateway" } } })
    ));
    assert!(!serves(
        &service,
        &json!({ "spec": { "selector": { "istio": "egressgateway" } } })
    ));
    assert!(!serves(&service, &json!({ "spec": {} })));
    let gateway = json!({
        "spec": { "listeners": [{ "protocol": "HTTPS", "port": 443 }, { "protocol": "HTTP", "port": 8080 }] },
        "status": { "addresses": [{ "value": "192.0.2.9" }] },
    });
    assert_eq!(of_gateway(&gateway).as_deref(), Some("192.0.2.9:8080"));
}

//! The definitions as they are pinned, installed in a running cluster, and routes in them followed: what a client of the gateway sees, and what
//! the status says.

use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{Trace, empty, read_all};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::GATEWAY_CONTROLLER;
use crate::resource::{DEFINITIONS, ENDPOINT_SLICES, PODS, Resource, SERVICES};
use crate::{Embedded, Options};

const GATEWAY_API: &str = include_str!("../../../../../kind/gateway-api/crds.yaml");
const ISTIO: &str = include_str!("../../../../../kind/istio/crds.yaml");

const CLASSES: Resource = Resource::of(
    "gateway.networking.k8s.io",
    "v1",
    "gatewayclasses",
    "GatewayClass",
    false,
);
const GATEWAYS: Resource = Resource::of("gateway.networking.k8s.io", "v1", "gateways", "Gateway", true);
const HTTP_ROUTES: Resource = Resource::of("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", true);
const DOORS: Resource = Resource::of("networking.istio.io", "v1", "gateways", "Gateway", true);
const VIRTUAL_SERVICES: Resource = Resource::of("networking.istio.io", "v1", "virtualservices", "VirtualService", true);

/// Long enough for every dialect.
const SETTLED: Duration = Duration::from_secs(10);

async fn create(embedded: &Embedded, resource: &Resource, mut object: Value) {
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    embedded.cluster().create(resource, object).await.expect("it is valid");
}

async fn install(embedded: &Embedded, manifests: &str) {
    for document in serde_yaml::Deserializer::from_str(manifests) {
        let definition = Value::deserialize(document).expect("it is YAML");
        embedded
            .cluster()
            .create(&DEFINITIONS, definition)
            .await
            .expect("it is valid");
    }
}

/// Two Services with a running pod each.
async fn started(world: &SimEnv) -> Embedded {
    let embedded = Embedded::start(&world.env, &world.network, Options::default()).await;
    for name in ["stable", "canary"] {
        let pod = json!({
            "metadata": { "namespace": "default", "name": name, "labels": { "app": name } },
            "spec": { "containers": [{ "name": "echo", "image": "echo:v1", "ports": [{ "containerPort": 8080 }] }] },
        });
        create(&embedded, &PODS, pod).await;
        let ports = json!([{ "port": 80, "targetPort": 8080 }]);
        let service = json!({ "metadata": { "namespace": "default", "name": name }, "spec": { "selector": { "app": name }, "ports": ports } });
        create(&embedded, &SERVICES, service).await;
    }
    world.env.sleep(SETTLED).await;
    assert!(!embedded.cluster().list(&ENDPOINT_SLICES, None).is_empty());
    embedded
}

fn share(embedded: &Embedded, pod: &str) -> f64 {
    let pods = embedded.route("echo.example.com", "/", &[]);
    pods.iter()
        .filter(|(name, _)| name.name == pod)
        .map(|(_, share)| share)
        .sum()
}

async fn set(embedded: &Embedded, resource: &Resource, name: &str, pointer: &str, value: Value) {
    let cluster = embedded.cluster();
    let mut object = cluster
        .get(resource, "default", name)
        .expect("it is there")
        .value
        .clone();
    *object.pointer_mut(pointer).expect("it has that") = value;
    cluster.update(resource, object).await.expect("it is valid");
}

fn http_route() -> Value {
    let add = json!([{ "name": "x-version", "value": "new" }]);
    json!({
        "metadata": { "namespace": "default", "name": "echo" },
        "spec": {
            "parentRefs": [{ "namespace": "gateways", "name": "door" }],
            "hostnames": ["echo.example.com"],
            "rules": [{
                "backendRefs": [{ "name": "stable", "port": 80, "weight": 80 }, { "name": "canary", "port": 80, "weight": 20 }],
                "filters": [{ "type": "RequestHeaderModifier", "requestHeaderModifier": { "add": add } }],
            }],
        },
    })
}

async fn doors(embedded: &Embedded) {
    let namespace = Resource::of("", "v1", "namespaces", "Namespace", false);
    create(embedded, &namespace, json!({ "metadata": { "name": "gateways" } })).await;
}

#[test]
fn routes_are_followed_and_their_status_tells_the_generation_in_force() {
    run(3, Trace::off(), |world| async move {
        let embedded = started(&world).await;
        install(&embedded, GATEWAY_API).await;
        doors(&embedded).await;
        let class = json!({ "metadata": { "name": "tidepool" }, "spec": { "controllerName": GATEWAY_CONTROLLER } });
        create(&embedded, &CLASSES, class).await;
        let listener = json!({ "name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": { "namespaces": { "from": "All" } } });
        let gateway = json!({
            "metadata": { "namespace": "gateways", "name": "door" },
            "spec": { "gatewayClassName": "tidepool", "listeners": [listener] },
        });
        create(&embedded, &GATEWAYS, gateway).await;
        create(&embedded, &HTTP_ROUTES, http_route()).await;
        world.env.sleep(SETTLED).await;
        assert!((share(&embedded, "canary") - 0.2).abs() < 1e-9);

        // The echo server answers with what it was asked.
        let request = Request::get("/").header("host", "echo.example.com").body(empty());
        let response = embedded
            .gateway()
            .send(request.expect("it is one"))
            .await
            .expect("it answers");
        assert_eq!(response.status(), StatusCode::OK);
        let body = read_all(response.into_body(), 1 << 16).await.expect("it is whole");
        let answer: Value = serde_json::from_slice(&body).expect("it is JSON");
        assert_eq!(answer["headers"]["x-version"], "new");

        let cluster = embedded.cluster();
        let status = |resource: &Resource, namespace: &str, name: &str| {
            cluster.get(resource, namespace, name).expect("it is there").value["status"].clone()
        };
        assert_eq!(status(&CLASSES, "", "tidepool")["conditions"][0]["status"], "True");
        let door = status(&GATEWAYS, "gateways", "door");
        assert_eq!(door["conditions"][1]["type"], "Programmed");
        assert_eq!(door["conditions"][1]["status"], "True");
        assert_eq!(door["listeners"][0]["attachedRoutes"], 1);
        let parent = &status(&HTTP_ROUTES, "default", "echo")["parents"][0];
        assert_eq!(parent["conditions"][0]["observedGeneration"], 1);

        // Nothing is written when nothing changes.
        let quiet = *embedded.changes().borrow();
        world.env.sleep(SETTLED).await;
        assert_eq!(*embedded.changes().borrow(), quiet);

        set(
            &embedded,
            &HTTP_ROUTES,
            "echo",
            "/spec/rules/0/backendRefs/1/weight",
            json!(0),
        )
        .await;
        let written = world.env.clock().elapsed();
        while share(&embedded, "canary") > 0.0 {
            let parent = &status(&HTTP_ROUTES, "default", "echo")["parents"][0];
            assert_eq!(
                parent["conditions"][0]["observedGeneration"], 1,
                "told before it is in force"
            );
            world.env.sleep(Duration::from_millis(5)).await;
        }
        let took = world.env.clock().elapsed().since(written);
        assert!(took <= Duration::from_millis(180), "{took:?}");
        world.env.sleep(Duration::from_millis(50)).await;
        let parent = &status(&HTTP_ROUTES, "default", "echo")["parents"][0];
        assert_eq!(parent["conditions"][0]["observedGeneration"], 2);

        // Without a pod, its part is lost.
        set(
            &embedded,
            &HTTP_ROUTES,
            "echo",
            "/spec/rules/0/backendRefs/1/weight",
            json!(100),
        )
        .await;
        set(&embedded, &SERVICES, "canary", "/spec/selector/app", json!("nobody")).await;
        world.env.sleep(SETTLED).await;
        let known: f64 = embedded
            .route("echo.example.com", "/", &[])
            .iter()
            .map(|(_, share)| share)
            .sum();
        assert!((known - 80.0 / 180.0).abs() < 1e-9, "{known}");
        embedded.stop().await;
    });
}

#[test]
fn virtual_services_are_followed_within_a_second() {
    run(4, Trace::off(), |world| async move {
        let embedded = started(&world).await;
        install(&embedded, ISTIO).await;
        doors(&embedded).await;
        let door = json!({
            "metadata": { "namespace": "gateways", "name": "door" },
            "spec": {
                "selector": { "istio": "ingressgateway" },
                "servers": [{ "port": { "number": 80, "name": "http", "protocol": "HTTP" }, "hosts": ["*"] }],
            },
        });
        create(&embedded, &DOORS, door).await;
        let to = |host: &str, weight: u32| json!({ "destination": { "host": host }, "weight": weight });
        let service = json!({
            "metadata": { "namespace": "default", "name": "echo" },
            "spec": {
                "gateways": ["gateways/door"], "hosts": ["echo.example.com"],
                "http": [{ "route": [to("stable", 95), to("canary", 5)] }],
            },
        });
        create(&embedded, &VIRTUAL_SERVICES, service).await;
        world.env.sleep(SETTLED).await;
        assert!((share(&embedded, "canary") - 0.05).abs() < 1e-9);
        for weight in [10, 50, 100] {
            let route = json!([to("stable", 100 - weight), to("canary", weight)]);
            set(&embedded, &VIRTUAL_SERVICES, "echo", "/spec/http/0/route", route).await;
            world.env.sleep(Duration::from_secs(1)).await;
            assert!((share(&embedded, "canary") - f64::from(weight) / 100.0).abs() < 1e-9);
        }
        embedded.stop().await;
    });
}

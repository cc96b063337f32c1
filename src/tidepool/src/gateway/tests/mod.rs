//! What the gateway is believed for: its rules as measured, its probabilities as arithmetic, its pace as a client sees it.

mod gateway_api;
mod istio;
mod live;
mod pace;
mod rules;
mod shares;

use serde_json::{Value, json};

use super::{Config, Kind, Objects};

/// What Ingresses alone make.
fn compile(ingresses: &[Value], classes: &[Value], services: &[Value], slices: &[Value]) -> Config {
    let mut objects = Objects::default();
    for (kind, values) in [
        (Kind::Ingress, ingresses),
        (Kind::IngressClass, classes),
        (Kind::Service, services),
        (Kind::EndpointSlice, slices),
    ] {
        for value in values {
            objects.add(kind, value.clone());
        }
    }
    super::compile(&objects)
}

fn ingress(name: &str, service: &str, annotations: &[(&str, &str)]) -> Value {
    let mut all: serde_json::Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| (format!("nginx.ingress.kubernetes.io/{key}"), json!(value)))
        .collect();
    all.insert("kubernetes.io/ingress.class".to_owned(), json!("nginx"));
    let backend = json!({ "service": { "name": service, "port": { "number": 80 } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    json!({
        "metadata": { "namespace": "default", "name": name, "annotations": all },
        "spec": { "rules": [{ "host": "echo.example.com", "http": { "paths": [path] } }] },
    })
}

fn service(name: &str) -> Value {
    json!({ "metadata": { "namespace": "default", "name": name }, "spec": { "ports": [{ "port": 80 }] } })
}

/// The endpoints of a Service: a pod's address is its name.
fn slice(service: &str, pods: &[&str]) -> Value {
    let endpoint =
        |pod: &&str| json!({ "addresses": [pod], "conditions": { "ready": true }, "targetRef": { "name": pod } });
    json!({
        "metadata": { "namespace": "default", "name": service, "labels": { "kubernetes.io/service-name": service } },
        "ports": [{ "port": 8080 }],
        "endpoints": pods.iter().map(endpoint).collect::<Vec<_>>(),
    })
}

/// A main Ingress and a canary with these annotations.
fn config(canary: &[(&str, &str)], stable_pods: &[&str], canary_pods: &[&str]) -> Config {
    let mut annotations = vec![("canary", "true")];
    annotations.extend(canary);
    compile(
        &[
            ingress("echo", "echo", &[]),
            ingress("echo-canary", "echo-canary", &annotations),
        ],
        &[],
        &[service("echo"), service("echo-canary")],
        &[slice("echo", stable_pods), slice("echo-canary", canary_pods)],
    )
}

//! EndpointSlice: one slice for each Service with a selector, after the lag that a real controller has.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::driver::{Controller, Key};
use super::pod;
use crate::cluster::{Cluster, Delivered};
use crate::object;
use crate::resource::{ENDPOINT_SLICES, PODS, Resource, SERVICES};
use crate::status::Status;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice-controller.k8s.io";

pub(super) struct EndpointSlices;

impl Controller for EndpointSlices {
    fn watched(&self) -> Vec<Resource> {
        vec![SERVICES, PODS, ENDPOINT_SLICES]
    }

    fn lag(&self) -> (Duration, Duration) {
        (Duration::from_millis(5), Duration::from_millis(120))
    }

    fn keys(&self, cluster: &dyn Cluster, delivered: &Delivered) -> Vec<Key> {
        let object = &delivered.object.value;
        let namespace = object::namespace(object);
        let key = |name: &str| (namespace.to_owned(), name.to_owned());
        match delivered.resource {
            0 => vec![key(object::name(object))],
            1 => cluster
                .list(&SERVICES, Some(namespace))
                .iter()
                .filter(|service| {
                    let before = delivered.before.as_ref();
                    selects(&service.value, object) || before.is_some_and(|pod| selects(&service.value, &pod.value))
                })
                .map(|service| key(object::name(&service.value)))
                .collect(),
            _ => object::label(object, SERVICE_NAME).map(key).into_iter().collect(),
        }
    }

    fn reconcile<'a>(
        &'a self,
        cluster: &'a dyn Cluster,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Duration>, Status>> {
        Box::pin(reconcile(cluster, key))
    }
}

fn selects(service: &Value, pod: &Value) -> bool {
    let selector = object::at(service, &["spec", "selector"]).as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty()
            && selector
                .iter()
                .all(|(key, value)| object::label(pod, key) == value.as_str())
    })
}

async fn reconcile(cluster: &dyn Cluster, (namespace, name): &Key) -> Result<Option<Duration>, Status> {
    // A Service that is gone takes its slices with it: they are owned.
    let Some(service) = cluster.get(&SERVICES, namespace, name) else {
        return Ok(None);
    };
    if object::is_deleting(&service.value) || !object::at(&service.value, &["spec", "selector"]).is_object() {
        return Ok(None);
    }
    let mut pods = cluster.list(&PODS, Some(namespace));
    pods.retain(|pod| {
        let addressed = !object::text(&pod.value, &["status", "podIP"]).is_empty();
        selects(&service.value, &pod.value) && addressed && !pod::is_finished(&pod.value)
    });
    let publish_all = service.value["spec"]["publishNotReadyAddresses"] == true;
    let endpoints: Vec<Value> = pods.iter().map(|pod| endpoint(&pod.value, publish_all)).collect();
    let first = pods.first().map(|pod| &pod.value);
    let ports: Vec<Value> = object::items(&service.value, &["spec", "ports"])
        .iter()
        .filter_map(|port| slice_port(port, first))
        .collect();
    let existing = cluster
        .list(&ENDPOINT_SLICES, Some(namespace))
        .into_iter()
        .find(|slice| object::label(&slice.value, SERVICE_NAME) == Some(name.as_str()));
    match existing {
        Some(slice) => {
            if slice.value["endpoints"] != json!(endpoints) || slice.value["ports"] != json!(ports) {
                let mut wanted = slice.value.clone();
                wanted["endpoints"] = json!(endpoints);
                wanted["ports"] = json!(ports);
                cluster.update(&ENDPOINT_SLICES, wanted).await?;
            }
        }
        None => {
            let slice = json!({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {
                    "generateName": format!("{name}-"), "namespace": namespace,
                    "labels": { SERVICE_NAME: name, "endpointslice.kubernetes.io/managed-by": MANAGED_BY },
                    "ownerReferences": [{
                        "apiVersion": "v1", "kind": "Service", "name": name, "uid": service.uid,
                        "controller": true, "blockOwnerDeletion": true,
                    }],
                },
                "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
            });
            cluster.create(&ENDPOINT_SLICES, slice).await?;
        }
    }
    Ok(None)
}

fn endpoint(pod: &Value, publish_all: bool) -> Value {
    let serving = pod::is_ready(pod) || publish_all;
    let terminating = object::is_deleting(pod);
    json!({
        "addresses": [pod["status"]["podIP"]],
        "conditions": { "ready": serving && !terminating, "serving": serving, "terminating": terminating },
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod", "namespace": object::namespace(pod), "name": object::name(pod), "uid": object::uid(pod),
        },
    })
}

/// The port of a slice: the Service's target, a named one looked up in the pod.
fn slice_port(port: &Value, pod: Option<&Value>) -> Option<Value> {
    let number = match &port["targetPort"] {
        Value::String(name) => object::items(pod?, &["spec", "containers"])
            .iter()
            .flat_map(|container| object::items(container, &["ports"]))
            .find(|port| port["name"] == name.as_str())
            .and_then(|port| object::number(port, &["containerPort"]))?,
        Value::Number(number) => number.as_i64()?,
        _ => object::number(port, &["port"])?,
    };
    Some(json!({
        "name": object::text(port, &["name"]),
        "port": number,
        "protocol": port["protocol"].as_str().unwrap_or("TCP"),
    }))
}

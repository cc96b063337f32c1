//! Services, their endpoints, Ingresses and their classes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::{self, NONE, first_three, joined};
use super::{AGE, Column, NAME};
use crate::object;

pub(super) const SERVICES: &[Column] = &[
    NAME,
    Column::text("Type", "spec.type", ""),
    Column::made("Cluster-IP", |service, _| {
        let first = object::items(service, &["spec", "clusterIPs"]).first();
        json!(first.and_then(Value::as_str).unwrap_or(NONE))
    }),
    Column::made("External-IP", |service, _| json!(external(service))),
    Column::made("Port(s)", |service, _| json!(ports(service))),
    AGE,
    Column::made("Selector", |service, _| {
        json!(cells::labels(&service["spec"]["selector"]))
    })
    .wide(),
];

pub(super) const ENDPOINTS: &[Column] = &[NAME, Column::made("Endpoints", endpoints), AGE];

pub(super) const ENDPOINT_SLICES: &[Column] = &[
    NAME,
    Column::text("AddressType", "addressType", ""),
    Column::made("Ports", slice_ports),
    Column::made("Endpoints", slice_endpoints),
    AGE,
];

pub(super) const INGRESSES: &[Column] = &[
    NAME,
    Column::text("Class", "spec.ingressClassName", NONE),
    Column::made("Hosts", |ingress, _| json!(hosts(ingress))),
    Column::made("Address", |ingress, _| json!(balancers(ingress).join(","))),
    Column::made("Ports", |ingress, _| {
        let tls = !object::items(ingress, &["spec", "tls"]).is_empty();
        json!(if tls { "80, 443" } else { "80" })
    }),
    AGE,
];

pub(super) const INGRESS_CLASSES: &[Column] = &[
    NAME,
    Column::text("Controller", "spec.controller", ""),
    Column::made("Parameters", parameters),
    AGE,
];

pub(super) const NETWORK_POLICIES: &[Column] = &[
    NAME,
    Column::made("Pod-Selector", |policy, _| {
        json!(cells::selector(&policy["spec"]["podSelector"]))
    }),
    AGE,
];

/// Addresses and names that a load balancer reports.
fn balancers(object: &Value) -> Vec<String> {
    let reported = object::items(object, &["status", "loadBalancer", "ingress"]);
    let found: BTreeSet<&str> = reported
        .iter()
        .map(|entry| match object::text(entry, &["ip"]) {
            "" => object::text(entry, &["hostname"]),
            ip => ip,
        })
        .filter(|text| !text.is_empty())
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

fn external(service: &Value) -> String {
    let own: Vec<String> = object::items(service, &["spec", "externalIPs"])
        .iter()
        .filter_map(|ip| ip.as_str().map(str::to_owned))
        .collect();
    match object::text(service, &["spec", "type"]) {
        "ClusterIP" | "NodePort" => joined(&own),
        "LoadBalancer" => {
            let mut all = balancers(service);
            all.extend(own);
            if all.is_empty() {
                "<pending>".to_owned()
            } else {
                all.join(",")
            }
        }
        "ExternalName" => object::text(service, &["spec", "externalName"]).to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

fn ports(service: &Value) -> String {
    let texts: Vec<String> = object::items(service, &["spec", "ports"])
        .iter()
        .map(|port| {
            let number = object::number(port, &["port"]).unwrap_or(0);
            let protocol = object::text(port, &["protocol"]);
            match object::number(port, &["nodePort"]).unwrap_or(0) {
                0 => format!("{number}/{protocol}"),
                node => format!("{number}:{node}/{protocol}"),
            }
        })
        .collect();
    joined(&texts)
}

fn endpoints(endpoints: &Value, _: Timestamp) -> Value {
    let mut texts = Vec::new();
    for subset in object::items(endpoints, &["subsets"]) {
        let ports = object::items(subset, &["ports"]);
        let ips = object::items(subset, &["addresses"]).iter();
        let ips: Vec<&str> = ips.map(|address| object::text(address, &["ip"])).collect();
        if ports.is_empty() {
            texts.extend(ips.iter().map(|ip| (*ip).to_owned()));
        }
        for port in ports {
            let number = object::number(port, &["port"]).unwrap_or(0);
            texts.extend(ips.iter().map(|ip| format!("{ip}:{number}")));
        }
    }
    json!(first_three(&texts, NONE))
}

fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let texts: Vec<String> = object::items(slice, &["ports"])
        .iter()
        .map(|port| match (object::number(port, &["port"]), port["name"].as_str()) {
            (Some(number), _) => number.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => "*".to_owned(),
        })
        .collect();
    json!(first_three(&texts, "<unset>"))
}

fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let texts: Vec<String> = object::items(slice, &["endpoints"])
        .iter()
        .flat_map(|endpoint| object::items(endpoint, &["addresses"]))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    json!(first_three(&texts, "<unset>"))
}

fn hosts(ingress: &Value) -> String {
    let rules = object::items(ingress, &["spec", "rules"]);
    let hosts = cells::each(rules, "host");
    let named: Vec<String> = hosts.into_iter().filter(|host| !host.is_empty()).collect();
    first_three(&named, "*")
}

fn parameters(class: &Value, _: Timestamp) -> Value {
    let parameters = &class["spec"]["parameters"];
    if !parameters.is_object() {
        return json!(NONE);
    }
    let kind = object::text(parameters, &["kind"]);
    let name = object::text(parameters, &["name"]);
    json!(match parameters["apiGroup"].as_str() {
        Some(group) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    })
}

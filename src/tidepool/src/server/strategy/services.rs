//! Services: the addresses and node ports that a cluster gives them, and what of those may change.
//!
//! Follows kube-apiserver's service registry for one family of addresses. Where an allocation begins is drawn from the Service's uid, so that it
//! depends on no other draw, and two that are created at once do not meet.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{PLAIN, Preparing, Strategy};
use crate::object;
use crate::server::names::NameRule;
use crate::server::refusal::Cause;
use crate::store::Stored;

/// The first address of the Services' network, `10.96.0.0/12`, and how many it has.
const FIRST_ADDRESS: u32 = 0x0A60_0000;
const ADDRESSES: u32 = 1 << 20;
const FIRST_NODE_PORT: u32 = 30_000;
const NODE_PORTS: u32 = 2_768;

pub(super) const STRATEGY: Strategy = Strategy {
    names: NameRule::Service,
    fields: &["spec.clusterIP", "spec.type"],
    allocate: Some(allocate),
    ..PLAIN
};

/// Gives a Service its address and node ports, keeps those that it has, and says which asked-for ones it cannot have.
fn allocate(preparing: &Preparing<'_>, others: &[Arc<Stored>], service: &mut Value) -> Vec<Cause> {
    if !preparing.subresource.is_empty() {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if object::text(service, &["spec", "type"]) == "ExternalName" {
        let spec = object::entry(service, &["spec"]);
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    } else {
        causes.extend(address(preparing.old, others, service));
    }
    causes.extend(node_ports(preparing.old, others, service));
    causes
}

fn address(old: Option<&Value>, others: &[Arc<Stored>], service: &mut Value) -> Option<Cause> {
    let had = old.map_or("", |old| object::text(old, &["spec", "clusterIP"]));
    let listed = object::items(service, &["spec", "clusterIPs"]).first();
    let asked = match object::text(service, &["spec", "clusterIP"]) {
        "" if had.is_empty() => listed.and_then(Value::as_str).unwrap_or_default(),
        "" => had,
        asked => asked,
    };
    if !had.is_empty() && asked != had {
        return Some(Cause::invalid(
            "spec.clusterIPs[0]",
            &json!([asked]),
            "may not change once set",
        ));
    }
    let taken: BTreeSet<&str> = others
        .iter()
        .map(|other| object::text(&other.value, &["spec", "clusterIP"]))
        .collect();
    let given = match asked {
        "" => {
            let free = |number: &u32| !taken.contains(Ipv4Addr::from(FIRST_ADDRESS + number).to_string().as_str());
            // The first and the last address of a network are nobody's.
            let number =
                from_somewhere(object::uid(service), ADDRESSES).find(|n| (1..ADDRESSES - 1).contains(n) && free(n));
            match number {
                Some(number) => Ipv4Addr::from(FIRST_ADDRESS + number).to_string(),
                None => {
                    return Some(Cause::invalid(
                        "spec.clusterIPs",
                        &json!([]),
                        "failed to allocate an IP: range is full",
                    ));
                }
            }
        }
        "None" => "None".to_owned(),
        asked if asked == had => asked.to_owned(),
        asked => match refused(asked, &taken) {
            Some(why) => {
                let why = format!("failed to allocate IP {asked}: {why}");
                return Some(Cause::invalid("spec.clusterIPs", &json!([asked]), &why));
            }
            None => asked.to_owned(),
        },
    };
    let spec = object::entry(service, &["spec"]);
    spec.insert("clusterIPs".to_owned(), json!([given]));
    spec.insert("clusterIP".to_owned(), json!(given));
    None
}

/// Why an address cannot be had.
fn refused(asked: &str, taken: &BTreeSet<&str>) -> Option<&'static str> {
    let inside = asked
        .parse::<Ipv4Addr>()
        .is_ok_and(|address| (FIRST_ADDRESS + 1..FIRST_ADDRESS + ADDRESSES - 1).contains(&u32::from(address)));
    if !inside {
        Some("the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12")
    } else if taken.contains(asked) {
        Some("provided IP is already allocated")
    } else {
        None
    }
}

fn node_ports(old: Option<&Value>, others: &[Arc<Stored>], service: &mut Value) -> Vec<Cause> {
    let wants = match object::text(service, &["spec", "type"]) {
        "NodePort" => true,
        "LoadBalancer" => service["spec"]["allocateLoadBalancerNodePorts"] != false,
        _ => false,
    };
    let before = old.map_or(&[][..], |old| object::items(old, &["spec", "ports"]));
    // A Service with several ports must name them, so that a name tells which port is the same.
    let had = |port: &Value| {
        let known = before.iter().find(|other| other["name"] == port["name"]);
        known.and_then(node_port)
    };
    let uid = object::uid(service).to_owned();
    let Some(ports) = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut) else {
        return Vec::new();
    };
    if !wants {
        for port in ports {
            // A type without node ports drops those that it was given when it had another type.
            if had(port).is_some()
                && had(port) == node_port(port)
                && let Some(port) = port.as_object_mut()
            {
                port.remove("nodePort");
            }
        }
        return Vec::new();
    }
    let foreign: BTreeSet<u64> = others
        .iter()
        .flat_map(|other| {
            object::items(&other.value, &["spec", "ports"])
                .iter()
                .filter_map(node_port)
        })
        .collect();
    let mut causes = Vec::new();
    let mut taken = foreign.clone();
    // What is asked for or kept is nobody else's, wherever in the list it stands.
    taken.extend(ports.iter().filter_map(|port| node_port(port).or_else(|| had(port))));
    let mut numbers = from_somewhere(&uid, NODE_PORTS).map(|number| u64::from(FIRST_NODE_PORT + number));
    for (index, port) in ports.iter_mut().enumerate() {
        let mut refuse = |number: u64, why: &str| {
            let field = format!("spec.ports[{index}].nodePort");
            causes.push(Cause::invalid(field, &json!(number), why));
        };
        let asked = node_port(port);
        match asked
            .or_else(|| had(port))
            .or_else(|| numbers.find(|number| !taken.contains(number)))
        {
            None => refuse(0, "failed to allocate a nodePort: range is full"),
            Some(number) if asked.is_some() && foreign.contains(&number) => {
                refuse(number, "provided port is already allocated");
            }
            Some(number) if asked.is_some() && !is_node_port(number) => refuse(
                number,
                "provided port is not in the valid range. The range of valid ports is 30000-32767",
            ),
            Some(number) => {
                taken.insert(number);
                port["nodePort"] = json!(number);
            }
        }
    }
    causes
}

/// The node port of a port, when it has one.
fn node_port(port: &Value) -> Option<u64> {
    port["nodePort"].as_u64().filter(|number| *number > 0)
}

fn is_node_port(number: u64) -> bool {
    (u64::from(FIRST_NODE_PORT)..u64::from(FIRST_NODE_PORT + NODE_PORTS)).contains(&number)
}

/// Every number below `count` once, from one that `seed` says.
fn from_somewhere(seed: &str, count: u32) -> impl Iterator<Item = u32> + use<> {
    let digest = Sha256::digest(seed);
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % count;
    (first..count).chain(0..first)
}

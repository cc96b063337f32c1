//! What stands in a cluster before scenarios come: the class of Ingresses, and tidegate's own objects. And what the cluster's parts tell, in the
//! suite's words. Pure; used by the embedded and the local bed.

use controller::install::{self, Endpoint};
use serde_json::{Value, json};
use suites::{Share, Write};
use tidepool::{PodName, transport};

/// Where the controller lives in a cluster.
pub(crate) const HOME: &str = "tidegate";

/// The objects, in the order in which they are created; the webhooks are at `endpoint`, and trusted by `authority`.
pub(crate) fn objects(endpoint: &Endpoint, authority: &[u8]) -> Vec<Value> {
    let mut objects = vec![
        ingress_class(),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": HOME } }),
    ];
    objects.extend(install::objects(endpoint, authority));
    objects
}

/// The class that the scenarios' Ingresses are of.
pub(crate) fn ingress_class() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
        "metadata": { "name": "nginx" }, "spec": { "controller": "k8s.io/ingress-nginx" },
    })
}

/// A write as the suite counts it; Events and leases do not count.
pub(crate) fn counted(write: transport::Write) -> Option<Write> {
    if matches!(write.resource.as_str(), "events" | "leases") {
        return None;
    }
    Some(Write {
        verb: write.verb.to_owned(),
        resource: match write.subresource.as_str() {
            "" => write.resource,
            subresource => format!("{}/{subresource}", write.resource),
        },
        name: write.name,
    })
}

/// The exact split as the suite reads it.
pub(crate) fn shares(found: Vec<(PodName, f64)>) -> Vec<Share> {
    let share = |(pod, probability): (PodName, f64)| Share {
        pod: pod.name,
        probability,
    };
    found.into_iter().map(share).collect()
}

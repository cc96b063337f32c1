//! What a family of routes needs in a cluster before scenarios come: its definitions, and the Gateway that routes are bound to. Pure; parsed once per
//! process. Used by the embedded and the local bed.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};
use suites::routes::{Door, Family};

static GATEWAY_API: LazyLock<Vec<Value>> =
    LazyLock::new(|| documents(include_str!("../../../kind/gateway-api/crds.yaml")));
static ISTIO: LazyLock<Vec<Value>> = LazyLock::new(|| documents(include_str!("../../../kind/istio/crds.yaml")));

/// The kinds of Istio that scenarios and gateways here touch; the others are left out, since each costs a cluster some time.
const TOUCHED: [&str; 3] = ["VirtualService", "DestinationRule", "Gateway"];

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
    documents
        .filter_map(Result::ok)
        .filter(|document| !document.is_null())
        .collect()
}

/// The definitions that a family's objects need.
pub(crate) fn definitions(family: Family) -> Vec<Value> {
    match family {
        Family::Ingress => Vec::new(),
        Family::HttpRoute => GATEWAY_API.clone(),
        Family::VirtualService => {
            let touched = |definition: &&Value| {
                let kind = definition.pointer("/spec/names/kind").and_then(Value::as_str);
                let group = definition.pointer("/spec/group").and_then(Value::as_str);
                group == Some("networking.istio.io") && kind.is_some_and(|kind| TOUCHED.contains(&kind))
            };
            ISTIO.iter().filter(touched).cloned().collect()
        }
    }
}

/// The Gateway that a family's routes are bound to, in its namespace; `controller` is the name that the implementation's GatewayClass carries.
pub(crate) fn door(family: Family, controller: &str) -> Vec<Value> {
    let Door { namespace, name } = Door::default();
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    match family {
        Family::Ingress => Vec::new(),
        Family::HttpRoute => vec![
            home,
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
                "metadata": {"name": name}, "spec": {"controllerName": controller},
            }),
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "metadata": {"namespace": namespace, "name": name},
                "spec": {"gatewayClassName": name, "listeners": [{
                    "name": "web", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "All"}},
                }]},
            }),
        ],
        Family::VirtualService => vec![
            home,
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
                "metadata": {"namespace": namespace, "name": name},
                "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{
                    "hosts": ["*"], "port": {"name": "web", "number": 80, "protocol": "HTTP"},
                }]},
            }),
        ],
    }
}

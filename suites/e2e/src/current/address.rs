//! Where a gateway answers: the URL that a person gave, or what the cluster's objects say of it. Pure; used by [`super`].

use std::str::FromStr;

use http::Uri;
use serde_json::Value;

/// What `--gateway-url` says: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayUrl(pub(super) String);

impl FromStr for GatewayUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is not where a gateway answers, as in http://192.0.2.7:30080");
        let full = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let uri: Uri = full.parse().map_err(|_| expected())?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("http" | "https")), Some(authority)) if bare && !authority.host().is_empty() => {
                Ok(Self(format!("{scheme}://{authority}")))
            }
            _ => Err(expected()),
        }
    }
}

/// What an Ingress of the class nginx says in its status.
pub(super) fn of_ingress(ingress: &Value) -> Option<String> {
    let class = ingress.pointer("/spec/ingressClassName");
    let old = ingress.pointer("/metadata/annotations/kubernetes.io~1ingress.class");
    let is_of_nginx = class.or(old).and_then(Value::as_str) == Some("nginx");
    is_of_nginx.then(|| balanced(ingress, 80)).flatten()
}

/// What a Service says that a load balancer stands before: its address, and its port for plain HTTP.
pub(super) fn of_service(service: &Value) -> Option<String> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array)?;
    let number = |port: &Value| port["port"].as_u64();
    let plain = |port: &&Value| matches!(port["name"].as_str(), Some("http" | "http2" | "web"));
    let eighty = ports.iter().find(|port| number(port) == Some(80));
    let port = eighty.or_else(|| ports.iter().find(plain)).and_then(number)?;
    balanced(service, port)
}

/// What a Gateway of Gateway API says in its status, with the port of its listener for plain HTTP.
pub(super) fn of_gateway(gateway: &Value) -> Option<String> {
    let listeners = gateway.pointer("/spec/listeners").and_then(Value::as_array)?;
    let plain = listeners.iter().find(|listener| listener["protocol"] == "HTTP")?;
    let host = gateway.pointer("/status/addresses/0/value").and_then(Value::as_str)?;
    Some(authority(host, plain["port"].as_u64()?))
}

/// Whether a Service has the words of an ingress controller of the nginx dialect.
pub(super) fn is_of_nginx_dialect(service: &Value) -> bool {
    let label = service.pointer("/metadata/labels/app.kubernetes.io~1name");
    let words = [label, service.pointer("/metadata/name")];
    let mut words = words.into_iter().flatten().filter_map(Value::as_str);
    words.any(|word| {
        ["ingress-nginx", "nginx-ingress", "traefik", "higress"]
            .iter()
            .any(|known| word.contains(known))
    })
}

/// Whether a Service stands before the pods that a Gateway of Istio's own API selects.
pub(super) fn serves(service: &Value, gateway: &Value) -> bool {
    let wanted = gateway.pointer("/spec/selector").and_then(Value::as_object);
    let mut wanted = wanted.into_iter().flatten().peekable();
    let selector = &service["spec"]["selector"];
    wanted.peek().is_some() && wanted.all(|(name, value)| selector.get(name) == Some(value))
}

/// The first address that a load balancer gave.
fn balanced(object: &Value, port: u64) -> Option<String> {
    let first = object.pointer("/status/loadBalancer/ingress/0")?;
    let host = first["ip"].as_str().or_else(|| first["hostname"].as_str())?;
    Some(authority(host, port))
}

fn authority(host: &str, port: u64) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

//! Istio: istiod beside the cluster, and one Envoy that plays its ingress gateway. What istiod says to Envoy is plain text on loopback; Istio's own
//! filters, which a stock Envoy lacks, are switched off.

use env::Env;
use serde_json::{Value, json};

use super::super::error::LocalError;
use super::super::process::{Invocation, Process, free_ports};
use super::super::program::Program;
use super::super::{ControlPlane, Tools};
use super::{DOOR, Endpoint, LISTENS, answers};
use crate::gateway::Gateway;

/// Where istiod would live in a cluster.
const HOME: &str = "istio-system";
/// The Service in front of Envoy, in the namespace of the Gateway: istiod looks nowhere else.
const SERVICE: &str = "istio-ingressgateway";
/// The address under which istiod knows Envoy; it is one of the pods' network that no pod gets.
const ADDRESS: &str = "10.244.255.253";
/// What istiod must not send to an Envoy that is not Istio's own, and what it need not do here.
const SWITCHED_OFF: [&str; 5] = [
    "PILOT_ENABLE_ALPN_FILTER",
    "PILOT_ENABLE_METADATA_EXCHANGE",
    "PILOT_ENABLE_TELEMETRY_LABEL",
    "PILOT_ENABLE_ANALYSIS",
    // Envoy is started here, not by a Deployment that istiod would make for each Gateway.
    "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER",
];

/// The Gateway that routes attach to, and the Service by which istiod finds Envoy behind it.
pub(super) fn objects(gateway: Gateway) -> Vec<Value> {
    let mut objects = vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": HOME } }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": DOOR.0, "name": SERVICE },
            // By the selector istiod tells which proxy serves the Gateway; the address that no pod has is written below.
            "spec": {
                "selector": { "istio": "ingressgateway" },
                "ports": [{ "name": "http", "port": LISTENS.1, "targetPort": LISTENS.1 }],
            },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "namespace": DOOR.0, "name": SERVICE,
                "labels": { "kubernetes.io/service-name": SERVICE },
            },
            "addressType": "IPv4",
            "ports": [{ "name": "http", "port": LISTENS.1, "protocol": "TCP" }],
            "endpoints": [{ "addresses": [ADDRESS], "conditions": { "ready": true } }],
        }),
    ];
    match gateway {
        Gateway::IstioHttpRoute => {
            // istiod makes the class by itself. A Gateway with an address is one whose proxy somebody else runs.
            let mut door = super::door("istio");
            door["spec"]["addresses"] =
                json!([{ "type": "Hostname", "value": format!("{SERVICE}.{}.svc.cluster.local", DOOR.0) }]);
            objects.push(door);
        }
        _ => objects.push(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": { "namespace": DOOR.0, "name": DOOR.1 },
            "spec": {
                "selector": { "istio": "ingressgateway" },
                "servers": [{
                    "port": { "number": LISTENS.1, "name": "http", "protocol": "HTTP" }, "hosts": ["*"],
                }],
            },
        })),
    }
    objects
}

/// Starts istiod, then Envoy, and waits until Envoy has its first configuration.
pub(super) async fn start(
    env: &Env,
    plane: &ControlPlane,
    tools: &Tools,
) -> Result<(Vec<Process>, Endpoint), LocalError> {
    let [discovery, status, metrics, admin] = free_ports()?;
    let folder = plane.folder();
    let write = |name: &str, contents: String| {
        let file = folder.join(name);
        std::fs::write(&file, contents).map_err(LocalError::io("write", &file))?;
        Ok::<_, LocalError>(file.display().to_string())
    };
    let mesh = write("mesh.yaml", "enableAutoMtls: false\n".to_owned())?;
    let networks = write("networks.yaml", "networks: {}\n".to_owned())?;
    let istiod = Process::start(
        "istiod",
        &tools.path(Program::PilotDiscovery),
        Invocation {
            arguments: vec![
                "discovery".to_owned(),
                format!("--kubeconfig={}", plane.access().kubeconfig.display()),
                format!("--grpcAddr=127.0.0.1:{discovery}"),
                "--secureGRPCAddr=".to_owned(),
                "--httpsAddr=".to_owned(),
                format!("--httpAddr=127.0.0.1:{status}"),
                format!("--monitoringAddr=127.0.0.1:{metrics}"),
                "--ctrlz_port=0".to_owned(),
                format!("--meshConfig={mesh}"),
                format!("--networksConfig={networks}"),
            ],
            environment: SWITCHED_OFF.map(|name| (name, "false".to_owned())).to_vec(),
        },
        folder,
    )?;
    answers(env, "istiod", &[&istiod], status, "/ready").await?;
    let bootstrap = write("envoy.json", format!("{:#}\n", bootstrap(discovery, admin)))?;
    let envoy = Process::start(
        "envoy",
        &tools.path(Program::Envoy),
        vec![
            // It wants values as words of their own.
            "--config-path".to_owned(),
            bootstrap,
            "--concurrency".to_owned(),
            "1".to_owned(),
            "--log-level".to_owned(),
            "error".to_owned(),
            // Another Envoy of this machine may use the first.
            "--use-dynamic-base-id".to_owned(),
        ],
        folder,
    )?;
    answers(env, "Envoy", &[&istiod, &envoy], admin, "/ready").await?;
    let endpoint = Endpoint {
        port: admin,
        path: "/stats/prometheus",
    };
    Ok((vec![envoy, istiod], endpoint))
}

/// How Envoy begins: who it is, and whom it asks for everything else.
fn bootstrap(discovery: u16, admin: u16) -> Value {
    let source = json!({ "ads": {}, "resource_api_version": "V3" });
    let http2 = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http2_protocol_options": {} },
    });
    json!({
        "node": {
            "id": format!("router~{ADDRESS}~{SERVICE}.{0}~{0}.svc.cluster.local", DOOR.0),
            "cluster": SERVICE,
            "metadata": {
                "LABELS": { "istio": "ingressgateway" }, "NAMESPACE": DOOR.0, "CLUSTER_ID": "Kubernetes",
            },
        },
        "admin": { "address": address(admin) },
        "dynamic_resources": {
            "lds_config": source, "cds_config": source,
            "ads_config": {
                "api_type": "GRPC", "transport_api_version": "V3",
                "grpc_services": [{ "envoy_grpc": { "cluster_name": "istiod" } }],
            },
        },
        "static_resources": {
            "clusters": [{
                "name": "istiod", "type": "STATIC", "connect_timeout": "1s",
                "typed_extension_protocol_options": {
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
                },
                "load_assignment": {
                    "cluster_name": "istiod",
                    "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(discovery) } }] }],
                },
            }],
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

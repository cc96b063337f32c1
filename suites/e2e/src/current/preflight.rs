//! What is looked at before the first scenario: that a Rollout controller answers, that there is a gateway for the routes, and where it answers.
//! One clear message for whatever is missing. Used by [`super`].

use std::time::Duration;

use anyhow::{Context, Result, bail};
use env::Env;
use http::Request;
use serde_json::{Value, json};
use suites::routes::{Door, Family};
use suites::{ApiError, Feature, Kubernetes, ObjectRef};

use super::address::{GatewayUrl, is_of_nginx_dialect, of_gateway, of_ingress, of_service, serves};
use crate::remote_cluster::Ground;

const ROLLOUTS: &str = "rollouts.kruise.io/v1beta1";
/// How long the controller may take to say something of a Rollout: a new leader, a busy cluster.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// How long the gateway may take for one answer.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(200);

/// Whether the kinds of a Rollout controller are there.
///
/// # Errors
/// When nothing answers, or the kinds are not installed.
pub(super) async fn kinds(kubernetes: &Kubernetes, context: &str) -> Result<()> {
    let found = kubernetes.resource(ROLLOUTS, "Rollout").await;
    match found {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => bail!(
            "the cluster of the context {context:?} has no Rollouts ({ROLLOUTS}): install a controller first (cargo xtask manifests, then \
             kubectl apply -f install.yaml)"
        ),
        Err(error) if error.code == 0 => {
            Err(error).with_context(|| format!("no cluster answers behind the context {context:?}"))
        }
        Err(error) => {
            Err(error).with_context(|| format!("look for Rollouts in the cluster of the context {context:?}"))
        }
    }
}

/// Whether a controller takes care of Rollouts: it says something of one that names no workload. What it refuses at once is a feature of its own.
///
/// # Errors
/// When it keeps silent, or Rollouts cannot be written.
pub(super) async fn controller(env: &Env, kubernetes: &Kubernetes, namespace: &str) -> Result<Option<Feature>> {
    let rollout = rollout(
        namespace,
        &json!([{ "replicas": "50%", "pause": {} }, { "replicas": "100%" }]),
    );
    kubernetes
        .create(&rollout)
        .await
        .context("write a Rollout to see whether its controller answers (does its webhook serve?)")?;
    let object = ObjectRef::of(&rollout);
    let looking = async {
        loop {
            let found = kubernetes.get(&object).await?;
            let phase = found.as_ref().and_then(|found| found.pointer("/status/phase"));
            if phase.and_then(Value::as_str).is_some_and(|phase| !phase.is_empty()) {
                return Ok::<(), ApiError>(());
            }
            env.sleep(LOOK).await;
        }
    };
    match env.clock().timeout(ANSWERS_WITHIN, looking).await {
        Ok(answered) => answered.context("see whether the controller answers")?,
        Err(env::Elapsed) => bail!(
            "the cluster has Rollouts, but no controller said anything of one within {ANSWERS_WITHIN:?}: is it running, is it Ready, and does it \
             lead? (kubectl get deployments -A -l app.kubernetes.io/name=tidegate)"
        ),
    }
    refuses(kubernetes, namespace).await
}

/// Whether a Rollout that its schema allows and that makes no sense is refused when it is written. Nothing is stored in any case.
async fn refuses(kubernetes: &Kubernetes, namespace: &str) -> Result<Option<Feature>> {
    let senseless = rollout(namespace, &json!([])).to_string();
    let path = format!("/apis/{ROLLOUTS}/namespaces/{namespace}/rollouts?dryRun=All");
    match kubernetes.post(&path, "application/json", senseless.into_bytes()).await {
        Ok(_) => Ok(None),
        Err(error) if error.code == 0 => Err(error).context("see whether a bad Rollout is refused"),
        Err(error) => Ok(error
            .message
            .contains("admission webhook")
            .then_some(Feature::Admission)),
    }
}

fn rollout(namespace: &str, steps: &Value) -> Value {
    json!({
        "apiVersion": ROLLOUTS, "kind": "Rollout",
        "metadata": { "name": "preflight", "namespace": namespace },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody" },
            "strategy": { "canary": { "enableExtraWorkloadForCanary": true, "steps": steps } },
        },
    })
}

/// Where the gateway for a family of routes answers.
///
/// # Errors
/// When there is none, or nothing answers where it should be.
pub(super) async fn gateway(
    ground: &Ground,
    family: Family,
    door: &Door,
    asked: Option<&GatewayUrl>,
) -> Result<String> {
    let kubernetes = ground.kubernetes();
    let said = match family {
        Family::Ingress => nginx(&kubernetes).await?,
        Family::HttpRoute => gateway_api(&kubernetes, door).await?,
        Family::VirtualService => istio(&kubernetes, door).await?,
    };
    let candidates = match asked {
        Some(GatewayUrl(url)) => vec![url.clone()],
        None => said,
    };
    if candidates.is_empty() {
        bail!(
            "the cluster does not say where its gateway answers (no address in the status of an Ingress, a Gateway or a LoadBalancer Service): \
             say it with --gateway-url http://HOST:PORT"
        );
    }
    for candidate in &candidates {
        if answers(&ground.env, candidate).await {
            return Ok(candidate.clone());
        }
    }
    bail!(
        "no gateway answers at {} within {REACHED_WITHIN:?}: say where it can be reached from here with --gateway-url http://HOST:PORT (a port of a \
         node, or kubectl port-forward)",
        candidates.join(" or ")
    )
}

/// Whether somebody speaks HTTP there; which words does not matter.
async fn answers(env: &Env, authority: &str) -> bool {
    let Ok(service) = env.dial(authority).await else {
        return false;
    };
    let Ok(request) = Request::get("/").header("Host", "e2e.invalid").body(env::empty()) else {
        return false;
    };
    matches!(
        env.clock().timeout(REACHED_WITHIN, service.send(request)).await,
        Ok(Ok(_))
    )
}

/// The addresses of what serves Ingresses of the class nginx.
async fn nginx(kubernetes: &Kubernetes) -> Result<Vec<String>> {
    let classes = list(kubernetes, "networking.k8s.io/v1", "IngressClass").await?;
    let names: Vec<&str> = classes
        .iter()
        .filter_map(|class| class["metadata"]["name"].as_str())
        .collect();
    if !names.contains(&"nginx") {
        let there = match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", names.join(", ")),
        };
        bail!(
            "the cluster has no ingress class nginx ({there}): install one, or choose other routes with --gateway httproute or virtualservice"
        );
    }
    let ingresses = list(kubernetes, "networking.k8s.io/v1", "Ingress").await?;
    let services = list(kubernetes, "v1", "Service").await?;
    let of_services = services
        .iter()
        .filter(|service| is_of_nginx_dialect(service))
        .filter_map(of_service);
    Ok(distinct(ingresses.iter().filter_map(of_ingress).chain(of_services)))
}

/// The addresses of a Gateway of Gateway API.
async fn gateway_api(kubernetes: &Kubernetes, door: &Door) -> Result<Vec<String>> {
    let found = the_door(kubernetes, "gateway.networking.k8s.io/v1", door).await?;
    Ok(of_gateway(&found).into_iter().collect())
}

/// The addresses of the Services before a Gateway of Istio's own API.
async fn istio(kubernetes: &Kubernetes, door: &Door) -> Result<Vec<String>> {
    let found = the_door(kubernetes, "networking.istio.io/v1", door).await?;
    let services = list(kubernetes, "v1", "Service").await?;
    Ok(distinct(
        services
            .iter()
            .filter(|service| serves(service, &found))
            .filter_map(of_service),
    ))
}

async fn the_door(kubernetes: &Kubernetes, api_version: &str, door: &Door) -> Result<Value> {
    let object = ObjectRef::namespaced(api_version, "Gateway", &door.namespace, &door.name);
    let found = match kubernetes.get(&object).await {
        Err(error) if !error.is_not_found() => return Err(error).context("look for the gateway"),
        found => found.unwrap_or_default(),
    };
    found.with_context(|| {
        format!(
            "the cluster has no Gateway {}/{} ({api_version}) to bind routes to: make one that takes routes of all namespaces, or name yours with \
             --door NAMESPACE/NAME",
            door.namespace, door.name
        )
    })
}

async fn list(kubernetes: &Kubernetes, api_version: &str, kind: &str) -> Result<Vec<Value>> {
    let resource = kubernetes.resource(api_version, kind).await?;
    let found = kubernetes.list(&resource, None).await;
    found.context("find the gateway")
}

/// Each once, in the order in which they came.
fn distinct(addresses: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for address in addresses {
        if !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    distinct
}

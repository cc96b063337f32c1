//! The same parts through a kube client: a Deployment that somebody else's controllers roll ends as it does on the embedded cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{HttpService, Trace, full, read_all};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Options, Part, Remote, StartError};
use crate::cluster::{Cluster, DeleteOptions};
use crate::object;
use crate::resource::{DEPLOYMENTS, INGRESS_CLASSES, INGRESSES, NODES, PODS, Resource, SERVICES};
use crate::{DataPlane, Embedded};

const CONFIG_MAPS: Resource = Resource::of("", "v1", "configmaps", "ConfigMap", true);

/// A control plane without nodes, and the parts that serve it through its API.
struct Bed {
    world: SimEnv,
    control_plane: Embedded,
    remote: Remote,
}

fn client(control_plane: &Embedded) -> kube::Client {
    kube::Client::new(control_plane.api(), "default")
}

async fn control_plane(world: &SimEnv) -> Embedded {
    let options = crate::Options {
        data_plane: DataPlane::Elsewhere,
        ..crate::Options::default()
    };
    Embedded::start(&world.env, &world.network, options).await
}

fn with_remote<F: Future<Output = Bed>>(seed: u64, body: impl FnOnce(Bed) -> F) {
    run(seed, Trace::off(), |world| async move {
        let control_plane = control_plane(&world).await;
        let network = Arc::new(world.network.clone());
        let remote = Remote::start(&world.env, client(&control_plane), Options::default(), network).await;
        let bed = body(Bed {
            world,
            control_plane,
            remote: remote.expect("it serves"),
        })
        .await;
        bed.remote.stop().await;
        bed.control_plane.stop().await;
    });
}

async fn create_shop(cluster: &Arc<dyn Cluster>) {
    let class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": "nginx" },
        "spec": { "controller": "k8s.io/ingress-nginx" },
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "namespace": "default", "name": "shop" },
        "spec": {
            "replicas": 3, "selector": { "matchLabels": { "app": "shop" } },
            "template": {
                "metadata": { "labels": { "app": "shop" } },
                "spec": { "containers": [{ "name": "main", "image": "echo:v1", "ports": [{ "containerPort": 8080 }] }] },
            },
        },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "default", "name": "shop" },
        "spec": { "selector": { "app": "shop" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
    });
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "namespace": "default", "name": "shop" },
        "spec": { "ingressClassName": "nginx", "rules": [{ "host": "shop", "http": { "paths": [{
            "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "shop", "port": { "number": 80 } } },
        }] } }] },
    });
    for (resource, object) in [
        (&INGRESS_CLASSES, class),
        (&DEPLOYMENTS, deployment),
        (&SERVICES, service),
        (&INGRESSES, ingress),
    ] {
        cluster.create(resource, object).await.expect("it is valid");
    }
}

async fn release(cluster: &Arc<dyn Cluster>, image: &str) {
    let found = cluster.get(&DEPLOYMENTS, "default", "shop").expect("it is there");
    let mut deployment = found.value.clone();
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    cluster.update(&DEPLOYMENTS, deployment).await.expect("it is valid");
}

/// The version that answered each of 30 requests.
async fn answers(gateway: &HttpService) -> BTreeSet<String> {
    let mut versions = BTreeSet::new();
    for _ in 0..30 {
        let request = Request::get("/").header("host", "shop").body(env::empty());
        let response = gateway
            .send(request.expect("it is well-formed"))
            .await
            .expect("it answers");
        let code = response.status();
        let body = read_all(response.into_body(), 10_000).await.expect("it is whole");
        assert_eq!(code, StatusCode::OK, "{body:?}");
        let answer: Value = serde_json::from_slice(&body).expect("it is JSON");
        versions.insert(object::text(&answer, &["version"]).to_owned());
    }
    versions
}

/// What an owner sees in the end: the Deployment's counts, and each pod's phase, readiness and containers.
fn outcome(cluster: &Arc<dyn Cluster>) -> (Value, Vec<Value>, usize) {
    let deployment = cluster.get(&DEPLOYMENTS, "default", "shop").expect("it is there");
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    let counts: BTreeMap<&str, Value> = counts
        .into_iter()
        .map(|count| (count, deployment.value["status"][count].clone()))
        .collect();
    let pods = cluster.list(&PODS, Some("default"));
    let pods = pods.iter().map(|pod| {
        let status = &pod.value["status"];
        let conditions: BTreeMap<&str, &Value> = object::items(status, &["conditions"])
            .iter()
            .map(|condition| (object::text(condition, &["type"]), &condition["status"]))
            .collect();
        let addressed = !object::text(status, &["podIP"]).is_empty();
        json!({
            "phase": status["phase"], "conditions": conditions, "addressed": addressed,
            "image": status["containerStatuses"][0]["image"], "ready": status["containerStatuses"][0]["ready"],
        })
    });
    (json!(counts), pods.collect(), cluster.list(&NODES, None).len())
}

#[test]
fn a_deployment_is_served_and_rolled_as_by_the_cluster_s_own_parts() {
    let direct = run(3, Trace::off(), |world| async move {
        let embedded = Embedded::start(&world.env, &world.network, crate::Options::default()).await;
        create_shop(&embedded.cluster()).await;
        world.env.sleep(Duration::from_secs(10)).await;
        assert_eq!(answers(&embedded.gateway()).await, BTreeSet::from(["v1".to_owned()]));
        release(&embedded.cluster(), "echo:v2").await;
        world.env.sleep(Duration::from_secs(60)).await;
        assert_eq!(answers(&embedded.gateway()).await, BTreeSet::from(["v2".to_owned()]));
        let outcome = outcome(&embedded.cluster());
        embedded.stop().await;
        outcome
    });
    with_remote(3, |bed| async move {
        let cluster = bed.control_plane.cluster();
        create_shop(&cluster).await;
        bed.world.env.sleep(Duration::from_secs(10)).await;
        assert_eq!(answers(&bed.remote.gateway()).await, BTreeSet::from(["v1".to_owned()]));
        let routed: f64 = bed.remote.route("shop", "/", &[]).iter().map(|(_, share)| share).sum();
        assert!((routed - 1.0).abs() < 1e-9);
        release(&cluster, "echo:v2").await;
        bed.world.env.sleep(Duration::from_secs(60)).await;
        assert_eq!(answers(&bed.remote.gateway()).await, BTreeSet::from(["v2".to_owned()]));
        assert_eq!(outcome(&cluster), direct);
        bed
    });
}

#[test]
fn a_writer_sees_its_own_writes_at_once() {
    with_remote(1, |bed| async move {
        let cluster = bed.remote.cluster();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "default", "name": "a" },
            "spec": { "containers": [{ "name": "main", "image": "echo" }], "nodeSelector": { "disk": "ssd" } },
        });
        let created = cluster.create(&PODS, pod).await.expect("it is valid");
        assert_eq!(cluster.get(&PODS, "default", "a"), Some(created.clone()));
        let mut changed = created.value.clone();
        changed["metadata"]["labels"] = json!({ "a": "b" });
        let updated = cluster.update(&PODS, changed.clone()).await.expect("it is current");
        assert_eq!(cluster.list(&PODS, None), [updated]);
        let refused = cluster.update(&PODS, changed).await.expect_err("it is stale");
        assert_eq!((refused.code, refused.reason), (409, "Conflict"));
        let wrong = DeleteOptions {
            uid: Some("another".to_owned()),
            ..DeleteOptions::default()
        };
        let refused = cluster.delete(&PODS, "default", "a", wrong).await;
        assert_eq!(refused.expect_err("it is another pod").code, 409);
        let deleted = cluster.delete(&PODS, "default", "a", DeleteOptions::default()).await;
        deleted.expect("it is there");
        assert_eq!(cluster.get(&PODS, "default", "a"), None);
        bed.world.env.sleep(Duration::from_secs(1)).await;
        assert_eq!(cluster.list(&PODS, None), []);
        let missing = cluster.delete(&PODS, "default", "a", DeleteOptions::default()).await;
        let missing = missing.expect_err("it is gone");
        assert_eq!(missing.message, "pods \"a\" not found");
        bed
    });
}

#[test]
fn a_lost_history_is_made_up_for() {
    with_remote(1, |bed| async move {
        create_shop(&bed.control_plane.cluster()).await;
        bed.world.env.sleep(Duration::from_secs(10)).await;
        bed.control_plane.compact();
        release(&bed.control_plane.cluster(), "echo:v2").await;
        bed.control_plane.compact();
        bed.world.env.sleep(Duration::from_secs(600)).await;
        let theirs = bed.control_plane.cluster().list(&PODS, None);
        assert_eq!(bed.remote.cluster().list(&PODS, None).len(), theirs.len());
        assert_eq!(answers(&bed.remote.gateway()).await, BTreeSet::from(["v2".to_owned()]));
        bed
    });
}

#[test]
fn what_is_watched_later_is_cached_from_then_on() {
    with_remote(1, |bed| async move {
        create_shop(&bed.control_plane.cluster()).await;
        let cluster = bed.remote.cluster();
        assert_eq!(cluster.list(&DEPLOYMENTS, None), []);
        let config = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "default", "name": "unfollowed" },
        });
        cluster.create(&CONFIG_MAPS, config).await.expect("it is valid");
        assert_eq!(
            cluster.list(&CONFIG_MAPS, None),
            [],
            "nobody would tell when it changes"
        );
        let mut watched = cluster.watch(&[DEPLOYMENTS]);
        let delivered = watched.next().await;
        assert_eq!(object::name(&delivered[0].object.value), "shop");
        assert_eq!(
            cluster.resource_of("apps/v1", "Deployment").as_ref(),
            Some(&DEPLOYMENTS)
        );
        let plurals: BTreeSet<String> = cluster.resources().iter().map(|r| r.plural.to_string()).collect();
        assert!(plurals.contains("configmaps") && !plurals.contains("pods/status"));
        bed
    });
}

#[test]
fn everything_is_watched_with_kinds_that_come_later() {
    with_remote(1, |bed| async move {
        let cluster = bed.remote.cluster();
        let mut watched = cluster.watch_everything();
        let seen: BTreeSet<String> = watched.next().await.iter().map(|d| kind(&d.object.value)).collect();
        assert!(seen.contains("Node"), "{seen:?}");
        const WIDGETS: Resource = Resource::of("example.com", "v1", "widgets", "Widget", true);
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "widgets.example.com" },
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                } } }],
            },
        });
        let theirs = bed.control_plane.cluster();
        theirs
            .create(&crate::resource::DEFINITIONS, definition)
            .await
            .expect("it is valid");
        bed.world.env.sleep(Duration::from_secs(1)).await;
        let widget = json!({
            "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "namespace": "default", "name": "w" },
        });
        theirs.create(&WIDGETS, widget).await.expect("it is valid");
        bed.world.env.sleep(Duration::from_secs(1)).await;
        let mut kinds = BTreeSet::new();
        while !kinds.contains("Widget") {
            kinds.extend(watched.next().await.iter().map(|d| kind(&d.object.value)));
        }
        bed
    });
}

fn kind(object: &Value) -> String {
    object::text(object, &["kind"]).to_owned()
}

#[test]
fn a_server_that_is_away_is_one_error() {
    run(1, Trace::off(), |world| async move {
        let away = HttpService::new(|_| async { Err("connection refused".into()) });
        let network = Arc::new(world.network.clone());
        let client = kube::Client::new(away, "default");
        let failed = Remote::start(&world.env, client, Options::default(), network).await;
        let text = failed.expect_err("nobody is there").to_string();
        assert!(text.starts_with("read what the API server serves: "), "{text}");
    });
}

#[test]
fn a_collection_that_may_not_be_listed_is_named() {
    run(1, Trace::off(), |world| async move {
        let control_plane = control_plane(&world).await;
        let api = control_plane.api();
        let forbidden = HttpService::new(move |request: Request<env::Body>| {
            let api = api.clone();
            async move {
                if request.uri().path() == "/api/v1/nodes" {
                    let refused = crate::Status {
                        code: 403,
                        reason: "Forbidden",
                        message: "nodes is forbidden".to_owned(),
                        details: json!({}),
                    };
                    let mut response = Response::new(full(refused.to_json().to_string()));
                    *response.status_mut() = StatusCode::FORBIDDEN;
                    return Ok(response);
                }
                api.send(request).await
            }
        });
        let options = Options {
            parts: [Part::Kubelet].into(),
            ..Options::default()
        };
        let network = Arc::new(world.network.clone());
        let client = kube::Client::new(forbidden, "default");
        let failed = Remote::start(&world.env, client, options, network).await;
        assert!(
            matches!(&failed, Err(StartError::List { collections, .. }) if collections == "nodes"),
            "{failed:?}"
        );
        control_plane.stop().await;
    });
}

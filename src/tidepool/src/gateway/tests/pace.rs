//! How soon a change is in force, as measured on ingress-nginx: at once-ish when it comes alone, after seconds when it comes second.

use std::sync::Arc;
use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{Moment, Trace};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::resource::{ENDPOINT_SLICES, INGRESSES, Resource, SERVICES};
use crate::{Embedded, Options};

/// How often the route is looked at.
const LOOK: Duration = Duration::from_millis(20);

async fn create(cluster: &Arc<dyn Cluster>, resource: &Resource, kind: (&str, &str), mut object: Value) {
    object["apiVersion"] = json!(kind.0);
    object["kind"] = json!(kind.1);
    if resource == &ENDPOINT_SLICES {
        object["addressType"] = json!("IPv4");
    }
    cluster.create(resource, object).await.expect("it is valid");
}

/// A route with a canary of weight 0, long settled. Its endpoints are nobody's: nothing is asked of them.
async fn settled(world: &SimEnv) -> Embedded {
    let embedded = Embedded::start(&world.env, &world.network, Options::default()).await;
    let cluster = embedded.cluster();
    for (service, address) in [("echo", "10.0.0.1"), ("echo-canary", "10.0.0.2")] {
        create(&cluster, &SERVICES, ("v1", "Service"), super::service(service)).await;
        let mut slice = super::slice(service, &[address]);
        slice["endpoints"][0]["targetRef"] = json!({ "kind": "Pod", "name": service });
        slice["ports"][0]["name"] = json!("");
        create(
            &cluster,
            &ENDPOINT_SLICES,
            ("discovery.k8s.io/v1", "EndpointSlice"),
            slice,
        )
        .await;
    }
    let networking = ("networking.k8s.io/v1", "Ingress");
    create(&cluster, &INGRESSES, networking, super::ingress("echo", "echo", &[])).await;
    let canary = super::ingress("canary", "echo-canary", &[("canary", "true"), ("canary-weight", "0")]);
    create(&cluster, &INGRESSES, networking, canary).await;
    world.env.sleep(Duration::from_secs(30)).await;
    embedded
}

async fn set_weight(embedded: &Embedded, weight: u32) {
    let cluster = embedded.cluster();
    let canary = cluster.get(&INGRESSES, "default", "canary").expect("it is there");
    let mut canary = canary.value.clone();
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = json!(weight.to_string());
    cluster.update(&INGRESSES, canary).await.expect("it is valid");
}

fn weight(embedded: &Embedded) -> f64 {
    let shares = embedded.route("echo.example.com", "/", &[]);
    let canary = shares.iter().filter(|(pod, _)| pod.name == "echo-canary");
    canary.map(|(_, share)| share).sum()
}

/// Waits until the canary has this share; the answer is how long that took.
async fn until_weight(world: &SimEnv, embedded: &Embedded, wanted: f64, since: Moment) -> Duration {
    while (weight(embedded) - wanted).abs() > 1e-9 {
        world.env.sleep(LOOK).await;
        assert!(
            world.env.clock().elapsed().since(since) < Duration::from_secs(60),
            "never"
        );
    }
    world.env.clock().elapsed().since(since)
}

#[test]
fn a_second_change_soon_after_the_first_takes_seconds() {
    for seed in 0..20 {
        run(seed, Trace::off(), |world| async move {
            let embedded = settled(&world).await;
            let first = world.env.clock().elapsed();
            set_weight(&embedded, 5).await;
            world.env.sleep(Duration::from_millis(200)).await;
            let second = world.env.clock().elapsed();
            set_weight(&embedded, 20).await;
            let took = until_weight(&world, &embedded, 0.05, first).await;
            assert!((500..=920).contains(&took.as_millis()), "{took:?}");
            let took = until_weight(&world, &embedded, 0.2, second).await;
            assert!((3_300..=4_100).contains(&took.as_millis()), "{took:?}");
            embedded.stop().await;
        });
    }
}

#[test]
fn changes_far_apart_are_each_in_force_within_a_second() {
    run(1, Trace::off(), |world| async move {
        let embedded = settled(&world).await;
        for weight in [5, 20, 50, 100] {
            let written = world.env.clock().elapsed();
            set_weight(&embedded, weight).await;
            let took = until_weight(&world, &embedded, f64::from(weight) / 100.0, written).await;
            assert!((500..=920).contains(&took.as_millis()), "{took:?}");
            world.env.sleep(Duration::from_secs(4)).await;
        }
        embedded.stop().await;
    });
}

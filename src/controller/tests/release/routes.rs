//! Routes of a kind that comes late, is served in an older version only, or may not be read: the Rollout waits, says why, and goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use controller::{Options, run, webhooks};
use env::sim::{self, SimEnv};
use env::{HttpService, Trace};
use http::{Response, StatusCode};
use kube::api::DeleteParams;
use rollout::Kind;
use rstest::rstest;
use serde_json::{Value, json};
use tidepool::Embedded;
use tokio::sync::oneshot;

use crate::definition::definition;
use crate::person::{AUTHORITY, ONE_STEP, Person, completed, endpoint, paused};

/// The API behind `api`, without the right to read HTTPRoutes unless `allowed`.
fn guarded(api: HttpService, allowed: Arc<AtomicBool>) -> HttpService {
    HttpService::new(move |request| {
        let api = api.clone();
        let concerned = request.uri().path().contains("/httproutes");
        let refused = concerned && !allowed.load(Ordering::Relaxed);
        async move {
            if !refused {
                return api.send(request).await;
            }
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
                "message": "httproutes.gateway.networking.k8s.io is forbidden: User \"tidegate\" cannot list resource \"httproutes\"",
            });
            let mut response = Response::new(env::full(status.to_string()));
            *response.status_mut() = StatusCode::FORBIDDEN;
            Ok(response)
        }
    })
}

/// The article's Rollout, behind a route of `kind`.
pub(crate) fn rollout_by(kind: Kind) -> String {
    let ingress = "          type: nginx\n          ingress:\n            name: echoserver\n";
    let route = match kind {
        Kind::HttpRoute => "          gateway:\n            httpRouteName: echoserver\n".to_owned(),
        Kind::GrpcRoute => "          gateway:\n            grpcRouteName: echoserver\n".to_owned(),
        _ => format!(
            "          customNetworkRefs:\n          - apiVersion: {}/{}\n            kind: {kind}\n            name: echoserver\n",
            kind.group(),
            kind.preferred()
        ),
    };
    assert!(ONE_STEP.contains(ingress));
    ONE_STEP.replace(ingress, &route)
}

/// The same with one Service for both versions, told apart by the subsets of a DestinationRule.
pub(crate) fn shared_rollout() -> Value {
    let mut rollout: Value = serde_yaml::from_str(&rollout_by(Kind::VirtualService)).expect("YAML");
    let rule = json!({ "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "name": "echoserver" });
    let canary = &mut rollout["spec"]["strategy"]["canary"];
    canary["disableGenerateCanaryService"] = json!(true);
    let named = canary["trafficRoutings"][0]["customNetworkRefs"].as_array_mut();
    named.expect("a list").push(rule);
    rollout
}

/// A route of `kind` to the article's Service.
pub(crate) fn route_of(kind: Kind, version: &str) -> Value {
    let spec = match kind {
        Kind::DestinationRule => json!({ "host": "echoserver" }),
        Kind::VirtualService => json!({
            "hosts": ["echo.example.com"],
            "http": [{ "route": [{ "destination": { "host": "echoserver" } }] }],
        }),
        _ => json!({
            "hostnames": ["echo.example.com"],
            "rules": [{ "backendRefs": [{ "name": "echoserver", "port": 80 }] }],
        }),
    };
    json!({
        "apiVersion": format!("{}/{version}", kind.group()),
        "kind": kind.name(),
        "metadata": { "name": "echoserver", "namespace": "default" },
        "spec": spec,
    })
}

/// Plays `story` with a person and a switch for the right to read HTTPRoutes, beside a running controller.
fn with_controller<F: Future<Output = ()>>(allowed: bool, story: impl FnOnce(Person, Arc<AtomicBool>) -> F + Send) {
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        let _served = world.network.serve(AUTHORITY, webhooks(&env, person.client.clone()));
        person.install(&endpoint()).await;
        let allowed = Arc::new(AtomicBool::new(allowed));
        let client = kube::Client::new(guarded(cluster.api(), allowed.clone()), "default");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(run(env.clone(), client, Options::new("controller-0"), async {
            // A sender that is gone ends it as well.
            let _ = stopped.await;
        }));
        story(person, allowed).await;
        stop.send(()).expect("it runs");
        running.await.expect("no panic").expect("an orderly end");
        cluster.stop().await;
    });
}

impl Person {
    async fn workload_and_rollout(&self) {
        for manifest in [
            include_str!("../../../../fixtures/article/deployment.yaml"),
            include_str!("../../../../fixtures/article/service.yaml"),
            &rollout_by(Kind::HttpRoute),
        ] {
            self.create(serde_yaml::from_str(manifest).expect("YAML")).await;
        }
    }

    async fn route(&self, version: &str) -> Value {
        let api = self.api(&format!("gateway.networking.k8s.io/{version}"), "HTTPRoute");
        let route = api.get("echoserver").await.expect("the route");
        json!({ "annotations": route.metadata.annotations, "spec": route.data["spec"] })
    }

    /// Follows a release over the pause to the end, and checks that the route leads there and is as it was `before`.
    async fn release_by_route(&self, version: &str, before: Value) {
        self.until("pause", paused).await;
        let split = self.route(version).await;
        let weights = &split["spec"]["rules"][0]["backendRefs"];
        assert_eq!(
            (&weights[0]["weight"], &weights[1]["weight"]),
            (&json!(95), &json!(5)),
            "{split:#}"
        );
        self.approve().await;
        self.until("end", completed).await;
        assert_eq!(self.route(version).await, before);
    }
}

/// Whether a status says something in its message.
fn says(words: &'static str) -> impl Fn(&Value) -> bool {
    move |status| {
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains(words))
    }
}

#[rstest]
#[case::preferred(&["v1"], "v1")]
#[case::older(&["v1beta1"], "v1beta1")]
fn a_route_whose_definition_comes_late_is_followed(
    #[case] versions: &'static [&'static str],
    #[case] version: &'static str,
) {
    with_controller(true, |person, _| async move {
        person.workload_and_rollout().await;
        person
            .until("idle rollout", |status| status["phase"] == "Healthy")
            .await;
        person.image("1.10.3").await;
        person
            .until(
                "word about the definition",
                says("the cluster does not serve httproutes"),
            )
            .await;
        person.create(definition(Kind::HttpRoute, versions)).await;
        person
            .until(
                "word about the route",
                says("HTTPRoute default/echoserver is not found"),
            )
            .await;
        let before = route_of(Kind::HttpRoute, version);
        person.create(before.clone()).await;
        person
            .release_by_route(version, json!({ "annotations": null, "spec": before["spec"] }))
            .await;
    });
}

#[test]
fn a_route_that_may_not_be_read_stops_its_rollout_with_the_reason() {
    with_controller(false, |person, allowed| async move {
        person.create(definition(Kind::HttpRoute, &["v1"])).await;
        person.create(route_of(Kind::HttpRoute, "v1")).await;
        person.workload_and_rollout().await;
        person
            .until("refusal", |status| {
                let conditions = status["conditions"].as_array().into_iter().flatten();
                conditions.into_iter().any(|condition| {
                    condition["reason"] == "ReadRefused"
                        && condition["message"].to_string().contains("cannot list resource")
                })
            })
            .await;
        allowed.store(true, Ordering::Relaxed);
        person
            .until("idle rollout", |status| {
                status["phase"] == "Healthy" && !status.to_string().contains("ReadRefused")
            })
            .await;
        let before = person.route("v1").await;
        person.image("1.10.3").await;
        person.release_by_route("v1", before).await;
    });
}

#[test]
fn a_definition_that_goes_in_the_middle_lets_the_rollout_go() {
    with_controller(true, |person, _| async move {
        person.create(definition(Kind::HttpRoute, &["v1"])).await;
        person.create(route_of(Kind::HttpRoute, "v1")).await;
        person.workload_and_rollout().await;
        person
            .until("idle rollout", |status| status["phase"] == "Healthy")
            .await;
        person.image("1.10.3").await;
        person.until("pause", paused).await;
        person
            .definitions()
            .delete("httproutes.gateway.networking.k8s.io", &DeleteParams::default())
            .await
            .expect("deleted");
        person
            .until(
                "word while it pauses",
                says("but its traffic cannot be routed: HTTPRoute default/echoserver cannot exist"),
            )
            .await;
        assert!(paused(&person.status().await), "the step stands where it stood");
        person
            .rollouts()
            .delete("rollouts-demo", &DeleteParams::default())
            .await
            .expect("deleted");
        person.until("deletion", Value::is_null).await;
    });
}

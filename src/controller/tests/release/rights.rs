//! The roles that `tidegate manifests` prints, against the requests that a process makes from its start over whole releases to their end.
//!
//! Nothing that it does may be missing from them, and they may hold nothing that it never does.

use std::collections::BTreeSet;
use std::sync::Arc;

use controller::install::{self, RIGHTS};
use controller::{LeaderElection, Options, preflight, run, webhooks};
use env::sim::{self, SimEnv};
use env::{HttpService, Trace};
use kube::api::DeleteParams;
use parking_lot::Mutex;
use rollout::Kind;
use serde_json::{Value, json};
use tidepool::Embedded;
use tokio::sync::oneshot;

use crate::definition::definition;
use crate::needed::{Used, needed};
use crate::person::{AUTHORITY, FOUR_STEPS, Person, endpoint, paused};
use crate::routes;

/// The API behind `api`, noting what each request needs to be allowed.
fn recorded(api: HttpService, used: Arc<Mutex<BTreeSet<Used>>>) -> HttpService {
    HttpService::new(move |request| {
        let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        used.lock()
            .extend(needed(request.method(), request.uri().path(), watch));
        let api = api.clone();
        async move { api.send(request).await }
    })
}

fn allowed(used: &Used) -> bool {
    let (scope, group, resource, name, verb) = used;
    RIGHTS.iter().any(|right| {
        right.scope == *scope
            && right.group == group
            && right.resource == resource
            && right.verbs.contains(verb)
            && (right.names.is_empty() || right.names.contains(&name.as_str()))
    })
}

/// Every request of a process that starts, leads a release to its end, sees one reverted, cleans up after a deletion, and stops.
fn used() -> BTreeSet<Used> {
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let used = Arc::new(Mutex::new(BTreeSet::new()));
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let client = kube::Client::new(recorded(cluster.api(), used.clone()), "default");
        let _served = world.network.serve(AUTHORITY, webhooks(&env, client.clone()));
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        person.install(&endpoint()).await;
        for kind in rollout::Kind::ALL.into_iter().filter(|kind| kind.optional()) {
            person.create(definition(kind, &[kind.preferred()])).await;
        }
        // The start of a process, and of another one that finds everything there.
        for _ in 0..2 {
            install::shared_certificate(&client, "tidegate", &["webhooks.tidegate.svc".to_owned()], env.now())
                .await
                .expect("a certificate");
            assert_eq!(preflight::look(&client).await, [], "fit");
            install::point(&client, &endpoint(), b"").await.expect("pointed");
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let mut options = Options::new("controller-0");
        options.leader_election = LeaderElection::lease();
        let running = tokio::spawn(run(env.clone(), client, options, async {
            // A sender that is gone ends it as well.
            let _ = stopped.await;
        }));
        person.article(FOUR_STEPS).await;
        person.image("1.10.3").await;
        person.until("pause", paused).await;
        person.approve_all().await;
        person.image("1.10.4").await;
        person.until("second pause", paused).await;
        person.image("1.10.3").await;
        person.until("way back", |status| status["phase"] == "Healthy").await;
        person.image("1.10.4").await;
        person.until("third pause", paused).await;
        person
            .rollouts()
            .delete("rollouts-demo", &DeleteParams::default())
            .await
            .expect("deleted");
        person.until("deletion", Value::is_null).await;
        // The same workload behind a route of each kind that is edited in place.
        let by = |kind| serde_yaml::from_str(&routes::rollout_by(kind)).expect("YAML");
        for (tag, kind, rollout) in [
            ("1.10.5", Kind::HttpRoute, by(Kind::HttpRoute)),
            ("1.10.6", Kind::GrpcRoute, by(Kind::GrpcRoute)),
            ("1.10.7", Kind::VirtualService, by(Kind::VirtualService)),
            ("1.10.8", Kind::DestinationRule, routes::shared_rollout()),
        ] {
            person.create(routes::route_of(kind, kind.preferred())).await;
            person.create(rollout).await;
            person
                .until("idle rollout", |status| status["phase"] == "Healthy")
                .await;
            person.image(tag).await;
            person.until("pause", paused).await;
            person.approve_all().await;
            person
                .rollouts()
                .delete("rollouts-demo", &DeleteParams::default())
                .await
                .expect("deleted");
            person.until("deletion", Value::is_null).await;
        }
        judged_by_a_job(&person).await;
        // A Rollout that names templates, which need not be there.
        let mut measured: Value = serde_yaml::from_str(FOUR_STEPS).expect("YAML");
        let refs = json!([{ "templateName": "a" }, { "templateName": "b", "clusterScope": true }]);
        measured["spec"]["strategy"]["canary"]["analysis"] = json!({ "templates": refs });
        person.create(measured).await;
        stop.send(()).expect("it runs");
        running.await.expect("no panic").expect("an orderly end");
        cluster.stop().await;
        used.lock().clone()
    })
}

/// A release whose gate is a Job with an argument from a Secret; a newer version comes before it is done, so that run and Job are taken away.
async fn judged_by_a_job(person: &Person) {
    let gate = json!({
        "templates": [{ "templateName": "judged" }],
        "args": [{ "name": "token", "valueFrom": { "secretKeyRef": { "name": "token", "key": "value" } } }],
        "unsuccessfulRunHistoryLimit": 0,
    });
    let job = json!({ "spec": { "template": { "spec": {
        "restartPolicy": "Never",
        "containers": [{ "name": "look", "image": "look", "env": [{ "name": "TOKEN", "value": "{{args.token}}" }] }],
    } } } });
    for object in [
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "token" }, "data": { "value": "dG9r" } }),
        json!({
            "apiVersion": "rollouts.kruise.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": { "name": "judged" },
            "spec": { "args": [{ "name": "token" }], "metrics": [{ "name": "look", "provider": { "job": job } }] },
        }),
    ] {
        person.create(object).await;
    }
    let mut rollout: Value = serde_yaml::from_str(FOUR_STEPS).expect("YAML");
    rollout["spec"]["strategy"]["canary"]["steps"][0]["analysis"] = gate;
    person.create(rollout).await;
    person
        .until("idle rollout", |status| status["phase"] == "Healthy")
        .await;
    person.image("1.10.9").await;
    let first = person.the_only("batch/v1", "Job", None).await;
    person.image("1.10.10").await;
    person.the_only("batch/v1", "Job", Some(&first)).await;
    person
        .rollouts()
        .delete("rollouts-demo", &DeleteParams::default())
        .await
        .expect("deleted");
    person.until("deletion", Value::is_null).await;
}

#[test]
fn the_roles_hold_what_the_process_does_and_nothing_else() {
    let used = used();
    let missing: Vec<&Used> = used.iter().filter(|used| !allowed(used)).collect();
    assert!(missing.is_empty(), "not allowed: {missing:#?}");

    // A patch that is refused is looked into by a get; `finalizers` is for clusters that ask for it when an owner is named.
    let rare = [
        ("rollouts", "get"),
        ("services", "get"),
        // A certificate is renewed after two months.
        ("secrets", "update"),
        ("rollouts/finalizers", "update"),
        ("batchreleases/finalizers", "update"),
    ];
    let mut idle = Vec::new();
    for right in RIGHTS {
        for verb in right.verbs {
            let exercised = used.iter().any(|(scope, group, resource, name, used)| {
                (right.scope, right.group, right.resource, verb) == (*scope, group, resource, used)
                    && (right.names.is_empty() || right.names.contains(&name.as_str()))
            });
            if !exercised && !rare.contains(&(right.resource, verb)) {
                idle.push(format!("{verb} {}", right.resource));
            }
        }
    }
    assert!(idle.is_empty(), "allowed and never done: {idle:#?}");
}

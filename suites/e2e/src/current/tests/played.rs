//! Runs against a living cluster on virtual time: what is judged, what is left, and what is said where there is nothing to judge.

use std::time::Duration;

use env::sim::SimEnv;
use rstest::rstest;
use suites::routes::Door;
use suites::{Kubernetes, ObjectRef, Report, Verdict, scenarios};
use tidepool::Embedded;

use crate::current::{Caution, Current, Wish};
use crate::embedded::{client, install};
use crate::gateway::Gateway;
use crate::interrupt::Interrupt;
use crate::living::Living;

const GATEWAY: &str = "gateway.example:80";

fn wish(gateway: Option<&str>) -> Wish {
    Wish {
        caution: Caution::Refuse,
        gateway: gateway.map(|url| url.parse().expect("it is a URL")),
        door: Door::default(),
        jobs: Some(2),
    }
}

/// The names of all namespaces.
async fn namespaces(kubernetes: &Kubernetes) -> Vec<String> {
    let kind = kubernetes.resource("v1", "Namespace").await.expect("it is served");
    let found = kubernetes.list(&kind, None).await.expect("it is listed");
    found
        .iter()
        .map(|object| object["metadata"]["name"].to_string())
        .collect()
}

/// What is left when the wished scenarios were played, and what the run said.
async fn play(world: &SimEnv, wish: Wish, ids: &[&str], interrupt: &Interrupt) -> (Vec<Report>, Result<(), String>) {
    let living = Living::start(world).await.expect("the cluster starts");
    let kubernetes = Kubernetes::new(client(living.cluster.api()));
    let _gateway = world.network.serve(GATEWAY, living.cluster.gateway());
    let before = namespaces(&kubernetes).await;
    let mut chosen = scenarios::all();
    chosen.retain(|scenario| ids.contains(&scenario.id.as_str()));
    let mut reports = Vec::new();
    let played = async {
        let person = client(living.cluster.api());
        let current = Current::look(&world.env, "somewhere", person, wish, interrupt).await?;
        let mut done = |_, report| reports.push(report);
        current.play(Gateway::Ingress, &chosen, interrupt, &mut done).await
    };
    let played = played.await.map_err(|error| format!("{error:#}"));
    assert_eq!(namespaces(&kubernetes).await, before, "nothing is left behind");
    living.stop().await;
    (reports, played)
}

#[test]
fn scenarios_are_judged_each_in_a_namespace_and_nothing_is_left() {
    let (reports, played) = env::sim::run(1, env::Trace::off(), |world| async move {
        let ids = ["walkthrough", "two-step-release", "missing-ingress"];
        play(&world, wish(Some(GATEWAY)), &ids, &Interrupt::default()).await
    });
    assert_eq!(played, Ok(()));
    assert_eq!(reports.len(), 3);
    for report in reports {
        assert_eq!(report.verdict, Verdict::Passed, "{}: {:#?}", report.id, report.timeline);
        assert_eq!(report.requests.lost.len(), 0);
    }
}

#[rstest]
#[case::while_it_looks(Duration::from_millis(20))]
#[case::in_the_middle(Duration::from_secs(15))]
fn ctrl_c_leaves_nothing(#[case] after: Duration) {
    let (reports, _) = env::sim::run(1, env::Trace::off(), |world| async move {
        let interrupt = Interrupt::default();
        let (env, pressed) = (world.env.clone(), interrupt.clone());
        tokio::spawn(async move {
            env.sleep(after).await;
            pressed.wish();
        });
        play(&world, wish(Some(GATEWAY)), &["walkthrough"], &interrupt).await
    });
    assert_eq!(reports.len(), 0, "it was ended in the middle");
}

#[rstest]
#[case::nowhere(None, "the cluster does not say where its gateway answers")]
#[case::silent(
    Some("elsewhere.example:80"),
    "no gateway answers at http://elsewhere.example:80 within 5s"
)]
fn a_gateway_that_is_not_there_is_one_message(#[case] url: Option<&str>, #[case] says: &str) {
    let (_, played) = env::sim::run(1, env::Trace::off(), |world| async move {
        play(&world, wish(url), &["walkthrough"], &Interrupt::default()).await
    });
    let said = played.expect_err("nothing can be played");
    assert!(said.starts_with(says), "{said}");
    assert!(said.contains("--gateway-url"), "{said}");
}

/// What is said of a cluster that is made ready so.
fn said_of<F>(make: impl FnOnce(SimEnv, Embedded) -> F) -> String
where
    F: Future<Output = Embedded>,
{
    env::sim::run(1, env::Trace::off(), |world| async move {
        let cluster = Embedded::start(&world.env, &world.network, tidepool::Options::default()).await;
        let cluster = make(world.clone(), cluster).await;
        let person = client(cluster.api());
        let before = namespaces(&Kubernetes::new(person.clone())).await;
        let looked = Current::look(
            &world.env,
            "somewhere",
            person.clone(),
            wish(None),
            &Interrupt::default(),
        )
        .await;
        assert_eq!(
            namespaces(&Kubernetes::new(person)).await,
            before,
            "nothing is left behind"
        );
        let said = looked.err().map(|error| format!("{error:#}")).unwrap_or_default();
        cluster.stop().await;
        said
    })
}

#[test]
fn a_cluster_without_rollouts_is_one_message() {
    let said = said_of(|_, cluster| async move { cluster });
    assert!(
        said.starts_with("the cluster of the context \"somewhere\" has no Rollouts (rollouts.kruise.io/v1beta1): install a controller first"),
        "{said}"
    );
}

#[test]
fn a_controller_that_keeps_silent_is_one_message() {
    let said = said_of(|world, cluster| async move {
        let webhooks = install(&world, &cluster).await.expect("it is installed");
        // They serve as long as this world does.
        std::mem::forget(webhooks);
        cluster
    });
    assert!(
        said.starts_with("the cluster has Rollouts, but no controller said anything of one within 60s"),
        "{said}"
    );
}

#[test]
fn a_cluster_without_the_class_is_one_message() {
    let said = env::sim::run(1, env::Trace::off(), |world| async move {
        let living = Living::start(&world).await.expect("the cluster starts");
        let person = client(living.cluster.api());
        let class = ObjectRef {
            api_version: "networking.k8s.io/v1".to_owned(),
            kind: "IngressClass".to_owned(),
            namespace: None,
            name: "nginx".to_owned(),
        };
        Kubernetes::new(person.clone())
            .delete(&class)
            .await
            .expect("it is there");
        let interrupt = Interrupt::default();
        let current = Current::look(&world.env, "somewhere", person, wish(Some(GATEWAY)), &interrupt).await;
        let current = current.expect("a controller answers");
        let played = current.play(Gateway::Ingress, &[], &interrupt, &mut |_, _| {}).await;
        living.stop().await;
        played
            .map_err(|error| format!("{error:#}"))
            .expect_err("there is no class")
    });
    assert_eq!(
        said,
        "the cluster has no ingress class nginx (it has none): install one, or choose other routes with --gateway httproute or virtualservice"
    );
}

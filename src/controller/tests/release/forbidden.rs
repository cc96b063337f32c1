//! One right at a time is taken from the controller: it says which one, once, where a person looks; it tries rarely; the release stays where it
//! is, and goes on by itself when the right is back.

use std::time::Duration;

use controller::install::{self, InstallError};
use controller::{LeaderElection, Options, RunError, preflight, run, webhooks};
use env::Trace;
use env::sim::{self, SimEnv};
use jiff::SignedDuration;
use kube::api::ListParams;
use rstest::rstest;
use serde_json::{Value, json};
use tidepool::Embedded;
use tokio::sync::oneshot;

use crate::gate::{Gate, Right, cannot};
use crate::log::Log;
use crate::person::{AUTHORITY, FOUR_STEPS, Person, completed, endpoint, paused};
use crate::verdict::{METRICS, bad_rate};

const MINUTE: Duration = Duration::from_secs(60);
/// The most requests in ten minutes: those of the first seconds, then a try every 15 to 30 seconds; where the condition may not be written
/// either, a try is two requests.
const TRIES: usize = 80;

/// The parts of a running installation.
pub(crate) struct Installed {
    pub(crate) person: Person,
    pub(crate) gate: Gate,
    pub(crate) log: Log,
}

/// Plays `story` beside a controller whose every request goes through a gate.
pub(crate) fn with_controller<F: Future<Output = ()>>(
    election: LeaderElection,
    story: impl FnOnce(Installed) -> F + Send,
) {
    let (log, _keeping) = Log::keep();
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        let _served = world.network.serve(AUTHORITY, webhooks(&env, person.client.clone()));
        let _measured = world.network.serve(METRICS, bad_rate());
        person.install(&endpoint()).await;
        let gate = Gate::default();
        let client = kube::Client::new(gate.before(cluster.api()), "default");
        let mut options = Options::new("controller-0");
        options.leader_election = election;
        let (stop, mut stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            // As the process does: who has lost the lease stands for election again.
            while let Err(RunError::LeaseLost { .. }) = run(env.clone(), client.clone(), options.clone(), async {
                // A sender that is gone ends it as well.
                let _ = (&mut stopped).await;
            })
            .await
            {}
        });
        story(Installed { person, gate, log }).await;
        stop.send(()).expect("it runs");
        running.await.expect("no panic");
        cluster.stop().await;
    });
}

impl Installed {
    /// The condition `Stalled`, if the Rollout has it.
    async fn stalled(&self) -> Option<Value> {
        let status = self.person.status().await;
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == "Stalled")
    }

    /// The messages of the Events with that reason.
    pub(crate) async fn events(&self, reason: &str) -> Vec<String> {
        let events = self.person.api("v1", "Event").list(&ListParams::default()).await;
        let events = events.expect("a list").items.into_iter();
        events
            .filter(|event| event.data["reason"] == reason)
            .map(|event| event.data["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Releases a new image, approving every pause, until a request is refused.
    async fn release_until_refused(&self) {
        self.person.image("1.10.3").await;
        for _ in 0..600 {
            if self.gate.refused() > 0 {
                return;
            }
            let status = self.person.status().await;
            if paused(&status) {
                self.person.approve().await;
            }
            self.person.env.sleep(Duration::from_secs(1)).await;
        }
        panic!("nothing was refused: {:#}", self.person.status().await);
    }

    /// What of the Rollout's status says how far it is.
    async fn place(&self) -> Value {
        let status = self.person.status().await;
        let canary = &status["canaryStatus"];
        json!([
            status["phase"],
            canary["currentStepIndex"],
            canary["currentStepState"],
            canary["canaryReplicas"]
        ])
    }
}

#[rstest]
#[case(("patch", "rollouts"))]
#[case(("patch", "rollouts/status"))]
#[case(("create", "batchreleases"))]
#[case(("patch", "batchreleases"))]
#[case(("patch", "batchreleases/status"))]
#[case(("delete", "batchreleases"))]
#[case(("create", "deployments"))]
#[case(("get", "deployments"))]
#[case(("patch", "deployments"))]
#[case(("delete", "deployments"))]
#[case(("create", "services"))]
#[case(("patch", "services"))]
#[case(("delete", "services"))]
#[case(("create", "ingresses"))]
#[case(("get", "ingresses"))]
#[case(("patch", "ingresses"))]
#[case(("delete", "ingresses"))]
fn a_write_that_is_not_allowed_is_told_once_and_made_when_it_is(#[case] right: Right) {
    let words = cannot(right.0, right.1);
    with_controller(LeaderElection::Off, |installed| async move {
        let env = installed.person.env.clone();
        installed.person.article(FOUR_STEPS).await;
        installed.gate.withhold(right);
        installed.release_until_refused().await;
        env.sleep(MINUTE).await;
        let place = installed.place().await;
        let early = installed.gate.refused();
        env.sleep(9 * MINUTE).await;
        assert_eq!(installed.place().await, place, "it stays where it is");
        let tries = installed.gate.refused();
        assert!(
            early < tries && tries <= TRIES,
            "{early} tries in a minute, {tries} in ten"
        );

        let told = installed.events("WriteRefused").await;
        assert!(matches!(told.as_slice(), [one] if one.contains(&words)), "{told:#?}");
        assert!(
            told[0].contains("`tidegate manifests` lists what it needs"),
            "{told:#?}"
        );
        let condition = installed.stalled().await;
        if right == ("patch", "rollouts/status") {
            assert_eq!(condition, None, "nobody may write it");
        } else {
            let condition = condition.expect("it says so");
            assert_eq!(condition["message"], *told[0]);
        }
        let troubles = installed.log.troubles();
        assert!(
            matches!(troubles.as_slice(), [one] if one.contains(&words)),
            "{troubles:#?}"
        );

        installed.gate.give_back();
        // It is tried at least every half of a minute.
        env.sleep(MINUTE).await;
        installed.person.approve_all().await;
        env.sleep(MINUTE).await;
        assert_eq!(installed.stalled().await, None);
        assert!(completed(&installed.person.status().await));
    });
}

#[test]
fn a_rollout_that_may_not_be_taken_over_says_so_and_is_when_it_may() {
    with_controller(LeaderElection::Off, |installed| async move {
        installed.gate.withhold(("patch", "rollouts"));
        installed.person.create_article(FOUR_STEPS).await;
        installed.person.env.sleep(10 * MINUTE).await;
        let tries = installed.gate.refused();
        assert!((2..=TRIES).contains(&tries), "{tries} tries in ten minutes");
        let words = cannot("patch", "rollouts");
        let told = installed.events("WriteRefused").await;
        assert!(matches!(told.as_slice(), [one] if one.contains(&words)), "{told:#?}");
        let condition = installed.stalled().await;
        let status = installed.person.status().await;
        assert!(
            condition.is_some_and(|condition| condition["message"] == *told[0]),
            "{status:#}"
        );
        installed.gate.give_back();
        installed
            .person
            .until("idle rollout", |status| status["phase"] == "Healthy")
            .await;
        installed.person.env.sleep(MINUTE).await;
        assert_eq!(installed.stalled().await, None);
    });
}

#[test]
fn a_release_does_without_events_and_the_log_says_once_that_they_are_missing() {
    with_controller(LeaderElection::Off, |installed| async move {
        installed.person.article(FOUR_STEPS).await;
        installed.gate.withhold(("create", "events"));
        installed.person.image("1.10.3").await;
        installed.person.approve_all().await;
        assert!(installed.gate.refused() > 1, "several Events were refused");
        let troubles = installed.log.troubles();
        assert!(
            matches!(troubles.as_slice(), [one] if one.contains(r#"cannot create resource "events""#)
                && one.contains("`tidegate manifests` lists")),
            "{troubles:#?}"
        );
    });
}

#[rstest]
#[case(("get", "leases"))]
#[case(("update", "leases"))]
fn a_leader_that_may_not_renew_stops_writing_and_leads_again_when_it_may(#[case] right: Right) {
    let words = cannot(right.0, right.1);
    with_controller(LeaderElection::lease(), |installed| async move {
        let env = installed.person.env.clone();
        installed.person.article(FOUR_STEPS).await;
        installed.gate.withhold(right);
        env.sleep(MINUTE).await;
        let told = installed.log.troubles();
        let refused: Vec<_> = told.iter().filter(|line| line.contains(&words)).collect();
        // Once while it led, and once more since it stands for election again.
        assert_eq!(refused.len(), 2, "{told:#?}");
        assert!(
            refused[0].contains("the rights that `tidegate manifests` lists"),
            "{told:#?}"
        );
        assert!(
            told.iter()
                .any(|line| line.contains("the lease could not be renewed in time")),
            "{told:#?}"
        );
        installed.person.image("1.10.3").await;
        env.sleep(9 * MINUTE).await;
        assert_eq!(installed.person.status().await["phase"], "Healthy", "nobody leads");
        assert_eq!(installed.log.troubles(), told, "nothing is said again");

        installed.gate.give_back();
        // It is tried at least every half of a minute.
        env.sleep(MINUTE).await;
        installed.person.approve_all().await;
    });
}

/// What the start of a process says when `right` is missing.
fn start_without(right: Right) -> String {
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        person.install(&endpoint()).await;
        let gate = Gate::default();
        gate.withhold(right);
        let client = kube::Client::new(gate.before(cluster.api()), "default");
        let names = ["webhooks.tidegate.svc".to_owned()];
        let starting = async {
            let made = install::shared_certificate(&client, "tidegate", &names, env.now()).await?;
            if let Some(finding) = preflight::look(&client).await.first() {
                return Ok(finding.to_string());
            }
            install::point(&client, &endpoint(), made.authority()).await?;
            Ok::<_, InstallError>("started".to_owned())
        };
        let said = starting.await.unwrap_or_else(|error| error.to_string());
        gate.give_back();
        cluster.stop().await;
        said
    })
}

#[rstest]
#[case(("get", "secrets"), "share the webhooks' certificate through Secret tidegate/kruise-rollout-webhook-certs: ")]
#[case(("create", "secrets"), "share the webhooks' certificate through Secret tidegate/kruise-rollout-webhook-certs: ")]
#[case(("get", "customresourcedefinitions"), "cannot read rollouts.rollouts.kruise.io: ")]
#[case(("patch", "customresourcedefinitions"), "point CustomResourceDefinition ")]
#[case(("patch", "mutatingwebhookconfigurations"), "point MutatingWebhookConfiguration ")]
#[case(("patch", "validatingwebhookconfigurations"), "point ValidatingWebhookConfiguration ")]
fn what_a_start_lacks_is_its_last_line(#[case] right: Right, #[case] doing: &str) {
    let said = start_without(right);
    assert!(said.starts_with(doing), "{said}");
    assert!(said.contains(&cannot(right.0, right.1)), "{said}");
    assert!(said.contains("the rights that `tidegate manifests` lists"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[rstest]
#[case(("get", "secrets"))]
#[case(("update", "secrets"))]
#[case(("patch", "validatingwebhookconfigurations"))]
fn a_renewal_that_is_not_allowed_is_told_once_and_made_when_it_is(#[case] right: Right) {
    let (log, _keeping) = Log::keep();
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        person.install(&endpoint()).await;
        let gate = Gate::default();
        let client = kube::Client::new(gate.before(cluster.api()), "default");
        let names = vec!["webhooks.tidegate.svc".to_owned()];
        // Two months ago: it is to be renewed.
        let made = env.now() - SignedDuration::from_hours(60 * 24);
        let shown = install::shared_certificate(&client, "tidegate", &names, made).await;
        let shown = shown.expect("a certificate");
        let first = shown.pem().0.to_vec();
        let renewing = tokio::spawn(install::rotate(
            env.clone(),
            client,
            "tidegate".to_owned(),
            names.clone(),
            endpoint(),
            shown,
        ));
        gate.withhold(right);
        env.sleep(30 * MINUTE).await;
        assert!(
            (25..=31).contains(&gate.refused()),
            "it looks once a minute: {}",
            gate.refused()
        );
        let troubles = log.troubles();
        assert!(
            matches!(troubles.as_slice(), [one] if one.contains(&cannot(right.0, right.1))
                && one.contains("the rights that `tidegate manifests` lists")),
            "{troubles:#?}"
        );
        gate.give_back();
        env.sleep(120 * MINUTE).await;
        let shared = install::shared_certificate(&person.client, "tidegate", &names, env.now()).await;
        assert_ne!(shared.expect("a certificate").pem().0, first, "renewed");
        assert_eq!(log.troubles(), troubles, "nothing is said again");
        renewing.abort();
        cluster.stop().await;
    });
}

#[rstest]
#[case("deployments")]
#[case("rollouts")]
#[case("endpointslices")]
fn a_kind_that_may_not_be_listed_keeps_everything_where_it_is_and_is_named(#[case] resource: &'static str) {
    let right = ("list", resource);
    with_controller(LeaderElection::Off, |installed| async move {
        let env = installed.person.env.clone();
        installed.gate.withhold(right);
        env.sleep(10 * MINUTE).await;
        assert!(
            (2..=200).contains(&installed.gate.refused()),
            "{} tries",
            installed.gate.refused()
        );
        let troubles = installed.log.troubles();
        assert!(
            matches!(troubles.as_slice(), [one] if one.contains(&cannot("list", resource))
                && one.contains("the rights that `tidegate manifests` lists")),
            "{troubles:#?}"
        );
        installed.gate.give_back();
        installed.person.article(FOUR_STEPS).await;
        installed.person.image("1.10.3").await;
        installed.person.until("pause", paused).await;
    });
}

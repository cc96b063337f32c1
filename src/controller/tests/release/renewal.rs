//! The certificate that replicas share, over its whole life: renewed by whoever looks first, trusted before it is shown, healed when everybody was
//! away for too long.

use controller::install::{self, InstallError};
use controller::serve::Certificate;
use env::Trace;
use env::sim::{self, SimEnv};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;
use tidepool::Embedded;

const NAMES: [&str; 2] = ["webhooks.tidegate.svc", "webhooks.tidegate"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

struct Replica {
    client: kube::Client,
    start: Timestamp,
}

impl Replica {
    /// What it shows so many hours after the start.
    async fn after(&self, hours: i64) -> Result<Certificate, InstallError> {
        let now = self.start + SignedDuration::from_hours(hours);
        let found = install::shared_certificate(&self.client, "tidegate", &names(), now).await?;
        found.check(&names(), now)?;
        Ok(found)
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), "tidegate")
    }
}

fn with_a_replica<F: Future<Output = ()> + Send + 'static>(body: impl FnOnce(Replica) -> F + Send + 'static) {
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let cluster = Embedded::start(&world.env, &world.network, tidepool::Options::default()).await;
        let client = kube::Client::new(cluster.api(), "default");
        install::namespace(&client, "tidegate").await.expect("a namespace");
        let start = world.env.now();
        body(Replica { client, start }).await;
        cluster.stop().await;
    });
}

fn authorities(certificate: &Certificate) -> usize {
    let text = String::from_utf8_lossy(certificate.authority()).into_owned();
    text.matches("BEGIN CERTIFICATE").count()
}

const DAY: i64 = 24;

#[test]
fn a_certificate_is_announced_an_hour_before_it_is_shown() {
    with_a_replica(|replica| async move {
        let first = replica.after(0).await.expect("made");
        let later = replica.after(50 * DAY).await.expect("kept");
        assert_eq!(first.pem(), later.pem());
        assert_eq!(authorities(&later), 1);

        let announced = replica.after(65 * DAY).await.expect("announced");
        assert_eq!(announced.pem(), first.pem(), "nothing else is shown yet");
        assert_eq!(authorities(&announced), 2, "both are trusted");
        let waiting = replica.after(65 * DAY + 1).await.expect("not by every clock");
        assert_eq!(waiting.pem(), first.pem());

        let renewed = replica.after(65 * DAY + 2).await.expect("renewed");
        assert_ne!(renewed.pem(), first.pem());
        assert_eq!(renewed.authority(), announced.authority(), "trusted before it is shown");
        let kept = replica.after(66 * DAY).await.expect("kept");
        assert_eq!(kept.pem(), renewed.pem());
    });
}

#[test]
fn an_expired_certificate_heals_by_itself() {
    with_a_replica(|replica| async move {
        let first = replica.after(0).await.expect("made");
        let healed = replica.after(400 * DAY).await.expect("healed");
        assert_ne!(healed.pem(), first.pem());
        let other = replica
            .after(400 * DAY + 1)
            .await
            .expect("the same for the next replica");
        assert_eq!(other.pem(), healed.pem());
    });
}

#[test]
fn a_secret_of_somebody_else_is_used_and_never_written() {
    with_a_replica(|replica| async move {
        let made = Certificate::make_from(&names(), replica.start).expect("made");
        let (chain, key) = made.pem();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("PEM");
        let secret = serde_json::from_value(json!({
            "metadata": { "name": api::names::webhook::CERTS_SECRET },
            "stringData": { "tls.crt": text(chain), "tls.key": text(key), "ca.crt": text(made.authority()) },
        }));
        let secret: Secret = secret.expect("a secret");
        replica
            .secrets()
            .create(&PostParams::default(), &secret)
            .await
            .expect("created");
        assert_eq!(replica.after(1).await.expect("read").pem(), made.pem());
        let error = replica.after(91 * DAY).await.err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("expired")));

        replica
            .secrets()
            .delete(api::names::webhook::CERTS_SECRET, &DeleteParams::default())
            .await
            .expect("deleted");
        replica.after(91 * DAY).await.expect("made anew");
    });
}
